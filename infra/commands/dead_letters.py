"""Dead letters as values: which are open, which were retried or dropped. Pure.

A resolution is a record in `dlq.v1` as well: same source coordinates, header `resolution`
(`retried` or `dropped`), no value. So the topic alone tells what is left to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from infra.commands.publishing import Outbound
from schemas.topics import DEAD_LETTER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from infra.commands.log_reader import LogRecord

RESOLUTION = "resolution"
RETRIED, DROPPED = "retried", "dropped"
ORIGINAL = "orig_"
PREVIEW_BYTES = 2_000


class Source(NamedTuple):
    """Where ingest read what it couldn't read: the identity of a dead letter."""

    topic: str
    partition: int
    offset: int

    def text(self) -> str:
        """Return `topic:partition:offset`, as commands take it."""
        return f"{self.topic}:{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One input that couldn't be read, without its content: a million of them may be open.

    Args:
        source: Where it was read.
        reason: One of `schemas.errors.REASONS`.
        path: Where in the event, dotted; may be empty.
        detail: One sentence.
        partition: Of the dead letter itself, in `dlq.v1`.
        offset: Likewise.
        timestamp_ms: When it was written, UTC ms.
        size: Of the original value, bytes.
    """

    source: Source
    reason: str
    path: str
    detail: str
    partition: int
    offset: int
    timestamp_ms: int
    size: int

    def resolution(self, how: str) -> Outbound:
        """Return the record of `dlq.v1` that settles this letter.

        Args:
            how: `retried` or `dropped`.
        """
        headers = [
            (RESOLUTION, how.encode()),
            ("source_topic", self.source.topic.encode()),
            ("source_partition", str(self.source.partition).encode()),
            ("source_offset", str(self.source.offset).encode()),
        ]
        return Outbound(DEAD_LETTER, self.source.topic.encode(), None, headers)

    def as_json(self) -> dict[str, object]:
        """Return the letter for programs."""
        return {
            "source": self.source.text(),
            "reason": self.reason,
            "path": self.path,
            "detail": self.detail,
            "dlq_offset": self.offset,
            "timestamp_ms": self.timestamp_ms,
            "bytes": self.size,
        }


@dataclass(frozen=True, slots=True)
class OpenedLetter:
    """A dead letter with its content.

    Args:
        letter: Where it is from and what is wrong with it.
        key: Original key.
        value: Original bytes.
        headers: Original headers.
    """

    letter: DeadLetter
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def original(self) -> Outbound:
        """Return the record as upstream wrote it: bytes, key and headers, so its id too."""
        return Outbound(self.letter.source.topic, self.key, self.value, list(self.headers))

    def as_json(self) -> dict[str, object]:
        """Return the letter for programs, its bytes and headers as text."""
        text = (self.value or b"")[:PREVIEW_BYTES].decode(errors="backslashreplace")
        return {
            **self.letter.as_json(),
            "key": None if self.key is None else self.key.decode(errors="replace"),
            "headers": [[n, v.decode(errors="replace")] for n, v in self.headers],
            "value": None if self.value is None else text,
        }


def parse(record: LogRecord) -> OpenedLetter | None:
    """Return the dead letter in a record of `dlq.v1`; None for a resolution or a foreign record."""
    headers = dict(record.headers)
    source = _source(headers)
    if RESOLUTION in headers or source is None:
        return None
    return OpenedLetter(
        DeadLetter(
            source=source,
            reason=_text(headers, "reason"),
            path=_text(headers, "path"),
            detail=_text(headers, "detail"),
            partition=record.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp_ms,
            size=len(record.value or b""),
        ),
        key=headers.get("source_key"),
        value=record.value,
        headers=tuple(
            (name[len(ORIGINAL) :], value)
            for name, value in record.headers
            if name.startswith(ORIGINAL)
        ),
    )


def opened(records: Iterable[LogRecord], letters: Iterable[DeadLetter]) -> Iterator[OpenedLetter]:
    """Yield the content of some letters, in the order of the records; ends with the last one.

    Args:
        records: Of `dlq.v1`, from `places` on. What has been deleted since is left out.
        letters: Which.
    """
    wanted = {(letter.partition, letter.offset) for letter in letters}
    for record in records:
        place = record.partition, record.offset
        if place in wanted and (letter := parse(record)) is not None:
            yield letter
        wanted.discard(place)
        if not wanted:
            return


def places(letters: Iterable[DeadLetter]) -> dict[int, int]:
    """Return partition of `dlq.v1` → offset of the first of these letters there."""
    first: dict[int, int] = {}
    for letter in letters:
        first[letter.partition] = min(letter.offset, first.get(letter.partition, letter.offset))
    return first


def unresolved(records: Iterable[LogRecord]) -> list[DeadLetter]:
    """Return the letters nobody retried or dropped, oldest first, one per source coordinates.

    Args:
        records: Of `dlq.v1`, in offset order. Ingest may write a letter twice after a crash; a
            letter written again after its resolution stays resolved: it is the same record.
    """
    letters: dict[Source, DeadLetter] = {}
    settled: set[Source] = set()
    for record in records:
        headers = dict(record.headers)
        source = _source(headers)
        if source is None:
            continue
        if RESOLUTION in headers:
            settled.add(source)
            letters.pop(source, None)
        elif source not in settled and (found := parse(record)) is not None:
            letters.setdefault(source, found.letter)
    return list(letters.values())


def matching(
    letters: Iterable[DeadLetter],
    *,
    reason: str | None = None,
    topic: str | None = None,
    sources: frozenset[str] = frozenset(),
) -> list[DeadLetter]:
    """Return the letters that fit all that is given; `sources` are texts of `Source`."""
    return [
        letter
        for letter in letters
        if (reason is None or letter.reason == reason)
        and (topic is None or letter.source.topic == topic)
        and (not sources or letter.source.text() in sources)
    ]


def _source(headers: dict[str, bytes]) -> Source | None:
    try:
        return Source(
            headers["source_topic"].decode(),
            int(headers["source_partition"]),
            int(headers["source_offset"]),
        )
    except (KeyError, ValueError):
        return None


def _text(headers: dict[str, bytes], name: str) -> str:
    return headers.get(name, b"").decode(errors="replace")
