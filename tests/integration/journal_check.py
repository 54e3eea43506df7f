"""Compares what workers left in Kafka with an offline fold: equal bytes, no repeat."""

from collections.abc import Iterator
from typing import NamedTuple, cast

from confluent_kafka import Message

from schemas.codec import decode_partial
from schemas.derived.metric import split_published
from schemas.topics import EFFECT, JOURNAL, METRIC, state_topic
from streams.domain.fold import fold
from streams.domain.state import State
from streams.domain.table import HEAD_KEY
from streams.runtime.loader import bounds, read_to_end, reader


class Kept(NamedTuple):
    """One record of a log."""

    offset: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    is_tombstone: bool

    @property
    def row(self) -> tuple[bytes, bytes | None]:
        """Key and value as a changelog record."""
        return self.key or b"", None if self.is_tombstone else self.value


def read_log(
    kafka: str, topic: str, partition: int, isolation: str = "read_committed"
) -> list[Kept]:
    """Return everything in a partition now."""
    consumer = reader({"bootstrap.servers": kafka}, isolation_level=isolation)
    try:
        low, _ = bounds(consumer, topic, partition, 30)
        return list(_kept(read_to_end(consumer, topic, partition, start=low)))
    finally:
        consumer.close()


def _kept(messages: Iterator[Message]) -> Iterator[Kept]:
    for message in messages:
        key, value, offset = message.key(), message.value(), message.offset()
        assert not isinstance(key, str)
        assert not isinstance(value, str)
        pairs = cast("list[tuple[str, bytes]]", message.headers() or [])
        yield Kept(offset or 0, key, value or b"", pairs, is_tombstone=value is None)


def applied(kafka: str, app: str, partition: int) -> int:
    """Return the journal offset committed in a partition; -1 for none."""
    rows = read_log(kafka, state_topic(app), partition)
    return State.load(kept.row for kept in rows).head.applied


def assert_exact(kafka: str, app: str, partitions: int) -> int:
    """Compare state, metrics and effects with one offline fold per partition.

    Returns:
        How many effects there were, so that a test can tell it compared something.
    """
    return sum(_assert_partition_exact(kafka, app, partition) for partition in range(partitions))


def _assert_partition_exact(kafka: str, app: str, partition: int) -> int:
    journal = read_log(kafka, JOURNAL, partition)
    assert [entry.offset for entry in journal] == list(range(len(journal)))
    rows = read_log(kafka, state_topic(app), partition)
    found = State.load(kept.row for kept in rows)
    expected = State()
    effects = fold(expected, journal[: found.head.applied + 1], partition=partition)
    expected.apply(effects)
    assert dict(found.rows()).keys() == dict(expected.rows()).keys()
    assert _without_offsets(found) == _without_offsets(expected)
    told = [
        (kept.key, dict(kept.headers)["kind"].decode(), kept.value)
        for kept in read_log(kafka, EFFECT, partition)
    ]
    assert told == effects.effects
    latest = {
        split_published(key): value
        for key, value in (kept.row for kept in read_log(kafka, METRIC, partition))
    }
    assert {k: v and decode_partial(v)._replace(offset=0) for k, v in latest.items()} == {
        (1, k): v and decode_partial(v)._replace(offset=0) for k, v in effects.metrics
    }
    return len(told)


def _without_offsets(state: State) -> dict[bytes, object]:
    """Return all rows; a metric's offset tells where its batch was cut, which may differ."""
    return {
        key: decode_partial(value)._replace(offset=0) if key[:1] in b"mh" else value
        for key, value in state.rows()
        if key != HEAD_KEY
    } | {HEAD_KEY: state.head}
