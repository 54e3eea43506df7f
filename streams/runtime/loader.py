"""Reading one partition of a log from its start to its end: how a changelog becomes state."""

import time
from collections.abc import Callable, Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import CorruptLog
from streams.runtime.config import ClientConfig

FETCH_RECORDS = 20_000
FETCH_WAIT_S = 0.05
"""`consume` waits all of this unless `FETCH_RECORDS` arrive, so it is short."""


def reader(client: ClientConfig, **options: str | int | bool) -> Consumer:
    """Return a throw-away consumer of committed records; it joins no group and commits nothing.

    Args:
        client: `bootstrap.servers` and what else every client needs.
        options: librdkafka settings to override, with `_` for `.`.
    """
    return Consumer({
        **client,
        "group.id": "daybook-reader",
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 50,
        "queued.max.messages.kbytes": 65_536,
        "check.crcs": False,
        **{name.replace("_", "."): value for name, value in options.items()},
    })  # fmt: skip


def bounds(consumer: Consumer, topic: str, partition: int, timeout_s: float) -> tuple[int, int]:
    """Return (first offset, one past the last) as the broker has them now.

    Raises:
        KafkaException: The broker doesn't answer in time.
    """
    low, high = consumer.get_watermark_offsets(
        TopicPartition(topic, partition), timeout=timeout_s, cached=False
    )
    return low, high


def read_to_end(
    consumer: Consumer, topic: str, partition: int, *, start: int, stall_s: float = 60.0
) -> Iterator[Message]:
    """Yield the records of one partition from `start` up to its end, then stop.

    The end is where the *position* reaches it (`_PARTITION_EOF`), the only way that is right behind
    commit markers, aborted transactions and compaction: no record has offset `end - 1` there.
    The consumer must be thrown away afterwards: EOF events and `consume()` corrupt its position.

    Args:
        consumer: From `reader`.
        topic: Topic.
        partition: Partition.
        start: First offset to read.
        stall_s: Longest silence of the broker.

    Raises:
        CorruptLog: `start` is not in the log any more.
        KafkaException: Any other error of the client, or a silence longer than `stall_s`.
    """
    consumer.assign([TopicPartition(topic, partition, start)])
    heard = time.monotonic()
    while True:
        messages = consumer.consume(FETCH_RECORDS, FETCH_WAIT_S)
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > stall_s:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"reading {topic} stalled"))  # noqa: SLF001
        for message in messages:
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                return
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001
                raise CorruptLog(f"{topic} partition {partition}: offset {start} is gone: {error}")
            else:
                raise KafkaException(error)


def changelog_rows(
    consumer: Consumer,
    topic: str,
    partition: int,
    start: int,
    *,
    look: Callable[[bytes, Message], None] | None = None,
) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield one partition of a changelog as (key, value) in log order; None deletes.

    Args:
        consumer: From `reader`.
        topic: Changelog topic.
        partition: Partition.
        start: First offset to read.
        look: Shown every record with its key, for what a row doesn't hold.
    """
    for message in read_to_end(consumer, topic, partition, start=start):
        key = message.key()
        if not isinstance(key, bytes):
            raise CorruptLog(f"{topic} partition {partition}: no key at offset {message.offset()}")
        if look is not None:
            look(key, message)
        value = message.value()
        yield key, value if isinstance(value, bytes) else None
