"""End what a supervisor that was killed left behind: the portable fallback to `launch.py`."""

import os
import signal
import time

import structlog

from infra.embedded.identity import ProcessIdentity, identify, is_running, send
from infra.embedded.status import StackStatus

_TERM_TIMEOUT_S = 10.0
_POLL_S = 0.02

_log = structlog.get_logger(__name__)


def ours(status: StackStatus) -> list[ProcessIdentity]:
    """Return the processes of an earlier supervisor that still run and are provably the same.

    Proof is the pid, the start time and the command. The recorded command may still be `launch.py`
    with the program at its end, if the supervisor was killed just after a start.
    """
    found = []
    for process in status.processes:
        recorded = process.identity
        current = identify(recorded.pid) if recorded is not None else None
        if recorded is None or current is None or current != recorded:
            continue
        if recorded.command.endswith(current.command) and current.pid != os.getpid():
            found.append(current)
    return found


def end_all(processes: list[ProcessIdentity], timeout_s: float = _TERM_TIMEOUT_S) -> None:
    """End these processes: SIGTERM to all, SIGKILL to those that stay longer than the time-out."""
    for process in processes:
        if send(process, signal.SIGTERM):
            _log.warning("leftover_ended", pid=process.pid, command=process.command)
    if not wait_gone(processes, timeout_s):
        for process in processes:
            send(process, signal.SIGKILL)
        wait_gone(processes, timeout_s)


def wait_gone(processes: list[ProcessIdentity], timeout_s: float) -> bool:
    """Wait until none of these processes runs; return whether that came in time."""
    deadline = time.monotonic() + timeout_s
    while any(is_running(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
