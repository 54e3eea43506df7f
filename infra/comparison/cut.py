"""Two generations of `derived.metric.v1` as they stood at the same place of the journal. Pure.

Every value carries the journal offset at which it last changed, and compaction leaves values alone
for a while (`min.compaction.lag.ms`). So what a generation said at an offset is what it said last
below that offset, whatever it has said since, as long as that is not older than the lag. Only what
a transaction that spans the offset changed beyond it hides what it had changed below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from schemas.codec import decode_partial
from schemas.derived.metric import MetricKey, MetricPartial, split_published

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.comparison.buckets import Choice


class Place(NamedTuple):
    """One bucket's part in one journal partition."""

    partition: int
    key: MetricKey


@dataclass(slots=True)
class AtCut:
    """Reads the topic from its start and keeps what is needed.

    Args:
        cuts: Journal partition → first offset that doesn't count any more.
        generations: The two that are compared.
        choice: Which buckets.
        spans: Generation → journal partition → end of the transaction that spans the cut.

    Attributes:
        closed: Hour buckets that are closed in one of the two.
        hidden: Buckets whose value at the cut is inside a transaction.
    """

    cuts: Mapping[int, int]
    generations: tuple[int, int]
    choice: Choice
    spans: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    closed: set[MetricKey] = field(default_factory=set)
    hidden: set[MetricKey] = field(default_factory=set)
    oldest_beyond_ms: int | None = None
    _values: dict[int, dict[Place, MetricPartial]] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing of either generation."""
        self._values = {generation: {} for generation in self.generations}

    def take(self, partition: int, raw_key: bytes, value: bytes | None, written_ms: int) -> None:
        """Take in one record, in the order of its partition.

        Args:
            partition: Which.
            raw_key: Kafka key.
            value: None: the bucket is an hour, and closed.
            written_ms: When it was written, UTC ms.

        Raises:
            CorruptLog: It isn't a metric's record.
        """
        generation, row_key = split_published(raw_key)
        values = self._values.get(generation)
        if values is None:
            return
        key = MetricKey.parse(row_key.decode())
        if value is None:
            self.closed.add(key)
            return
        partial = decode_partial(value)
        if partial.offset < self.cuts.get(partition, 0):
            if self.choice.holds(key):
                values[Place(partition, key)] = partial
            return
        if partial.offset < self.spans.get(generation, {}).get(partition, 0):
            self.hidden.add(key)
        if self.oldest_beyond_ms is None or written_ms < self.oldest_beyond_ms:
            self.oldest_beyond_ms = written_ms

    def parts(self, generation: int) -> Iterator[tuple[MetricKey, MetricPartial]]:
        """Yield the parts of a generation's buckets as they stood at the cuts, hidden ones not."""
        for place, partial in self._values[generation].items():
            if place.key not in self.hidden:
                yield place.key, partial

    def reaches_back(self, now_ms: int, lag_ms: int) -> bool:
        """Tell whether nothing that stood at the cuts can have been compacted away.

        A value is removed only when a newer one of its key is older than the lag; of such newer
        ones the log keeps at least the last. So if all that lies beyond the cuts is younger than
        the lag, whatever it replaced is still there.

        Args:
            now_ms: When reading ended, UTC ms.
            lag_ms: `min.compaction.lag.ms`, less what clocks may differ by.
        """
        return self.oldest_beyond_ms is None or self.oldest_beyond_ms > now_ms - lag_ms
