"""Small files through which the harness steers its processes: a clock, a trigger, a network."""

import json
from pathlib import Path
from typing import NamedTuple

DIRECTORY = "TORTURE_CONTROLS"
"""Environment variable that names the directory."""


class Trigger(NamedTuple):
    """What a process does to itself at its next write.

    Args:
        signal: `SIGKILL` or `SIGSTOP`.
        after_s: How long after the records were handed over.
    """

    signal: str
    after_s: float


class Network(NamedTuple):
    """How the way to the broker is.

    Args:
        latency_s: Added to each piece of data.
        stalled: Nothing passes.
    """

    latency_s: float = 0.0
    stalled: bool = False


class Controls:
    """The files of one run.

    Args:
        directory: Where they lie.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def set_clock(self, offset_s: float) -> None:
        """Let every clock be off by so much."""
        self._write("clock", str(int(offset_s * 1000)))

    def clock_ms(self) -> int:
        """Return by how much clocks are off, ms."""
        return int(self._read("clock") or 0)

    def arm(self, process: str, trigger: Trigger) -> None:
        """Let a process do something to itself at its next write."""
        self._write(f"trigger-{process}", json.dumps(trigger))

    def fire(self, process: str) -> Trigger | None:
        """Take the trigger of a process, if it is armed."""
        text = self._read(f"trigger-{process}")
        if not text:
            return None
        (self._directory / f"trigger-{process}").unlink(missing_ok=True)
        return Trigger(*json.loads(text))

    def disarm(self) -> None:
        """Remove all triggers."""
        for path in self._directory.glob("trigger-*"):
            path.unlink(missing_ok=True)

    def set_network(self, network: Network) -> None:
        """Change the way to the broker."""
        self._write("network", json.dumps(network))

    def network(self) -> Network:
        """Return how the way to the broker is to be."""
        text = self._read("network")
        return Network(*json.loads(text)) if text else Network()

    def _write(self, name: str, text: str) -> None:
        draft = self._directory / f".{name}"
        draft.write_text(text)
        draft.replace(self._directory / name)

    def _read(self, name: str) -> str:
        try:
            return (self._directory / name).read_text()
        except FileNotFoundError:
            return ""
