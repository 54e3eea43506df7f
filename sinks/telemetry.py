"""Every metric the sinks publish: name, unit and meaning in one typed place."""

from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Spec(NamedTuple):
    """One metric.

    Args:
        name: Without the `_total` that counters get.
        kind: Of the Prometheus metric.
        meaning: One sentence, for the docs and `/metrics`.
        labels: Label names.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()


ROWS = Spec("daybook_sinks_rows", "counter", "Rows inserted into ClickHouse.", ("table",))
BATCHES = Spec("daybook_sinks_batches", "counter", "Batches inserted into ClickHouse.", ("table",))
RESENDS = Spec(
    "daybook_sinks_resends", "counter", "Ranges in doubt that were sent again.", ("table",)
)
LEDGER_SECONDS = Spec(
    "daybook_sinks_ledger_seconds", "histogram", "Time of one ledger write, s, with repeats."
)
INSERT_SECONDS = Spec(
    "daybook_sinks_insert_seconds", "histogram", "Time of one insert, s, with repeats.", ("table",)
)
LAG = Spec(
    "daybook_sinks_lag_records",
    "gauge",
    "Records of the log that aren't in the store yet.",
    ("topic", "partition"),
)
DONE = Spec(
    "daybook_sinks_done_offset",
    "gauge",
    "Every record below this offset is in the store.",
    ("topic", "partition"),
)
RETRIES = Spec(
    "daybook_sinks_retries", "counter", "Calls that failed and were repeated.", ("service",)
)
FIELDS = Spec("daybook_sinks_live_fields", "counter", "Values written to Valkey.")
CONFLATED = Spec(
    "daybook_sinks_live_conflated",
    "counter",
    "Values replaced by a newer one before they were written.",
)
FLUSH_SECONDS = Spec(
    "daybook_sinks_live_flush_seconds", "histogram", "Time of one flush to Valkey, s, with repeats."
)
REBUILDS = Spec(
    "daybook_sinks_live_rebuilds", "counter", "Partitions read again because Valkey lost its data."
)
CLICKHOUSE = (ROWS, BATCHES, RESENDS, LEDGER_SECONDS, INSERT_SECONDS, LAG, DONE, RETRIES)
LIVE = (FIELDS, CONFLATED, FLUSH_SECONDS, REBUILDS, LAG, DONE, RETRIES)
CATALOGUE = tuple(dict.fromkeys(CLICKHOUSE + LIVE))


class Telemetry:
    """The metrics of one process in a registry of their own.

    Args:
        specs: Which of the catalogue this process publishes.
    """

    def __init__(self, specs: tuple[Spec, ...]) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[Spec, Counter] = {}
        self._gauges: dict[Spec, Gauge] = {}
        self._histograms: dict[Spec, Histogram] = {}
        for spec in specs:
            if spec.kind == "counter":
                self._counters[spec] = Counter(
                    spec.name, spec.meaning, spec.labels, registry=self.registry
                )
            elif spec.kind == "gauge":
                self._gauges[spec] = Gauge(
                    spec.name, spec.meaning, spec.labels, registry=self.registry
                )
            else:
                self._histograms[spec] = Histogram(
                    spec.name, spec.meaning, spec.labels, buckets=SECONDS, registry=self.registry
                )

    def count(self, spec: Spec, by: float = 1, **labels: str) -> None:
        """Add to a counter."""
        counter = self._counters[spec]
        (counter.labels(**labels) if labels else counter).inc(by)

    def set(self, spec: Spec, value: float, **labels: str) -> None:
        """Set a gauge."""
        gauge = self._gauges[spec]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def forget(self, spec: Spec, *labels: str) -> None:
        """Remove one labelled gauge: a partition that went to another process has no lag here."""
        self._gauges[spec].remove(*labels)

    def observe(self, spec: Spec, seconds: float, **labels: str) -> None:
        """Add one observation to a histogram."""
        histogram = self._histograms[spec]
        (histogram.labels(**labels) if labels else histogram).observe(seconds)
