"""Kafka as the sinks read it: one client configuration, one way to poll."""

import json
from collections.abc import Iterator, Sequence

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from schemas.errors import ConfigurationError, Unavailable

SESSION_MS = 6_000
POLL_INTERVAL_MS = 900_000
"""Longer than any outage of a store we wait for: while we wait we don't poll."""


def consumer_config(bootstrap: str, group: str, instance: str) -> dict[str, str | int | bool]:
    """Return librdkafka's configuration of a sink's consumer.

    Args:
        bootstrap: Brokers.
        group: Consumer group; its offsets are advisory, each sink keeps its own position.
        instance: Static member id; empty: a dynamic member.
    """
    config: dict[str, str | int | bool] = {
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        # A position outside the log must be loud, never a jump to one of its ends.
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        # Eager: every assignment is a whole one. A cooperative rebalance is two, and when all
        # static members die between them, the broker hands the first half out again for good.
        "partition.assignment.strategy": "roundrobin",
        "session.timeout.ms": SESSION_MS,
        "heartbeat.interval.ms": 1_000,
        "max.poll.interval.ms": POLL_INTERVAL_MS,
        "fetch.wait.max.ms": 20,
        "fetch.min.bytes": 1,
        "fetch.queue.backoff.ms": 20,
        "queued.max.messages.kbytes": 32_768,
        "statistics.interval.ms": 1_000,  # for `LogEnds`
    }
    if instance:
        config["group.instance.id"] = instance
    return config


class LogEnds:
    """The end of each log as the consumer last saw it, for readers in other threads.

    librdkafka tells it once a second while `poll` runs. Asking the consumer from another thread
    instead waits for the poll in hand, once per partition: a probe took 30 s on a busy machine.
    """

    def __init__(self) -> None:
        self._ends: dict[tuple[str, int], int] = {}

    def note(self, statistics: str) -> None:
        """Take in librdkafka's statistics (its `stats_cb`)."""
        for topic in json.loads(statistics)["topics"].values():
            for number, partition in topic["partitions"].items():
                # Last stable offset: what a `read_committed` consumer can reach.
                self._ends[topic["topic"], int(number)] = partition["ls_offset"]

    def end(self, topic: str, partition: int) -> int:
        """Return the offset after the last record; negative while unknown."""
        return self._ends.get((topic, partition), -1)


def topic_ids(bootstrap: str, topics: Sequence[str], *, timeout_s: float = 10) -> dict[str, str]:
    """Return topic → Kafka's id of it; a topic created again has another one.

    Raises:
        ConfigurationError: a topic doesn't exist.
        Unavailable: no broker answered.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap})
    futures = admin.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)
    ids = {}
    for topic, future in futures.items():
        try:
            ids[topic] = str(future.result(timeout=timeout_s + 5).topic_id)
        except KafkaException as error:
            if error.args[0].name() == "UNKNOWN_TOPIC_OR_PART":
                problem = f"{topic} doesn't exist; run `daybook topics create`"
                raise ConfigurationError("topics", problem) from error
            raise Unavailable("kafka", 1.0, f"{bootstrap}: {error.args[0].str()}") from error
    return ids


def bounds(consumer: Consumer, part: TopicPartition, *, timeout_s: float = 10) -> tuple[int, int]:
    """Return the first offset of a partition and the one after the last, as the broker has them.

    For callbacks of `poll`: what librdkafka's client raises inside one comes out of `poll` as a
    bare `KafkaError`, which is no `Exception` and ended the process without a word.

    Raises:
        Unavailable: the broker went away.
    """
    try:
        low, high = consumer.get_watermark_offsets(part, timeout=timeout_s)
    except KafkaException as error:
        where = f"{part.topic}/{part.partition}"
        raise Unavailable("kafka", 1.0, f"{where}: {error.args[0].str()}") from None
    return low, high


def poll(consumer: Consumer, timeout_s: float, most: int) -> Iterator[Message]:
    """Yield what has arrived: waits for the first message, then takes what is there.

    Never `consume()`: together with `enable.partition.eof` it leaves the position one too high
    after an EOF event, and the next rebalance then skips a record in silence (librdkafka 2.12;
    tests/integration/test_sink_positions.py). No pause and resume either: they throw away what
    was prefetched.
    """
    message = consumer.poll(timeout_s)
    while message is not None:
        yield message
        most -= 1
        message = consumer.poll(0) if most > 0 else None


def is_fatal(error: KafkaError) -> bool:
    """Whether the consumer is of no use any more, as when its static member id was taken over.

    librdkafka only reports it: a process that reads on would stay idle for ever.
    """
    fenced = {KafkaError._FATAL, KafkaError._FENCED, KafkaError.FENCED_INSTANCE_ID}  # noqa: SLF001
    return error.fatal() or error.code() in fenced


def coordinates(message: Message) -> tuple[str, int, int]:
    """Return topic, partition and offset; whatever `poll` yields has all three or is an error."""
    # The stubs allow None, for messages that were never sent.
    return message.topic(), message.partition(), message.offset()  # type: ignore[return-value]
