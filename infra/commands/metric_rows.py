"""Metric buckets as rows a person reads: value by the metric's rule, unit, quantiles. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway.http.ports import CatalogueMetric
from schemas.errors import ConfigurationError
from streams.domain.metrics.catalogue import METRICS, RATIOS
from streams.domain.metrics.quantiles import quantile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.derived.metric import MetricPartial
    from streams.domain.metrics.catalogue import Metric, Ratio

Bucket = tuple[int, str]
"""(bucket_ms, member)."""
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Period:
    """Buckets that are shown: those that start in [`start_ms`, `end_ms`)."""

    start_ms: int = -(2**62)
    end_ms: int = 2**62

    def holds(self, bucket_ms: int) -> bool:
        """Tell whether a bucket is shown; the all-time bucket always is."""
        return bucket_ms == 0 or self.start_ms <= bucket_ms < self.end_ms


def listed() -> tuple[CatalogueMetric, ...]:
    """Return the catalogue: the stored metrics, then the ratios."""
    stored = [
        CatalogueMetric(each.name, each.unit, each.grains, each.dimensions, each.description)
        for each in METRICS.values()
    ]
    of_part = {each.name: each for each in stored}
    ratios = [
        replace(of_part[each.part], name=each.name, unit=each.unit, description=each.description)
        for each in RATIOS.values()
    ]
    return (*stored, *ratios)


def period(start: str | None, end: str | None, zone: str) -> Period:
    """Return the period between two dates or times, the second one excluded.

    Args:
        start: ISO 8601 date (its midnight in `zone`) or time; None: from the first bucket.
        end: Likewise; None: to the last bucket.
        zone: IANA name.

    Raises:
        ValueError: a text is neither date nor time.
    """
    whole = Period()
    return Period(
        whole.start_ms if start is None else _instant_ms(start, zone),
        whole.end_ms if end is None else _instant_ms(end, zone),
    )


def rows(
    metric: str,
    grain: str,
    dimension: str,
    buckets: Mapping[str, Mapping[Bucket, MetricPartial]],
    shown: Period,
) -> list[dict[str, Any]]:
    """Return one row per bucket and member, oldest first.

    Args:
        metric: Name in the catalogue; a ratio needs the buckets of both its parts.
        grain: `hour`, `day` or `all`.
        dimension: Empty for the total.
        buckets: Stored metric → (bucket, member) → value with partitions added up.
        shown: Which buckets.
    """
    found = (
        _ratio_rows(RATIOS[metric], buckets)
        if metric in RATIOS
        else _stored_rows(METRICS[metric], buckets.get(metric, {}))
    )
    return [
        {"metric": metric, "grain": grain, "dimension": dimension, **row}
        for row in sorted(found, key=lambda row: (row["bucket_ms"], row["member"]))
        if shown.holds(row["bucket_ms"])
    ]


def names(metric: str | None) -> list[str]:
    """Return the metric asked for, or all.

    Raises:
        ConfigurationError: there is no such metric.
    """
    known = [*METRICS, *RATIOS]
    if metric is None:
        return known
    if metric not in known:
        raise ConfigurationError("metric", f"there is no {metric}; see `daybook metrics list`")
    return [metric]


def broken_down(metric: str | None, by: str) -> list[str]:
    """Return the metrics that are kept by a dimension: the one asked for, or all that are.

    Args:
        metric: Name; None: all.
        by: Dimension; empty: the total, which every metric has.

    Raises:
        ConfigurationError: there is no such metric, or it isn't kept by that.
    """
    asked = names(metric)
    found = [name for name in asked if not by or by in dimensions(name)]
    if not found:
        known = sorted({each for name in asked for each in dimensions(name)})
        of = metric or "any metric"
        raise ConfigurationError("--by", f"{of} has no {by}; it has: {', '.join(known) or 'none'}")
    return found


def dimensions(metric: str) -> tuple[str, ...]:
    """Return what a metric is broken down by; a ratio by what its part is."""
    ratio = RATIOS.get(metric)
    return METRICS[ratio.part if ratio else metric].dimensions


def parts(metric: str) -> tuple[str, ...]:
    """Return the stored metrics a metric is made of."""
    ratio = RATIOS.get(metric)
    return (ratio.part, ratio.rest) if ratio else (metric,)


def bucket_text(bucket_ms: int, grain: str, zone: str) -> str:
    """Return a bucket's name: a date for days, else a time, both in the tenant's zone."""
    if grain == "all":
        return "all"
    start = datetime.fromtimestamp(bucket_ms / 1000, ZoneInfo(zone))
    return start.date().isoformat() if grain == "day" else start.isoformat(timespec="minutes")


def _stored_rows(metric: Metric, buckets: Mapping[Bucket, MetricPartial]) -> list[dict[str, Any]]:
    return [
        {
            "bucket_ms": bucket_ms,
            "member": member,
            "count": partial.count,
            "sum": partial.sum,
            "min": partial.min,
            "max": partial.max,
            "value": presented(metric, partial),
            "unit": metric.unit,
            **_quantiles(metric, partial),
        }
        for (bucket_ms, member), partial in buckets.items()
    ]


def presented(metric: Metric, partial: MetricPartial) -> float | None:
    """Return the value a person expects; None for the mean of nothing."""
    if metric.value == "sum":
        return partial.sum if metric.scale == 1 else partial.sum / metric.scale
    return partial.sum / partial.count / metric.scale if partial.count else None


def _quantiles(metric: Metric, partial: MetricPartial) -> dict[str, float | None]:
    if not metric.quantiles:
        return {}
    read = {name: quantile(partial.sketch, q) for name, q in QUANTILES.items()}
    return {name: None if v is None else v / metric.scale for name, v in read.items()}


def _ratio_rows(
    ratio: Ratio, buckets: Mapping[str, Mapping[Bucket, MetricPartial]]
) -> list[dict[str, Any]]:
    part, rest = buckets.get(ratio.part, {}), buckets.get(ratio.rest, {})
    found = []
    for bucket_ms, member in sorted({*part, *rest}):
        one = part[bucket_ms, member].count if (bucket_ms, member) in part else 0
        other = rest[bucket_ms, member].count if (bucket_ms, member) in rest else 0
        total = one + other
        found.append(
            {
                "bucket_ms": bucket_ms,
                "member": member,
                "count": total,
                "value": one / total if total else None,
                "unit": ratio.unit,
            }
        )
    return found


def _instant_ms(text: str, zone: str) -> int:
    try:
        moment = datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return int(moment.astimezone(UTC).timestamp() * 1000)
