"""What a benchmark hands back: medians with their spread, ready for JSON and for a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Run:
    """One round of one variant.

    Args:
        count: Events, entries, rows … done.
        seconds: Wall time.
        cpu_s: Process → CPU seconds of all its threads in that time.
        peak_mib: Process → most memory it ever held (resident), MiB; where that is of interest.
    """

    count: int
    seconds: float
    cpu_s: Mapping[str, float]
    peak_mib: Mapping[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Done per second."""
        return self.count / self.seconds

    @property
    def cpu_us(self) -> dict[str, float]:
        """Process → CPU µs per one done."""
        return {name: seconds / self.count * 1e6 for name, seconds in self.cpu_s.items()}


@dataclass(frozen=True, slots=True)
class Spread:
    """Median of the rounds, and the smallest and largest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Summarise at least one value."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Rate:
    """All rounds of one variant.

    Args:
        variant: Who did it.
        group: Variants of one group did the same work; ratios are against its first.
        count: Done in each round; the smallest when rounds differ.
        per_s: Done per second.
        cpu_us: Process → CPU µs per one done; `clickhouse` and `kafka` include what the
            engines do by themselves meanwhile.
        peak_mib: Process → most memory of any round, MiB.
    """

    variant: str
    group: str
    count: int
    per_s: Spread
    cpu_us: Mapping[str, Spread]
    peak_mib: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, variant: str, runs: Sequence[Run], group: str = "") -> "Rate":
        """Summarise the rounds of one variant."""
        processes = runs[0].cpu_s
        return cls(
            variant,
            group,
            min(run.count for run in runs),
            Spread.of([run.rate for run in runs]),
            {name: Spread.of([run.cpu_us[name] for run in runs]) for name in processes},
            {name: max(run.peak_mib[name] for run in runs) for name in runs[0].peak_mib},
        )


@dataclass(frozen=True, slots=True)
class Latency:
    """Times from the scheduled moment of an event to its appearance somewhere, ms."""

    where: str
    samples: int
    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    most: float

    @classmethod
    def of(cls, where: str, values_ms: Sequence[float]) -> "Latency":
        """Summarise at least one value.

        Raises:
            ValueError: There is none: nothing ever appeared there.
        """
        if not values_ms:
            raise ValueError(f"no event was ever seen in {where}")
        ordered = sorted(values_ms)
        return cls(
            where,
            len(ordered),
            *(at(ordered, share) for share in (0.5, 0.9, 0.95, 0.99, 0.999, 1.0)),
        )


def at(ordered: Sequence[float], share: float) -> float:
    """Return the value below or at which `share` of an ascending sequence lies (nearest rank).

    >>> at([1.0, 2.0, 3.0, 4.0], 0.5)
    2.0
    >>> at([1.0, 2.0, 3.0, 4.0], 0.99)
    4.0
    """
    rank = -int(-len(ordered) * share // 1)
    return ordered[max(0, rank - 1)]


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark's result.

    Args:
        name: As in `--only`.
        title: Of its part of the page.
        unit: What is counted.
        notes: How it was measured, and what differs between the variants.
        rates: Side by side.
        latencies: When it measured any.
        facts: Single figures, label → text.
        measures: Single figures for plots and budgets, name → number; the name ends in the unit.
        load: Load average (1 min) before and after; the machine was busy when it starts high.
    """

    name: str
    title: str
    unit: str
    notes: tuple[str, ...] = ()
    rates: tuple[Rate, ...] = ()
    latencies: tuple[Latency, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    load: tuple[float, float] = (0.0, 0.0)
