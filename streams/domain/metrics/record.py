"""From one fact to the metric buckets it changes."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.derived.effect import Fact
from schemas.derived.metric import ALL_TIME_MS
from schemas.state.rows import TenantSettings
from streams.domain.calendar import bucket_starts
from streams.domain.metrics.catalogue import METRICS, Metric


class Observation(NamedTuple):
    """The same change of several buckets: one metric, one grain, all its breakdowns.

    Args:
        start: `tenant|metric|grain|bucket_ms|`; with a member after it the key of a bucket.
        members: `dimension|member` of each bucket.
        hour_ms: Start of the hour when the buckets are ones that close, else None.
        number: See `Accumulator.add`.
        amount: Likewise.
        sketch: Likewise.
    """

    start: str
    members: Sequence[str]
    hour_ms: int | None
    number: int
    amount: int
    sketch: bool


def _by_fact() -> dict[str, list[tuple[Metric, int]]]:
    plan: dict[str, list[tuple[Metric, int]]] = {}
    for metric in METRICS.values():
        for fact, sign in metric.facts.items():
            plan.setdefault(fact, []).append((metric, sign))
    return plan


_PLAN = _by_fact()


def observations(tenant: str, fact: Fact, settings: TenantSettings) -> list[Observation]:
    """Return the buckets a fact changes, in a fixed order.

    Args:
        tenant: Tenant id.
        fact: Its event time decides the buckets; a late one updates its own hour until that is
            closed (`fact.late`), day and all-time always.
        settings: Of the tenant: zone and currency.

    Source: docs/domain/metrics.md.
    """
    plan = _PLAN.get(fact.name)
    if plan is None:
        return []
    hour_ms, day_ms = bucket_starts(fact.ended_ms, settings.timezone)
    found: list[Observation] = []
    for metric, sign in plan:
        amount = metric.measure(fact)
        if amount is None:
            continue
        number = sign * fact.value
        if number == 0:
            amount *= fact.value
        members = _members(metric, fact, settings)
        for grain in metric.grains:
            closing = None
            if grain == "all":
                bucket_ms = ALL_TIME_MS
            elif grain == "day":
                bucket_ms = day_ms
            elif fact.late:
                continue
            else:
                bucket_ms = closing = hour_ms
            start = f"{tenant}|{metric.name}|{grain}|{bucket_ms}|"
            observed = (start, members, closing, number, amount, metric.quantiles)
            found.append(tuple.__new__(Observation, observed))  # a third of its own time
    return found


def _members(metric: Metric, fact: Fact, settings: TenantSettings) -> list[str]:
    """Return `dimension|member` of every breakdown the fact belongs to."""
    if metric.money and fact.currency not in ("", settings.currency):
        return [f"currency|{fact.currency}"]
    members = ["|"]
    for start, place in metric.places:
        member = fact[place]
        if member:
            members.append(f"{start}{member}")
    return members
