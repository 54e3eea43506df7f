"""Starts processes under test and waits for conditions."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, TopicPartition


def wait_for(condition: Callable[[], Any], what: str, timeout_s: float = 60.0) -> Any:
    """Wait until a condition is true and return its value."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not in {timeout_s} s: {what}"
        time.sleep(0.05)
    return value


@dataclass
class Running:
    """A worker or ingest process.

    Args:
        kind: `worker` or `ingest`.
        log: File its standard error goes to.
        config: Fields of its configuration.
        faults: See `worker_process`.
    """

    kind: str
    log: Path
    config: dict[str, Any]
    faults: dict[str, dict[str, Any]] = field(default_factory=dict)
    restarts: int = 0
    _process: "subprocess.Popen[bytes] | None" = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Kill it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if error is not None:
            sys.stderr.write(self.log.read_text()[-4000:])

    def start(self) -> None:
        """Start it, again if it has ended."""
        given = json.dumps({"config": self.config, "faults": self.faults})
        argv = [sys.executable, "-m", "tests.integration.worker_process", self.kind, given]
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(argv, stdout=out, stderr=out)

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The process of the latest start."""
        assert self._process is not None
        return self._process

    def has_ended(self, within_s: float) -> bool:
        """Wait for the end at most so long; return whether it came."""
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def restart_if_ended(self) -> bool:
        """Do a supervisor's work once; return whether it had ended."""
        if self.process.poll() is None:
            return False
        self.restarts += 1
        self.start()
        return True

    def health(self) -> dict[str, Any] | None:
        """Return what `/health` says, None while nobody answers."""
        url = f"http://127.0.0.1:{self.config['metrics_port']}/health"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))
        except OSError:
            return None

    def metrics(self) -> str:
        """Return what `/metrics` says."""
        url = f"http://127.0.0.1:{self.config['metrics_port']}/metrics"
        with urllib.request.urlopen(url, timeout=2) as answer:
            return str(answer.read().decode())

    def wait_running(self) -> dict[str, Any]:
        """Wait until it is ready and return its health."""

        def ready() -> dict[str, Any] | None:
            assert self.process.poll() is None, f"ended with {self.process.returncode}"
            health = self.health()
            return health if health and health["state"] == "running" else None

        return dict(wait_for(ready, f"{self.kind} runs"))

    def wait_exit(self, timeout_s: float = 60.0) -> int:
        """Wait until it ends and return its exit code."""
        return self.process.wait(timeout_s)

    def terminate(self) -> int:
        """Stop it in order and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait_exit()


def log_end(bootstrap: str, topic: str, partition: int = 0) -> int:
    """Return the offset after the last record or marker of a partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused"})
    try:
        return int(consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1])
    finally:
        consumer.close()
