"""A handle on the stack of a data directory, for the command line, a test or a demo.

    with RunningStack.start(data, cache=cache, only=ENGINES) as stack:
        stack.endpoints.kafka
        stack.kill("kafka")
        stack.wait_healthy("kafka")

The supervisor is always a process of its own. So a test that blocks its event loop holds nothing
up, and tests, demo and `daybook dev up` run the same thing.
"""

import contextlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded.directory import DataDirectory, adopt
from infra.embedded.identity import ProcessIdentity, is_running, send
from infra.embedded.leftovers import end_all, ours, wait_gone
from infra.embedded.spawn import tied
from infra.embedded.status import Endpoints, ProcessStatus, StackStatus, read_status
from schemas.errors import ConfigurationError, Unavailable

_POLL_S = 0.02
_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 60.0
_RETRY_S = 1.0

Watcher = Callable[[StackStatus], None]
"""Called with each new status while the stack starts."""


@dataclass(frozen=True, slots=True)
class RunningStack:
    """The stack that runs in a data directory.

    Args:
        directory: The data directory.
        supervisor: The process to signal.
        child: The same, if this process started it and has to reap it.
    """

    directory: DataDirectory
    supervisor: ProcessIdentity
    child: "subprocess.Popen[bytes] | None" = None

    @classmethod
    def start(
        cls,
        data: Path,
        *,
        cache: Path,
        only: Collection[str] | None = None,
        fresh: bool = False,
        detach: bool = False,
        timeout_s: float = _START_TIMEOUT_S,
        on_status: Watcher | None = None,
    ) -> Self:
        """Start a supervisor and wait until everything is up.

        Args:
            data: Data directory; made if it doesn't exist.
            cache: The user's cache folder.
            only: Names of processes (`stack.NAMES`); `None` for all.
            fresh: Delete the data first, if the directory is ours.
            detach: Let the stack outlive this process. Otherwise it is stopped when this process
                ends, however that comes about (Linux).
            timeout_s: The longest to wait.
            on_status: Told how the start goes on.

        Raises:
            ConfigurationError: The directory isn't ours or in use, or a name is unknown.
            Unavailable: A process gave up, or the time was over; nothing is left running.
        """
        directory = adopt(data)
        argv = [sys.executable, "-m", "infra.embedded", "--data", str(directory.root)]
        argv += ["--cache", str(cache.resolve())]
        argv += ["--fresh"] if fresh else []
        argv += ["--only", ",".join(only)] if only is not None else []
        if not detach:
            # The kernel ties a process to the *thread* that made it.
            if threading.current_thread() is not threading.main_thread():
                raise RuntimeError("a stack that isn't detached is started from the main thread")
            argv = list(tied(argv, when_parent_ends=signal.SIGTERM))
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
            try:
                status = _wait_ready(directory, process, timeout_s, on_status)
            except BaseException:  # Ctrl-C too: nothing is left running
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_STOP_TIMEOUT_S)
                process.kill()
                process.wait()
                raise
            if status is None:
                errors.seek(0)
                raise _start_failure(directory, process.returncode, errors.read().strip())
        identity = status.supervisor.identity
        if identity is None:
            raise Unavailable("the supervisor", _RETRY_S, "it has no pid")
        return cls(directory, identity, process)

    @classmethod
    def find(cls, data: Path) -> Self | None:
        """Return the stack that runs in a data directory, if one does."""
        directory = DataDirectory(data.resolve())
        status = read_status(directory.status)
        if status is None or not status.is_supervised or status.supervisor.identity is None:
            return None
        return cls(directory, status.supervisor.identity)

    @staticmethod
    def sweep(data: Path) -> None:
        """End what a supervisor that was killed left behind in a data directory."""
        status = read_status(DataDirectory(data.resolve()).status)
        if status is not None and not status.is_supervised:
            end_all(ours(status))

    @property
    def is_supervised(self) -> bool:
        """Whether the supervisor still runs."""
        return is_running(self.supervisor)

    def __enter__(self) -> Self:
        """Return itself; leaving the block stops the stack."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the stack."""
        self.stop()

    @property
    def status(self) -> StackStatus:
        """What the supervisor says now.

        Raises:
            Unavailable: The status file is gone.
        """
        status = read_status(self.directory.status)
        if status is None:
            raise Unavailable("the stack", _RETRY_S, f"no status in {self.directory.root}")
        return status

    @property
    def endpoints(self) -> Endpoints:
        """Where clients connect; the same after every restart of a process."""
        return self.status.endpoints

    def process(self, name: str) -> ProcessStatus:
        """Return one process of the stack.

        Raises:
            ConfigurationError: The stack has none of this name.
        """
        process = self.status.process(name)
        if process is None:
            raise ConfigurationError("process", f"the stack has none called {name}")
        return process

    def kill(
        self, name: str, signal_number: int = signal.SIGKILL, timeout_s: float = _STOP_TIMEOUT_S
    ) -> int:
        """Send a signal to a process, and wait for its end if the signal means that.

        Args:
            name: Of the process.
            signal_number: SIGKILL and SIGTERM are waited for.
            timeout_s: The longest to wait.

        Returns:
            The pid that got the signal.

        Raises:
            Unavailable: It wasn't running, or did not end in time.
        """
        identity = self.process(name).identity
        if identity is None or not send(identity, signal_number):
            raise Unavailable(name, _RETRY_S, "it isn't running")
        ends = signal_number in {signal.SIGKILL, signal.SIGTERM}
        if ends and not wait_gone([identity], timeout_s):
            raise Unavailable(name, _RETRY_S, f"pid {identity.pid} is still there")
        return identity.pid

    def restart(self, name: str, timeout_s: float = _STOP_TIMEOUT_S) -> ProcessStatus:
        """End a process in order and wait until the supervisor has it healthy again."""
        self.kill(name, signal.SIGTERM, timeout_s)
        return self.wait_healthy(name, timeout_s)

    def hold(self, name: str) -> None:
        """Let a process stay down when it ends, until `release`: an outage of any length."""
        (self.directory.holds / self.process(name).name).touch()

    def release(self, name: str) -> None:
        """Let a process that is held come up again."""
        (self.directory.holds / name).unlink(missing_ok=True)

    def wait_healthy(self, name: str, timeout_s: float = _STOP_TIMEOUT_S) -> ProcessStatus:
        """Wait until a process is healthy: the one that runs now, not one that just died.

        Raises:
            Unavailable: It isn't, in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            process = self.process(name)
            if process.healthy and process.is_running:
                return process
            if time.monotonic() > deadline:
                raise Unavailable(name, _RETRY_S, f"it is {process.phase.value}")
            time.sleep(_POLL_S)

    def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> None:
        """Stop everything in order; kill what is left after the time-out. Twice is fine."""
        send(self.supervisor, signal.SIGTERM)
        if not wait_gone([self.supervisor], timeout_s):
            send(self.supervisor, signal.SIGKILL)
        if self.child is not None:
            self.child.wait()
        self.sweep(self.directory.root)


def _wait_ready(
    directory: DataDirectory,
    process: subprocess.Popen[bytes],
    timeout_s: float,
    on_status: Watcher | None,
) -> StackStatus | None:
    """Wait for this supervisor's stack; `None` if the supervisor ended."""
    deadline = time.monotonic() + timeout_s
    while process.poll() is None:
        status = read_status(directory.status)
        if status is not None and status.supervisor.pid == process.pid:
            if on_status is not None:
                on_status(status)
            if status.ready:
                return status
        if time.monotonic() > deadline:
            raise Unavailable("the stack", _RETRY_S, f"it isn't up after {timeout_s} s")
        time.sleep(_POLL_S)
    return None


def _start_failure(directory: DataDirectory, code: int, error: str) -> Exception:
    if code == 2:  # noqa: PLR2004 - usage or configuration, as everywhere
        setting, _, problem = error.partition(": ")
        return ConfigurationError(setting, problem)
    status = read_status(directory.status)
    given_up = [
        each.name for each in (status.processes if status else ()) if each.phase.value == "failed"
    ]
    logs = ", ".join(str(directory.logs / f"{name}.log") for name in given_up or ["supervisor"])
    return Unavailable(
        "the stack",
        _RETRY_S,
        f"{', '.join(given_up) or 'the supervisor'} gave up, see {logs} {error}",
    )
