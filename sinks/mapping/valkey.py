"""How current metric values lie in Valkey, and which of them are written.

One hash per (tenant, metric, grain, dimension): `db:{generation}:{tenant}:{metric}:{grain}:
{dimension}`; one field per `bucket_ms|member|partition`; the value is the `MetricPartial` as the
fold published it. `db:{generation}:pos` says how far each partition was applied, `db:live` which
generation people see.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

DAY_S = 86_400
HOUR_TTL_S = 401 * DAY_S
"""An hour hash that nobody wrote for so long has only closed buckets: the longest hour retention a
tenant can set, and a day. Buckets that close earlier go by their tombstones."""
TOPIC_FIELD = b"topic"
REBUILDING_FIELD = b"rebuilding"
LIVE_KEY = b"db:live"
DELETED = b""
"""Stands for a tombstone; no partial is empty."""

Place = tuple[bytes, bytes]
"""(hash, field)."""


class Position(NamedTuple):
    """How far one partition is in Valkey.

    Args:
        next_offset: Of `derived.metric.v1`: everything below it was applied.
        journal_offset: Highest journal offset among the applied values; -1: none.
    """

    next_offset: int
    journal_offset: int = -1

    def text(self) -> bytes:
        """Return `next_offset:journal_offset`."""
        return b"%d:%d" % self

    @classmethod
    def parse(cls, text: bytes) -> "Position":
        """Read `text()` back."""
        following, journal = text.split(b":")
        return cls(int(following), int(journal))


class Pointer(NamedTuple):
    """Which generation people see.

    Args:
        turn: Which promotion made it so, counted from 1; a later one replaces an earlier one.
        generation: The live one.
    """

    turn: int
    generation: int

    @classmethod
    def parse(cls, text: bytes) -> "Pointer":
        """Read `turn:generation`.

        >>> Pointer.parse(b"3:2")
        Pointer(turn=3, generation=2)
        """
        turn, generation = text.split(b":")
        return cls(int(turn), int(generation))


def position_key(generation: int) -> bytes:
    """Return the key of the positions of one generation."""
    return b"db:%d:pos" % generation


def hash_key(generation: int, tenant: str, metric: str, grain: str, dimension: str) -> bytes:
    """Return the key of one hash; tenant and metric hold no colon, the dimension is last."""
    return f"db:{generation}:{tenant}:{metric}:{grain}:{dimension}".encode()


def place(generation: int, partition: int, key: bytes) -> Place:
    """Return where the value of one bucket goes; `key` is that of its row."""
    tenant, metric, grain, bucket, dimension, member = key.split(b"|", 5)
    name = b"db:%d:%b:%b:%b:%b" % (generation, tenant, metric, grain, dimension)
    return name, b"%b|%b|%d" % (bucket, member, partition)


def parse_field(name: bytes) -> tuple[int, str, int]:
    """Return (bucket_ms, member, partition) of a field; the member may hold any character."""
    bucket, rest = name.split(b"|", 1)
    member, partition = rest.rsplit(b"|", 1)
    return int(bucket), member.decode(), int(partition)


def is_hourly(key: bytes) -> bool:
    """Whether a hash holds hour buckets."""
    return key.split(b":", 5)[4] == b"hour"


@dataclass(slots=True)
class Feed:
    """One partition on its way: conflates what arrives between two flushes.

    Args:
        applied: What Valkey holds; None before the first write.
        position: What it will hold after the next flush.
        values: Newest value per place, tombstones as `DELETED`.
        waiting_since: Time of the first unwritten change, s, monotonic.
        conflated: Values that were replaced before they were written.
    """

    applied: Position | None
    position: Position
    values: dict[Place, bytes] = field(default_factory=dict)
    waiting_since: float = 0.0
    conflated: int = 0

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.applied != self.position

    def put(self, offset: int, where: Place, value: bytes, journal_offset: int, now: float) -> None:
        """Take one record; the topic's order makes the last one of a place the newest."""
        if not self.values:
            self.waiting_since = now
        if where in self.values:
            self.conflated += 1
        self.values[where] = value
        self.position = Position(offset + 1, max(self.position.journal_offset, journal_offset))

    def skip_to(self, offset: int, now: float) -> None:
        """Move over records that give no value, and markers."""
        if offset > self.position.next_offset:
            if not self.changed:
                self.waiting_since = now
            self.position = self.position._replace(next_offset=offset)

    def due(self, now: float, flush_s: float, position_s: float) -> bool:
        """Whether to write: values soon, a position alone seldom."""
        wait = flush_s if self.values else position_s
        return self.changed and now - self.waiting_since >= wait

    def written(self) -> None:
        """Note that a flush succeeded."""
        self.applied = self.position
        self.values = {}


class Call(NamedTuple):
    """Arguments of one run of the script.

    Args:
        keys: The position's key, then hashes, hourly ones first.
        args: partition, position expected, position after, how many hashes are hourly, their
            time to live (s), then (index of the hash in `keys` from 1, field, value) each.
    """

    keys: list[bytes]
    args: list[bytes | int]


def calls(feed: Feed, generation: int, partition: int, most: int) -> Iterator[Call]:
    """Yield the script runs that write a feed, at most `most` values each.

    The position moves with the last one: a crash in between repeats the range, which is harmless.
    """
    expected = feed.applied.text() if feed.applied else b""
    items = sorted(feed.values.items(), key=lambda item: (not is_hourly(item[0][0]), item[0][0]))
    for start in range(0, max(1, len(items)), most):
        chunk = items[start : start + most]
        last = start + most >= len(items)
        index: dict[bytes, int] = {}
        for (name, _), _value in chunk:
            index.setdefault(name, len(index) + 2)
        args: list[bytes | int] = [
            partition,
            expected,
            feed.position.text() if last else expected,
            sum(map(is_hourly, index)),
            HOUR_TTL_S,
        ]
        for (name, where), value in chunk:
            args += (index[name], where, value)
        yield Call([position_key(generation), *index], args)
