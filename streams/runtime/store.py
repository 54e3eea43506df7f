"""Where a lane's rows are: in memory, or on the disk if the configuration says so."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from streams.domain.state import State
from streams.runtime.config import WorkerConfig


class Disk(Protocol):
    """`streams.runtime.disk.DiskRows`; its library is an extra, so nothing here imports it."""

    def resume(self, origin: str, low: int, high: int) -> tuple[State, int]:
        """Return the state there is, and the changelog offset to go on from."""

    def load(self, state: State, rows: Iterable[tuple[bytes, bytes | None]], tail: int) -> None:
        """Take in the changelog from there to its end."""

    def save(self, state: State, tail: int) -> None:
        """Write what a commit has changed."""

    def close(self) -> None:
        """Let go of the directory."""


def open_disk(config: WorkerConfig, partition: int) -> Disk:
    """Open a partition's directory: `<store_dir>/<app>/<instance>/p<partition>`.

    Raises:
        ConfigurationError: Another process has it.
    """
    from streams.runtime.disk import DiskRows

    name = config.instance or "worker"
    return DiskRows(Path(config.store_dir) / config.app / name / f"p{partition}")
