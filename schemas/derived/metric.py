"""`derived.metric.v1`: the absolute value of one metric bucket of one journal partition."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.errors import CorruptLog

GRAINS = ("hour", "day", "all")
ALL_TIME_MS = 0
"""The bucket of grain `all`."""


class MetricKey(NamedTuple):
    """Which bucket. `text()` is the key of its row in the fold's tables.

    Args:
        tenant: Tenant id.
        metric: Name in the catalogue, e.g. `deals_won`.
        grain: `hour`, `day` (in the tenant's time zone) or `all`.
        bucket_ms: Start of the bucket, UTC ms; 0 for `all`.
        dimension: Empty for the tenant's total, else `agent`, `team`, `region`, `product` …
        member: Empty for the total, else the agent's id and so on; may hold any character.
    """

    tenant: str
    metric: str
    grain: str
    bucket_ms: int
    dimension: str
    member: str

    def text(self) -> str:
        """Return `tenant|metric|grain|bucket_ms|dimension|member`."""
        return "|".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> "MetricKey":
        """Read `text()` back; the member is last because it may hold `|`."""
        tenant, metric, grain, bucket, dimension, member = text.split("|", 5)
        return cls(tenant, metric, grain, int(bucket), dimension, member)


def published_key(generation: int, row_key: bytes) -> bytes:
    """Return the Kafka key of a bucket on `derived.metric.v1`: `<generation>|` and the row's key.

    Generations share the topic: without theirs in the key, compaction would keep one's value only,
    and a tombstone would not say whose bucket it closes. The changelog is of one generation and
    has the row's key alone.

    >>> published_key(2, b"acme|deals_won|all|0||")
    b'2|acme|deals_won|all|0||'
    """
    return b"%d|%b" % (generation, row_key)


def split_published(key: bytes) -> tuple[int, bytes]:
    """Return (generation, the row's key) of a Kafka key.

    Raises:
        CorruptLog: It isn't of that form.

    >>> split_published(b"2|acme|deals_won|all|0||")
    (2, b'acme|deals_won|all|0||')
    """
    number, separator, row_key = key.partition(b"|")
    if not separator or not number.isdigit():
        raise CorruptLog(f"the key {key.decode(errors='replace')!r} is none of a metric")
    return int(number), row_key


class MetricPartial(NamedTuple):
    """An accumulator as it travels and as it is kept; mergeable by adding up.

    All numbers are integers: money in minor units, durations in milliseconds.

    Args:
        generation: Of the fold that wrote it; readers show the live one only.
        offset: Journal offset this value stands at; the newest wins.
        count: Observations.
        sum: Of the observations.
        min: Smallest; 0 when `count` is 0.
        max: Largest; 0 when `count` is 0.
        sketch: Flat pairs (bin, count) of a DDSketch of 1 % relative accuracy, ascending by bin;
            empty for metrics without quantiles. See docs/adr/0004.
    """

    generation: int
    offset: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls
    sum: int
    min: int
    max: int
    sketch: list[int]


def merge_partials(partials: Iterable[MetricPartial]) -> MetricPartial:
    """Add up the partials of one bucket: those of its journal partitions.

    Associative, commutative, and an empty partial changes nothing, so any grouping gives the same.

    Args:
        partials: Of one generation.

    Returns:
        `offset` is the highest of all; offsets of different partitions don't compare, so it is
        good for nothing but telling whether there was any. Of nothing: all zero, offset -1.
    """
    generation, offset, count, total = 0, -1, 0, 0
    low: int | None = None
    high: int | None = None
    bins: dict[int, int] = {}
    for partial in partials:
        generation = max(generation, partial.generation)
        offset = max(offset, partial.offset)
        count += partial.count
        total += partial.sum
        if partial.count > 0:
            low = partial.min if low is None else min(low, partial.min)
            high = partial.max if high is None else max(high, partial.max)
        pairs = iter(partial.sketch)
        for index, number in zip(pairs, pairs, strict=True):
            bins[index] = bins.get(index, 0) + number
    sketch = [number for pair in sorted(bins.items()) if pair[1] for number in pair]
    return MetricPartial(generation, offset, count, total, low or 0, high or 0, sketch)
