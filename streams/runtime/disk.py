"""State that outgrows memory: the rows of one partition in RocksDB. The changelog stays the truth.

Whatever is on the disk may be thrown away; then the changelog is read from its beginning. It is
read from `tail` on only when the directory says, in the same write as the rows, that it holds
everything before. So a process that dies between a commit and its rows reads them from the log.
"""

import json
import shutil
import time
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
)

from schemas.errors import ConfigurationError
from streams.domain.state import State
from streams.domain.table import AGENTS, HEAD_KEY, HOURS, SETTINGS, TABLES, TIMERS

MARK_KEY = b"!mark"
VERSION = 1
MAX_AGE_MS = 12 * 3_600_000
"""Older directories are read again. A changelog forgets its deletions after `delete.retention.ms`
(24 hours), and a row deleted while we were away would then stay."""
RECENT_MAX = 50_000
"""Rows of a partition kept in memory as well, about 300 bytes each."""
PENDING_MAX = 50_000
"""Rows of a changelog being loaded that are written at once."""

IN_MEMORY = (AGENTS, SETTINGS, HOURS, TIMERS)
"""Tables that are wanted whole: reference data, and those behind the state's two indexes."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a directory holds.

    Args:
        origin: Ids of the topics its rows come from.
        tail: One past the last changelog offset in it.
        at_ms: When it was written, UTC ms.
        version: Of this layout.
    """

    origin: str
    tail: int
    at_ms: int
    version: int = VERSION

    def continues(self, origin: str, low: int, high: int, now_ms: int) -> bool:
        """Tell whether the changelog from `tail` on makes the directory whole.

        Args:
            origin: Ids of the topics there are now.
            low: First offset of the changelog.
            high: One past its last.
            now_ms: Wall clock, UTC ms; one set back proves nothing about the age.

        Examples:
            >>> mark = Mark("a", tail=10, at_ms=1_000)
            >>> mark.continues("a", 0, 10, 2_000)
            True
            >>> mark.continues("b", 0, 10, 2_000), mark.continues("a", 0, 9, 2_000)
            (False, False)
        """
        return (
            self.version == VERSION
            and self.origin == origin
            and low <= self.tail <= high
            and 0 <= now_ms - self.at_ms <= MAX_AGE_MS
        )


class DiskRows:
    """The rows of one partition. One thread at a time.

    Args:
        directory: Of this partition and of this process only; made when missing.

    Raises:
        ConfigurationError: Another process has it open, or it can't be written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._origin = ""
        self._pending: dict[bytes, bytes | None] = {}
        self._recent: dict[bytes, bytes | None] = {}
        self._db = self._open()

    def _open(self) -> Rdict:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            return Rdict(str(self._directory), options=_options())
        except Exception as error:
            # rocksdict raises plain exceptions. A directory that can't be read is only a copy.
            if "Corruption" in str(error):
                shutil.rmtree(self._directory)
                return self._open()
            raise ConfigurationError("DAYBOOK_STORE_DIR", self._problem(error)) from error

    def _problem(self, error: Exception) -> str:
        if "lock" not in str(error):
            return str(error)
        return (
            f"{self._directory} is open in another worker: "
            "give each an --instance of its own, or another directory"
        )

    def resume(self, origin: str, low: int, high: int) -> tuple[State, int]:
        """Return the state as the directory has it, and the changelog offset to go on from.

        Args:
            origin: Ids of the topics that the rows come from.
            low: First offset of the changelog.
            high: One past its last.
        """
        mark = self._mark()
        if mark is None or not mark.continues(origin, low, high, _now_ms()):
            self._forget()
            mark = None
        self._origin = origin
        tables = {table.prefix: self._table(table.prefix) for table in TABLES}
        return State(tables, self.get(HEAD_KEY)), low if mark is None else mark.tail

    def load(self, state: State, rows: Iterable[tuple[bytes, bytes | None]], tail: int) -> None:
        """Take changelog records into the state `resume` returned.

        Until the last of them the directory keeps the mark it had: what is written before is
        written again by whoever resumes from there.

        Args:
            state: From `resume`.
            rows: In log order, from the offset it named.
            tail: One past the last of them.
        """
        for key, value in rows:
            state.put(key, value)
            if len(self._pending) >= PENDING_MAX:
                self._write(None)
        self.save(state, tail)

    def save(self, state: State, tail: int) -> None:
        """Write what was put since the last time, the head and how far the changelog is in it."""
        self.put(HEAD_KEY, state.head_row())
        self._write(Mark(self._origin, tail, _now_ms()))

    def close(self) -> None:
        """Let go of the directory."""
        self._db.close()

    def get(self, key: bytes) -> bytes | None:
        """Return a row by table prefix and key."""
        try:
            return self._recent[key]
        except KeyError:
            value: bytes | None = self._db.get(key)
            self._recent[key] = value
            return value

    def put(self, key: bytes, value: bytes | None) -> None:
        """Set or delete a row; on the disk with the next `save`."""
        self._recent[key] = self._pending[key] = value

    def items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield (key without prefix, row) of one table, by key; what wasn't saved included."""
        pending = {key: value for key, value in self._pending.items() if key[:1] == prefix}
        stored = cast("Iterator[tuple[bytes, bytes]]", self._db.items(from_key=prefix))
        for key, value in stored:
            if key[:1] != prefix:
                break
            if key not in pending:
                yield key[1:], value
        yield from ((key[1:], value) for key, value in pending.items() if value is not None)

    def _table(self, prefix: bytes) -> "MutableMapping[bytes, bytes]":
        if any(prefix == table.prefix for table in IN_MEMORY):
            return MemoryTable(self, prefix)
        return DiskTable(self, prefix)

    def _mark(self) -> Mark | None:
        raw = self._db.get(MARK_KEY)
        try:
            return None if raw is None else Mark(**json.loads(raw))
        except (TypeError, ValueError):
            return None  # of another layout

    def _forget(self) -> None:
        self._db.close()
        shutil.rmtree(self._directory)
        self._pending.clear()
        self._recent.clear()
        self._db = self._open()

    def _write(self, mark: Mark | None) -> None:
        batch = WriteBatch(raw_mode=True)
        for key, value in self._pending.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        if mark is not None:
            batch.put(MARK_KEY, json.dumps(asdict(mark)).encode())
        self._db.write(batch)
        self._pending.clear()
        if len(self._recent) > RECENT_MAX:
            self._recent.clear()


class DiskTable(MutableMapping[bytes, bytes]):
    """One table on the disk; a lookup that misses the recent rows is a read of RocksDB."""

    def __init__(self, rows: DiskRows, prefix: bytes) -> None:
        self._rows, self._prefix = rows, prefix

    def __getitem__(self, key: bytes) -> bytes:
        """Return a row."""
        value = self._rows.get(self._prefix + key)
        if value is None:
            raise KeyError(key)
        return value

    def get(self, key: bytes, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
        """Return a row or the default: without the exception, which is how new rows begin."""
        value = self._rows.get(self._prefix + key)
        return default if value is None else value

    def __contains__(self, key: object) -> bool:
        """Tell whether there is a row."""
        return isinstance(key, bytes) and self._rows.get(self._prefix + key) is not None

    def __setitem__(self, key: bytes, value: bytes) -> None:
        """Set a row."""
        self._rows.put(self._prefix + key, value)

    def __delitem__(self, key: bytes) -> None:
        """Delete a row."""
        if key not in self:
            raise KeyError(key)
        self._rows.put(self._prefix + key, None)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the keys; reads the whole table."""
        return (key for key, _ in self._rows.items(self._prefix))

    def __len__(self) -> int:
        """Return the number of rows; reads the whole table."""
        return sum(1 for _ in self)


class MemoryTable(dict[bytes, bytes]):
    """One table in memory and on the disk."""

    def __init__(self, rows: DiskRows, prefix: bytes) -> None:
        super().__init__(rows.items(prefix))
        self._rows, self._prefix = rows, prefix

    def __setitem__(self, key: bytes, value: bytes) -> None:
        """Set a row."""
        super().__setitem__(key, value)
        self._rows.put(self._prefix + key, value)

    def __delitem__(self, key: bytes) -> None:
        """Delete a row."""
        super().__delitem__(key)
        self._rows.put(self._prefix + key, None)

    def pop(self, key: bytes, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
        """Delete a row if there is one; return it."""
        value = super().pop(key, default)
        self._rows.put(self._prefix + key, None)
        return value


def _options() -> Options:
    blocks = BlockBasedOptions()
    blocks.set_bloom_filter(10, block_based=False)  # a new row is looked for before it is made
    blocks.set_block_cache(Cache(32 << 20))
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(blocks)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(32 << 20)
    return options


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
