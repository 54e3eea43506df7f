"""What a batch of entries changes and says; the shell writes it in one transaction."""

from dataclasses import dataclass, field

from schemas.state.rows import Head
from streams.domain.metrics.buckets import Groups


@dataclass(slots=True)
class Effects:
    """Result of one fold.

    Args:
        rows: Changed rows as changelog records (prefix + row key → value, None deletes), each key
            once; the head is the last one.
        metrics: Changed metric buckets for `derived.metric.v1` (key, value; None closes an hour).
        effects: For `derived.effect.v1`, in order: (key, header `kind`, value).
        head: New head of the partition.
        changed: False when nothing but time and position moved; such a commit may wait.
        counts: What happened, for telemetry: `entries`, `ticks`, `duplicates`, `replays`,
            `anomalies` …
        buckets: The changed metric buckets as they stand now, decoded; None when whoever made
            these effects doesn't know them.
        closed: Starts of the keys of the hour buckets that were deleted.
        repeats: Offsets of the entries that changed nothing because they had been applied before.
    """

    head: Head
    rows: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    metrics: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    effects: list[tuple[bytes, str, bytes]] = field(default_factory=list)
    changed: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    buckets: Groups | None = field(default=None, compare=False, repr=False)
    closed: set[str] = field(default_factory=set, compare=False, repr=False)
    repeats: list[int] = field(default_factory=list)
