"""A recorded journal, and what the fold made of it: digests of every batch and of the state."""

import gzip
import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from streams.domain.effects import Effects
from streams.domain.fold import fold
from streams.domain.state import State
from tests.streams.journal_builder import Record

GOLDEN = Path(__file__).parent / "golden"
JOURNAL = GOLDEN / "journal.bin.gz"
FOLDED = GOLDEN / "folded.json"

BATCHES = (20, 500)
"""Entries per batch of the folds whose digests are kept."""

_LENGTH = struct.Struct(">I")


def read_journal() -> list[Record]:
    """Return the recorded journal of one partition: each value after its length (4 bytes)."""
    found: list[Record] = []
    raw, at = gzip.decompress(JOURNAL.read_bytes()), 0
    while at < len(raw):
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        found.append(Record(len(found), raw[at : at + length]))
        at += length
    return found


def write_journal(values: Iterable[bytes]) -> None:
    """Record a journal."""
    raw = b"".join(_LENGTH.pack(len(value)) + value for value in values)
    JOURNAL.write_bytes(gzip.compress(raw, mtime=0))


def folded(records: Sequence[Record], size: int) -> dict[str, Any]:
    """Fold records in batches of `size`; return what is compared.

    Returns:
        `state`: digest of the sorted rows. `batches`: of each batch the digests of its changelog
        rows, metric buckets and effects, in their order.
    """
    state = State()
    said: list[str] = []
    for start in range(0, len(records), size):
        effects = fold(state, records[start : start + size], partition=0)
        state.apply(effects)
        said.append(_digests(effects))
    return {"state": _digest(sorted(state.rows())), "batches": said}


def read_folded() -> dict[str, Any]:
    """Return what the fold made of the journal when the digests were written, by batch size."""
    found: dict[str, Any] = json.loads(FOLDED.read_text(encoding="utf-8"))
    return found


def _digests(effects: Effects) -> str:
    parts = (effects.rows, effects.metrics, effects.effects)
    return " ".join(_digest(part) for part in parts)


def _digest(items: Iterable[tuple[bytes | str | None, ...]]) -> str:
    sha = hashlib.sha256()
    for item in items:
        for field in _bytes(item):
            sha.update(_LENGTH.pack(len(field)))
            sha.update(field)
    return sha.hexdigest()[:16]


def _bytes(item: tuple[bytes | str | None, ...]) -> Iterator[bytes]:
    for field in item:
        if field is None:
            yield b"-"
        else:
            yield b"=" + (field.encode() if isinstance(field, str) else field)
