"""Reading topics for people: bounded from an offset to the end, or following it. Commits nothing.

Consumers are thrown away after use; they poll, so that offsets stay right behind commit markers.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from infra.commands.connect import RETRY_AFTER_S, TIMEOUT_S, answering, metadata, reader
from schemas.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka import Consumer, Message

    from infra.settings import Settings

STALL_S = 30.0


class LogRecord(NamedTuple):
    """One record as it is in the log.

    Args:
        topic: Topic.
        partition: Partition.
        offset: Offset.
        timestamp_ms: Of the broker or producer, UTC ms.
        key: Bytes or None.
        value: Bytes or None (a tombstone).
        headers: In order; names may repeat.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def ends(settings: Settings, topic: str) -> dict[int, tuple[int, int]]:
    """Return partition → (first offset, offset after the last) of a topic.

    Raises:
        ConfigurationError: there is no such topic.
        Unavailable: the broker doesn't answer.
    """
    consumer = reader(settings)
    try:
        return watermarks(consumer, settings, topic)
    finally:
        consumer.close()


def read(
    settings: Settings, topic: str, start: Mapping[int, int] | None = None
) -> Iterator[LogRecord]:
    """Yield every committed record from `start` to the end as it is now, partitions interleaved.

    Args:
        settings: Where the broker is.
        topic: Which topic.
        start: Partition → first offset; only these partitions are read. Default: all from their
            first offset.

    Raises:
        ConfigurationError: there is no such topic.
        Unavailable: the broker stopped answering.
    """
    consumer = reader(settings)
    try:
        marks = watermarks(consumer, settings, topic)
        first = {p: low for p, (low, _) in marks.items()} if start is None else dict(start)
        left = {p for p, offset in first.items() if offset < marks[p][1]}
        if left:
            assign(consumer, topic, {p: max(first[p], marks[p][0]) for p in left})
        yield from _drain(consumer, left)
    finally:
        consumer.close()


def follow(
    settings: Settings,
    topic: str,
    *,
    from_beginning: bool = False,
    start: Mapping[int, int] | None = None,
    idle_s: float = 0.0,
) -> Iterator[LogRecord]:
    """Yield records as they come, without end.

    Args:
        settings: Where the broker is.
        topic: Which topic.
        from_beginning: Whether to begin with the first record kept, else with the next one.
        start: Partition → first offset, instead.
        idle_s: End after so many seconds without a record; 0: never.
    """
    consumer = reader(settings)
    try:
        marks = watermarks(consumer, settings, topic)
        first = start or {p: m[0 if from_beginning else 1] for p, m in marks.items()}
        assign(consumer, topic, first)
        heard = time.monotonic()
        while True:
            message = consumer.poll(0.2)
            if message is None or message.error() is not None:
                _raise_if_fatal(message)
                if idle_s and time.monotonic() - heard > idle_s:
                    return
                continue
            heard = time.monotonic()
            yield to_record(message)
    finally:
        consumer.close()


def is_end(message: Message) -> bool:
    """Tell whether this isn't a record but the news that a partition has been read to its end."""
    from confluent_kafka import KafkaError

    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001 - its name


def _drain(consumer: Consumer, left: set[int]) -> Iterator[LogRecord]:
    heard = time.monotonic()
    while left:
        message = consumer.poll(0.5)
        if message is None:
            if time.monotonic() - heard > STALL_S:
                raise Unavailable("Kafka", RETRY_AFTER_S, "reading stalled")
            continue
        heard = time.monotonic()
        if message.error() is None:
            yield to_record(message)
        elif is_end(message):
            left.discard(_partition(message))
        else:
            _raise_if_fatal(message)


def watermarks(consumer: Consumer, settings: Settings, topic: str) -> dict[int, tuple[int, int]]:
    """Return partition → (first offset, offset after the last), asked with this consumer.

    Raises:
        ConfigurationError: there is no such topic.
        Unavailable: the broker doesn't answer.
    """
    from confluent_kafka import TopicPartition

    known = metadata(consumer, settings).topics
    if topic not in known:
        raise ConfigurationError(
            "topic", f"there is no {topic}; `daybook topics describe` lists all"
        )
    with answering("Kafka"):
        return {
            p: consumer.get_watermark_offsets(
                TopicPartition(topic, p), timeout=TIMEOUT_S, cached=False
            )
            for p in sorted(known[topic].partitions)
        }


def assign(consumer: Consumer, topic: str, offsets: Mapping[int, int]) -> None:
    """Let a consumer read these partitions from these offsets on."""
    from confluent_kafka import TopicPartition

    consumer.assign([TopicPartition(topic, p, offset) for p, offset in offsets.items()])


def to_record(message: Message) -> LogRecord:
    """Return a polled message as a value."""
    value, key = message.value(), message.key()
    return LogRecord(
        str(message.topic()),
        _partition(message),
        int(message.offset() or 0),
        int(message.timestamp()[1]),
        key.encode() if isinstance(key, str) else key,
        value.encode() if isinstance(value, str) else value,
        _headers(message),
    )


def _headers(message: Message) -> tuple[tuple[str, bytes], ...]:
    found = message.headers()
    if not isinstance(found, list):  # none; librdkafka gives a list of pairs otherwise
        return ()
    return tuple((str(name), raw if isinstance(raw, bytes) else b"") for name, raw in found)


def _partition(message: Message) -> int:
    return int(message.partition() or 0)


def _raise_if_fatal(message: Message | None) -> None:
    """Ignore what passes by itself (an end, a broker that is away for a moment).

    Raises:
        Unavailable: the offset is gone or the client can't go on.
    """
    from confluent_kafka import KafkaError

    error = message.error() if message is not None else None
    if message is None or error is None or is_end(message):
        return
    if error.fatal() or error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - see above
        raise Unavailable("Kafka", RETRY_AFTER_S, error.str())
