"""Metric buckets of two folds, compared exactly. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from infra.commands.metric_rows import presented
from schemas.derived.metric import GRAINS, MetricKey, MetricPartial, merge_partials
from streams.domain.metrics.catalogue import METRICS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

Sums = dict[MetricKey, MetricPartial]
"""Bucket → its value with the parts of all journal partitions added up."""

_NUMBERS = ("count", "sum", "min", "max", "sketch")
_COARSEST_FIRST = {grain: rank for rank, grain in enumerate(reversed(GRAINS))}
_NOTHING = merge_partials(())


@dataclass(frozen=True, slots=True)
class Choice:
    """Which buckets are compared; what is empty is not asked about.

    Args:
        tenant: The only tenant.
        metrics: The only metrics.
        grains: The only grains.
    """

    tenant: str = ""
    metrics: frozenset[str] = frozenset()
    grains: frozenset[str] = frozenset()

    def holds(self, key: MetricKey) -> bool:
        """Tell whether a bucket is compared."""
        return (
            (not self.tenant or key.tenant == self.tenant)
            and (not self.metrics or key.metric in self.metrics)
            and (not self.grains or key.grain in self.grains)
        )


class Difference(NamedTuple):
    """One bucket whose two values differ.

    Args:
        key: Which.
        before: Its value in the fold compared with; all zero when that has none.
        after: Its value in the other one; likewise.
    """

    key: MetricKey
    before: MetricPartial
    after: MetricPartial

    @property
    def fields(self) -> list[str]:
        """Return the names of the numbers that differ."""
        return [
            name for name in _NUMBERS if getattr(self.before, name) != getattr(self.after, name)
        ]

    @property
    def values(self) -> tuple[float | None, float | None]:
        """Return both values as a person expects them; None: nothing to take a mean of."""
        return value_of(self.key.metric, self.before), value_of(self.key.metric, self.after)

    @property
    def by(self) -> float:
        """Return how much the second value is above the first."""
        before, after = self.values
        return (after or 0) - (before or 0)


@dataclass(slots=True)
class Compared:
    """Result of a comparison.

    Args:
        buckets: How many were compared.
        closed: Hour buckets left out: one of the two has closed them, so the log need not hold
            their values any more.
        differences: Tenant by tenant and metric by metric, coarse buckets first.
    """

    buckets: int = 0
    closed: int = 0
    differences: list[Difference] = field(default_factory=list)


class Total(NamedTuple):
    """One tenant's metric, summed up.

    Args:
        tenant: Tenant.
        metric: Metric.
        before: All-time value in the fold compared with.
        after: In the other one.
        days: Days whose total differs.
        buckets: Buckets that differ, all grains and breakdowns.
    """

    tenant: str
    metric: str
    before: float | None
    after: float | None
    days: int
    buckets: int


def summed(parts: Iterable[tuple[MetricKey, MetricPartial]]) -> Sums:
    """Add up the parts of each bucket."""
    found: dict[MetricKey, list[MetricPartial]] = {}
    for key, partial in parts:
        found.setdefault(key, []).append(partial)
    return {key: merge_partials(partials) for key, partials in found.items()}


def compare(
    before: Mapping[MetricKey, MetricPartial],
    after: Mapping[MetricKey, MetricPartial],
    choice: Choice,
    closed: Collection[MetricKey] = (),
) -> Compared:
    """Compare count, sum, extremes and sketch of every chosen bucket.

    A bucket that one side doesn't have and one that holds nothing are equal: what was counted and
    taken back shows nobody anything. Generation and offset don't count.

    Args:
        before: Values of the fold compared with.
        after: Values of the other one.
        choice: Which buckets.
        closed: Buckets to leave out.
    """
    result = Compared()
    out = set(closed)
    for key in before.keys() | after.keys():
        if not choice.holds(key):
            continue
        if key in out:
            result.closed += 1
            continue
        result.buckets += 1
        one, other = before.get(key, _NOTHING), after.get(key, _NOTHING)
        if one[2:] != other[2:]:
            result.differences.append(Difference(key, one, other))
    result.differences.sort(key=_order)
    return result


def totals(
    compared: Compared,
    before: Mapping[MetricKey, MetricPartial],
    after: Mapping[MetricKey, MetricPartial],
) -> list[Total]:
    """Return one line per tenant and metric that differs anywhere."""
    grouped: dict[tuple[str, str], list[Difference]] = {}
    for each in compared.differences:
        grouped.setdefault((each.key.tenant, each.key.metric), []).append(each)
    found = []
    for (tenant, metric), differences in grouped.items():
        key = MetricKey(tenant, metric, "all", 0, "", "")
        days = sum(d.key.grain == "day" and not d.key.dimension for d in differences)
        was, now = (value_of(metric, side.get(key, _NOTHING)) for side in (before, after))
        found.append(Total(tenant, metric, was, now, days, len(differences)))
    return found


def value_of(metric: str, partial: MetricPartial) -> float | None:
    """Return the value a person expects; of a metric this version doesn't know, the sum."""
    known = METRICS.get(metric)
    return partial.sum if known is None else presented(known, partial)


def _order(difference: Difference) -> tuple[object, ...]:
    key = difference.key
    return (
        key.tenant,
        key.metric,
        _COARSEST_FIRST.get(key.grain, len(GRAINS)),
        key.dimension,
        key.bucket_ms,
        key.member,
    )
