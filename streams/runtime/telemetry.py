"""Every metric of the two apps: name, unit, meaning. The documentation is made from this list."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

PREFIX = "daybook_streams_"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric.

    Args:
        name: Without the prefix `daybook_streams_`; ends in its unit.
        kind: Prometheus type.
        unit: For people: `entries`, `seconds`, `offset` …
        meaning: One sentence.
        labels: Label names.
        buckets: Upper bounds of a histogram, in `unit`.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_ENTRIES = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)

ENTRIES = Instrument(
    "entries_total",
    "counter",
    "entries",
    "journal entries folded, by what became of them: entries, ticks, duplicates, replays …",
    ("partition", "outcome"),
)
APPLIED = Instrument(
    "applied_offset",
    "gauge",
    "offset",
    "journal offset whose effects are committed",
    ("partition",),
)
LAG = Instrument(
    "lag_records",
    "gauge",
    "records",
    "records between what is done and the end of the log",
    ("topic", "partition"),
)
LANES = Instrument("lanes_owned", "gauge", "lanes", "journal partitions this worker owns")
BATCH = Instrument("batch_entries", "histogram", "entries", "entries per transaction", (), _ENTRIES)
FOLD = Instrument("fold_seconds", "histogram", "seconds", "time to fold one batch", (), _SECONDS)
COMMIT = Instrument(
    "transaction_seconds",
    "histogram",
    "seconds",
    "time from the first record of a transaction to its commit",
    (),
    _SECONDS,
)
TICKS = Instrument(
    "ticks_appended_total", "counter", "ticks", "ticks appended to the journal", ("partition",)
)
INGESTED = Instrument(
    "ingested_events_total",
    "counter",
    "events",
    "upstream events that became journal entries",
    ("topic",),
)
DEAD_LETTERS = Instrument(
    "dead_letters_total",
    "counter",
    "letters",
    "upstream records that could not be read, by reason",
    ("topic", "reason"),
)
EXPIRED = Instrument(
    "expired_records_total",
    "counter",
    "records",
    "upstream records deleted by retention before ingest read them",
    ("topic",),
)

INSTRUMENTS: tuple[Instrument, ...] = (
    ENTRIES,
    APPLIED,
    LAG,
    LANES,
    BATCH,
    FOLD,
    COMMIT,
    TICKS,
    INGESTED,
    DEAD_LETTERS,
    EXPIRED,
)


class Telemetry:
    """The metrics of one process, in an own registry."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._made = {each.name: self._make(each) for each in INSTRUMENTS}

    def _make(self, each: Instrument) -> Counter | Gauge | Histogram:
        name, text = PREFIX + each.name, f"{each.meaning} ({each.unit})"
        if each.kind == "counter":
            return Counter(name, text, each.labels, registry=self._registry)
        if each.kind == "gauge":
            return Gauge(name, text, each.labels, registry=self._registry)
        return Histogram(name, text, each.labels, registry=self._registry, buckets=each.buckets)

    def count(self, instrument: Instrument, amount: float = 1, *labels: object) -> None:
        """Add to a counter; labels in the order of the instrument."""
        made = self._made[instrument.name]
        assert isinstance(made, Counter)  # noqa: S101 - a bug in the caller
        (made.labels(*labels) if labels else made).inc(amount)

    def set(self, instrument: Instrument, value: float, *labels: object) -> None:
        """Set a gauge; labels in the order of the instrument."""
        made = self._made[instrument.name]
        assert isinstance(made, Gauge)  # noqa: S101 - a bug in the caller
        (made.labels(*labels) if labels else made).set(value)

    def observe(self, instrument: Instrument, value: float) -> None:
        """Add an observation to a histogram."""
        made = self._made[instrument.name]
        assert isinstance(made, Histogram)  # noqa: S101 - a bug in the caller
        made.observe(value)

    def batch(
        self,
        partition: int,
        counts: Mapping[str, int],
        *,
        entries: int,
        fold_s: float,
        commit_s: float,
        applied: int,
    ) -> None:
        """Note one committed batch of a lane."""
        for outcome, amount in counts.items():
            self.count(ENTRIES, amount, partition, outcome)
        self.observe(BATCH, entries)
        self.observe(FOLD, fold_s)
        self.observe(COMMIT, commit_s)
        self.set(APPLIED, applied, partition)

    def forget(self, instrument: Instrument, labels: Iterable[tuple[object, ...]]) -> None:
        """Drop label sets, e.g. of partitions that went to another worker."""
        for values in labels:
            self._made[instrument.name].remove(*values)

    def exposition(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self._registry)


def wall_ms() -> int:
    """Return the wall clock, UTC ms: the shells' only clock for what goes into the log."""
    return time.time_ns() // 1_000_000
