"""A comparison's outcome for people and programs: lines of tables, and JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infra.commands.metric_rows import bucket_text
from infra.comparison.buckets import Compared, Sums, Total, totals
from streams.domain.calendar import bucket_starts
from streams.domain.metrics.catalogue import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.comparison.buckets import Difference
    from infra.comparison.effects import EffectChange
    from schemas.derived.metric import MetricKey

EXACT_BELOW = 2**53


@dataclass(frozen=True, slots=True)
class Outcome:
    """What two folds of the same journal say differently.

    Args:
        title: What was compared, in one line.
        before: Name of the fold compared with, e.g. `generation 1`.
        after: Name of the other one.
        about: More of it for people: (what, value).
        cuts: Journal partition → first offset that isn't in the comparison.
        compared: The buckets.
        sums: Both folds' buckets, for series over time.
        zones: Tenant → its time zone in each fold; UTC for one that isn't there.
        effects: Effects that only one of them has; None: effects weren't compared.
    """

    title: str
    before: str
    after: str
    about: Sequence[tuple[str, str]]
    cuts: Mapping[int, int]
    compared: Compared
    sums: tuple[Sums, Sums]
    zones: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    effects: Sequence[EffectChange] | None = None

    @property
    def equal(self) -> bool:
        """Tell whether nothing differs."""
        return not self.compared.differences and not self.effects

    @property
    def totals(self) -> list[Total]:
        """Return one line per tenant and metric that differs."""
        return totals(self.compared, *self.sums)

    def bucket(self, key: MetricKey) -> str:
        """Return a bucket's name in its tenant's zone.

        A day of another zone than that of the fold compared with says which.
        """
        if key.grain != "day":
            return bucket_text(key.bucket_ms, key.grain, self.zones_of(key.tenant)[0])
        for zone in self.zones_of(key.tenant):
            if begins_a_day(key.bucket_ms, zone):
                date = bucket_text(key.bucket_ms, "day", zone)
                return date if zone == self.zones_of(key.tenant)[0] else f"{date} {zone}"
        return bucket_text(key.bucket_ms, "hour", self.zones_of(key.tenant)[0])

    def zones_of(self, tenant: str) -> tuple[str, str]:
        """Return in which zones the two folds cut a tenant's days."""
        return self.zones.get(tenant, ("UTC", "UTC"))

    def as_json(self, most: int | None = None) -> dict[str, Any]:
        """Return all of it for programs.

        Args:
            most: Differences listed; None: all.
        """
        found = {
            "before": self.before,
            "after": self.after,
            "cuts": dict(self.cuts),
            "buckets": self.compared.buckets,
            "closed_hours": self.compared.closed,
            "equal": self.equal,
            "differing": len(self.compared.differences),
            "totals": [total._asdict() for total in self.totals],
            "differences": [self._as_json(each) for each in self.compared.differences[:most]],
        }
        if self.effects is not None:
            found["effects"] = [change._asdict() for change in self.effects]
        return found

    def _as_json(self, each: Difference) -> dict[str, Any]:
        before, after = each.values
        return {
            **each.key._asdict(),
            "bucket": self.bucket(each.key),
            "before": {"value": before, **_numbers(each.before)},
            "after": {"value": after, **_numbers(each.after)},
            "difference": each.by,
            "fields": each.fields,
        }


TOTAL_COLUMNS = ("tenant", "metric", "before", "after", "difference", "days", "buckets")
BUCKET_COLUMNS = (
    "tenant", "metric", "grain", "bucket", "by", "before", "after", "difference", "differs in",
)  # fmt: skip
EFFECT_COLUMNS = ("tenant", "kind", "name", "removed", "added")


_HIDDEN = frozenset({"change", "subject", "time_ms", "ended_ms", "about", "body", "origin"})
"""Fields of an effect that its line says already, or that say little."""


def total_cells(total: Total) -> list[str]:
    """Return a line of the totals, one cell for each of `TOTAL_COLUMNS`."""
    by = (total.after or 0) - (total.before or 0)
    return [
        total.tenant,
        total.metric,
        number_text(total.before),
        number_text(total.after),
        signed_text(by),
        number_text(total.days),
        number_text(total.buckets),
    ]


def bucket_cells(outcome: Outcome, each: Difference) -> list[str]:
    """Return a line of the differing buckets, one cell for each of `BUCKET_COLUMNS`."""
    key, (before, after) = each.key, each.values
    return [
        key.tenant,
        key.metric,
        key.grain,
        outcome.bucket(key),
        f"{key.dimension} {key.member}" if key.dimension else "",
        number_text(before),
        number_text(after),
        signed_text(each.by),
        ", ".join(each.fields),
    ]


def effect_cells(change: EffectChange) -> list[str]:
    """Return a line of the differing effects, one cell for each of `EFFECT_COLUMNS`."""
    numbers = (number_text(change.removed), number_text(change.added))
    return [change.tenant, change.kind, change.name, *numbers]


def example_text(example: Mapping[str, Any]) -> str:
    """Return one effect in a line: `+` for one that is added, `-` for one that is removed.

    >>> example_text({"change": "added", "subject": "contact/7", "time_ms": 0, "reason": "late"})
    '+ 1970-01-01T00:00:00Z contact/7: reason late'
    """
    said = ", ".join(f"{k} {_field(k, value)}" for k, value in example.items() if k not in _HIDDEN)
    sign = "+" if example["change"] == "added" else "-"
    return f"{sign} {_instant(example['time_ms'])} {example['subject']}: {said}"


def _field(name: str, value: Any) -> str:
    if isinstance(value, list):
        return " and ".join(map(str, value))
    if name.endswith("_ms") and name != "duration_ms":
        return _instant(value)
    return str(value)


def _instant(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def begins_a_day(time_ms: int, zone: str) -> bool:
    """Tell whether an instant is the first of a day in a zone.

    >>> begins_a_day(1772406000000, "Europe/Berlin"), begins_a_day(1772406000000, "UTC")
    (True, False)
    """
    return bucket_starts(time_ms, zone)[1] == time_ms


def unit_of(metric: str) -> str:
    """Return the unit of a metric's value, for people."""
    known = METRICS.get(metric)
    return {"minor": "minor units", "count": ""}.get(known.unit, known.unit) if known else ""


def number_text(value: float | None) -> str:
    """Return a number for people; a mean of nothing is `none`.

    >>> number_text(1234567), number_text(1.5), number_text(None)
    ('1,234,567', '1.50', 'none')
    """
    if value is None:
        return "none"
    if isinstance(value, int) or (value.is_integer() and abs(value) < EXACT_BELOW):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:,.4g}"


def signed_text(value: float) -> str:
    """Return a difference with its sign; empty when there is none.

    >>> signed_text(3), signed_text(-0.5), signed_text(0)
    ('+3', '-0.5', '')
    """
    if not value:
        return ""
    return f"{'+' if value > 0 else ''}{number_text(value)}"


def _numbers(partial: Any) -> dict[str, Any]:
    return {name: getattr(partial, name) for name in ("count", "sum", "min", "max", "sketch")}
