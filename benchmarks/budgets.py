"""The budgets beside what a run measured; generated, so that no figure is copied by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
Sections = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget.

    Args:
        what: As in the architecture.
        bound: What it should be.
        unit: Of the figure.
        find: The figure in a run's sections; KeyError when that wasn't measured.
        at_least: Whether more is better.
    """

    what: str
    bound: float
    unit: str
    find: Callable[[Sections], float]
    at_least: bool = False

    def row(self, sections: Sections) -> tuple[str, str, str, str]:
        """Return what, budget, measured, and whether it was reached."""
        sign = "≥" if self.at_least else "<"
        wanted = f"{sign} {self.bound:,.0f} {self.unit}"
        try:
            found = self.find(sections)
        except (KeyError, StopIteration):
            return self.what, wanted, "", "not measured"
        reached = found >= self.bound if self.at_least else found < self.bound
        shown = f"{found:,.0f}" if found >= 10 else f"{found:.2f}"
        return self.what, wanted, f"{shown} {self.unit}", "reached" if reached else "**missed**"


def _rate(section: str, variant: str) -> Callable[[Sections], float]:
    def find(sections: Sections) -> float:
        rates = sections[section]["rates"]
        median: float = next(
            rate["per_s"]["median"] for rate in rates if rate["variant"].startswith(variant)
        )
        return median

    return find


def _ratio(section: str, ours: str, peer: str) -> Callable[[Sections], float]:
    def find(sections: Sections) -> float:
        return _rate(section, ours)(sections) / _rate(section, peer)(sections)

    return find


def _measure(section: str, name: str, per: float = 1.0) -> Callable[[Sections], float]:
    def find(sections: Sections) -> float:
        value: float = sections[section]["measures"][name]
        return value / per

    return find


BUDGETS: Sequence[Budget] = (
    Budget(
        "fold with state, exactly once, one worker, the catalogue's metrics", 30_000, "entries/s",
        _rate("worker", "Daybook"), at_least=True,
    ),
    Budget(
        "ahead of Kafka Streams `exactly_once_v2`, same work", 1, "times",
        _ratio("peers", "Daybook", "Kafka Streams `exactly_once_v2`, in memory"), at_least=True,
    ),
    Budget(
        "ahead of Quix Streams, exactly once, same work", 3, "times",
        _ratio("peers", "Daybook", "Quix Streams, exactly once"), at_least=True,
    ),
    Budget(
        "ahead of plain Faust with tables, same work", 10, "times",
        _ratio("peers", "Daybook", "plain Faust tables, `take"), at_least=True,
    ),
    Budget(
        "event → effect visible at 1,000/s, p50", 40, "ms",
        _measure("latency", "effect_p50_ms@1000"),
    ),
    Budget(
        "event → effect visible at 1,000/s, p99", 100, "ms",
        _measure("latency", "effect_p99_ms@1000"),
    ),
    Budget(
        "event → row in ClickHouse at 1,000/s, p99", 1_500, "ms",
        _measure("latency", "clickhouse_p99_ms@1000"),
    ),
    Budget("sink into ClickHouse", 120_000, "records/s", _rate("sink", "Daybook"), at_least=True),
    Budget(
        "report on a tenant of 10 million events, p95 of the slowest that an index helps", 100,
        "ms", _measure("query", "p95_ms"),
    ),
    Budget(
        "recovery: loading a state of 1,000,000 subjects", 6, "s",
        _measure("growth", "memory_load_ms@1000000", 1000),
    ),
)  # fmt: skip


def rows(sections: Sequence[Json]) -> list[list[str]]:
    """Return the table's rows: budget, wanted, measured, reached or missed."""
    by_name = {section["name"]: section for section in sections}
    return [list(budget.row(by_name)) for budget in BUDGETS]
