"""A process under measurement: started here, watched line by line, gone when we are."""

import os
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded.spawn import tied
from schemas.errors import Unavailable

ROOT = Path(__file__).parents[1]
_STOP_S = 20.0
_POLL_S = 0.01
_LAST_LINES = 15


class Child:
    """Runs until the block is left. It is killed with this process, however that ends.

    Args:
        name: For people.
        argv: Program and arguments.
        environment: Added to this process's own, which is handed on unread.
    """

    def __init__(self, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._lines: list[str] = []
        # The kernel ties a process to the thread that made it: the main one.
        self._process = subprocess.Popen(
            tied(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=os.environ | dict(environment),
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """End it: SIGTERM, then SIGKILL."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reading.join(_STOP_S)

    def wait_line(self, text: str, *, times: int = 1, timeout_s: float = 60.0) -> str:
        """Wait until it has written `times` lines that hold `text`; return the last of them.

        Raises:
            Unavailable: It ended before, or the time is over.
        """
        self.wait(lambda: len(self.lines(text)) >= times, f"{times} x {text!r}", timeout_s)
        return self.lines(text)[times - 1]

    def lines(self, text: str) -> list[str]:
        """Return the lines written so far that hold `text`."""
        return [line for line in list(self._lines) if text in line]

    def wait_end(self, timeout_s: float = 60.0) -> None:
        """Wait until it ends by itself, with code 0.

        Raises:
            Unavailable: It failed, or the time is over.
        """
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise self._failure("it doesn't end") from None
        if code:
            raise self._failure(f"it ended with {code}")

    def wait(
        self,
        condition: Callable[[], bool],
        what: str,
        timeout_s: float = 60.0,
        every_s: float = _POLL_S,
    ) -> None:
        """Wait for a condition while it runs.

        Raises:
            Unavailable: It ended before, or the time is over.
        """
        if not self.reaches(condition, timeout_s, every_s):
            raise self._failure(f"waited {timeout_s:.0f} s for {what}")

    def reaches(
        self, condition: Callable[[], bool], most_s: float, every_s: float = _POLL_S
    ) -> bool:
        """Wait for a condition while it runs, at most so long; tell whether it came true.

        Raises:
            Unavailable: It ended before.
        """
        deadline = time.monotonic() + most_s
        while not condition():
            if self._process.poll() is not None:
                raise self._failure(f"it ended with {self._process.returncode}")
            if time.monotonic() > deadline:
                return False
            time.sleep(every_s)
        return True

    def _failure(self, problem: str) -> Unavailable:
        said = "\n".join(self._lines[-_LAST_LINES:])
        return Unavailable(self.name, 0.0, f"{problem}; its last words:\n{said}")

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        for line in self._process.stdout:
            self._lines.append(line.rstrip())


class Daybook(Child):
    """A process of Daybook, with its metrics.

    Args:
        command: `worker`, `ingest`, `sink` or `live`.
        argv: Program and arguments.
        environment: Its settings.
        port: Of its metrics.
    """

    def __init__(
        self, command: str, argv: Sequence[str], environment: Mapping[str, str], port: int
    ) -> None:
        super().__init__(command, argv, environment)
        self._url = f"http://127.0.0.1:{port}/metrics"

    def metric(self, name: str) -> dict[str, float]:
        """Return labels as text (`partition="0"`) → value of one metric; empty before it answers.

        Counters have the suffix `_total`.
        """
        try:
            with urllib.request.urlopen(self._url, timeout=5) as answer:  # noqa: S310 - our own
                text: str = answer.read().decode()
        except OSError:
            return {}
        return parse_metric(text, name)


def parse_metric(text: str, name: str) -> dict[str, float]:
    """Return labels → value of one metric in Prometheus's text format.

    >>> parse_metric('a_total{topic="x"} 2.0', "a_total")
    {'topic="x"': 2.0}
    """
    found = {}
    for line in text.splitlines():
        if line.startswith(name):
            labels, _, value = line[len(name) :].rpartition(" ")
            if labels[:1] in {"{", ""}:
                found[labels.strip("{}")] = float(value)
    return found
