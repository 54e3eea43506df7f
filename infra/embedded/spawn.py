"""Start a process that ends with its parent, and end it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.embedded import launch


def tied(
    argv: Sequence[str], *, when_parent_ends: int = signal.SIGKILL, parent: int | None = None
) -> tuple[str, ...]:
    """Return a command that runs `argv` and gets a signal when its parent ends.

    Args:
        argv: Program and arguments.
        when_parent_ends: The signal.
        parent: The parent's pid; this process by default.
    """
    interpreter = (sys.executable, "-I", "-S", str(Path(launch.__file__).resolve()))
    return (*interpreter, str(int(when_parent_ends)), str(parent or os.getpid()), *argv)


async def spawn(
    argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Start a process in a session of its own, its output appended to a log file.

    A session of its own: Ctrl-C in a terminal reaches only the supervisor, which ends the others in
    order.

    Args:
        argv: Program and arguments.
        log: Where stdout and stderr go.
        env: Added to this process's environment, which is handed on unread.
    """
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *tied(argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | dict(env or {}),
            start_new_session=True,
        )


async def terminate(process: asyncio.subprocess.Process, timeout_s: float) -> bool:
    """End a process and what it started: SIGTERM, and SIGKILL after the time-out.

    Returns:
        Whether it ended in time.
    """
    if process.returncode is not None:
        return True
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), timeout_s)
    except TimeoutError:
        kill_group(process)
        await process.wait()
        return False
    return True


def kill_group(process: asyncio.subprocess.Process) -> None:
    """SIGKILL a running process and whatever it started in its session."""
    if process.returncode is None:
        # It may end, and not be waited for yet, between the look and the call.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


async def run_once(argv: Sequence[str], *, log: Path) -> int:
    """Run a command to its end and return its exit code. Cancelling kills it."""
    process = await spawn(argv, log=log)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            kill_group(process)
            await process.wait()
