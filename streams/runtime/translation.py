"""Upstream record → journal records or a dead letter. Pure: the clock is an argument."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.cloudevents import read, to_entry
from schemas.codec import encode_entry
from schemas.definitions.applied import DefinitionApplied
from schemas.errors import InvalidEvent
from schemas.journal import Entry, journal_key
from schemas.partitioner import partition_of
from schemas.topics import DEAD_LETTER, JOURNAL

MAX_ENTRY_BYTES = 1_040_000
"""The journal's record limit (Kafka's default, 1,048,588) less room for key and framing."""

Headers = Sequence[tuple[str, bytes]]


class Source(NamedTuple):
    """One upstream record.

    Args:
        topic: Source topic.
        partition: Source partition.
        offset: Source offset.
        key: As upstream wrote it.
        value: Its bytes; None for a tombstone.
        headers: Name and value; names may repeat.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Outgoing(NamedTuple):
    """One record to write.

    Args:
        topic: `journal.v1` or `dlq.v1`.
        partition: Where to.
        key: Kafka key.
        value: Bytes; None only for the dead letter of a tombstone.
        headers: Name and value.
    """

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: list[tuple[str, str | bytes | None]] | None = None


def translate(source: Source, *, now_ms: int, partitions: int, origin: str = "") -> list[Outgoing]:
    """Turn one upstream record into what ingest writes for it.

    Args:
        source: The record.
        now_ms: Wall clock, UTC ms; stamped as `recorded_ms`, and judges `time_in_future`.
        partitions: Of the journal.
        origin: Name the source's offsets are counted under; empty: its topic.

    Returns:
        One journal record; for reference data and definitions one per journal partition, of which
        only the subject's home counts as the event.

    Raises:
        InvalidEvent: It can't be read; see `dead_letter`.
    """
    received = read(source.headers, source.value, now_ms=now_ms)
    entry = to_entry(
        received,
        recorded_ms=now_ms,
        topic=origin or source.topic,
        partition=source.partition,
        offset=source.offset,
    )
    key = journal_key(entry.tenant, entry.subject)
    home = partition_of(key, partitions)
    event = received.event
    if not (event.REFERENCE or isinstance(event, DefinitionApplied)):
        return [_journal_record(entry, key, home)]
    return [
        _journal_record(entry._replace(copy=partition != home), key, partition)
        for partition in range(partitions)
    ]


def _journal_record(entry: Entry, key: bytes, partition: int) -> Outgoing:
    value = encode_entry(entry)
    if len(value) > MAX_ENTRY_BYTES:
        raise InvalidEvent("too_large", "", f"the journal entry would have {len(value)} bytes")
    return Outgoing(JOURNAL, partition, key, value)


def dead_letter(source: Source, error: InvalidEvent) -> Outgoing:
    """Return the dead letter of a record: its own bytes, and what was wrong in the headers.

    Headers: `reason`, `path`, `detail`, `source_topic`, `source_partition`, `source_offset`,
    `source_key` unless it had none, and each original header as `orig_<name>`.
    """
    headers: list[tuple[str, str | bytes | None]] = [
        ("reason", error.reason.encode()),
        ("path", error.path.encode(errors="replace")),
        ("detail", error.detail.encode(errors="replace")),
        ("source_topic", source.topic.encode()),
        ("source_partition", str(source.partition).encode()),
        ("source_offset", str(source.offset).encode()),
    ]
    if source.key is not None:
        headers.append(("source_key", source.key))
    headers += [(f"orig_{name}", value) for name, value in source.headers]
    return Outgoing(DEAD_LETTER, 0, source.topic.encode(), source.value, headers)
