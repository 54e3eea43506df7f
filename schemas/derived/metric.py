"""`derived.metric.v1`: the absolute value of one metric bucket of one journal partition."""

from typing import NamedTuple

GRAINS = ("hour", "day", "all")
ALL_TIME_MS = 0
"""The bucket of grain `all`."""


class MetricKey(NamedTuple):
    """Which bucket. The Kafka key and the Valkey field are `text()`.

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
