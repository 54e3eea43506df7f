"""The partitions of one live process: where each is read from, and what waits to be written."""

import time
from collections.abc import Callable, Sequence

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas.codec import decode_partial
from schemas.derived.metric import split_published
from schemas.errors import CorruptLog
from schemas.topics import METRIC
from sinks.kafka import bounds
from sinks.live.store import Store
from sinks.mapping.valkey import DELETED, Feed, Position, place
from sinks.status import Place
from sinks.telemetry import CONFLATED, FIELDS, FLUSH_SECONDS, REBUILDS, Telemetry

log = structlog.get_logger(__name__)
POSITION_S = 1.0
REBUILDING_WAIT_S = 0.5


class Partitions:
    """Feeds by partition; librdkafka calls `assigned` and `unassigned` from within `poll()`.

    Args:
        store: Valkey; its position is the truth, the group's offset is advisory.
        generation: Whose values are kept.
        flush_s: Values wait at most so long.
        telemetry: Fields, flush times, rebuilds.
        stopped: Whether the process was asked to end.
    """

    def __init__(
        self,
        store: Store,
        generation: int,
        flush_s: float,
        telemetry: Telemetry,
        stopped: Callable[[], bool],
    ) -> None:
        self._store, self._generation, self._flush_s = store, generation, flush_s
        self._telemetry, self._stopped = telemetry, stopped
        self._compared_at = 0.0
        self.feeds: dict[int, Feed] = {}

    def assigned(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Begin where Valkey stands; from the beginning when it holds nothing.

        Raises:
            CorruptLog: the log doesn't hold what comes next.
            Unavailable: Valkey stayed away.
        """
        self._wait_for_rebuild()
        held = self._store.positions() if partitions else {}
        for part in partitions:
            low, high = bounds(consumer, part)
            position = held.get(part.partition)
            start = position.next_offset if position else low
            if not low <= start <= high:
                raise CorruptLog(
                    f"{METRIC}/{part.partition}: Valkey stands at offset {start}, the log has "
                    f"{low}..{high}: values in between are lost; replay into a new generation, "
                    "or show what there is: `daybook live --rebuild`"
                )
            self.feeds[part.partition] = Feed(position, position or Position(start))
            part.offset = start
            log.info("partition_assigned", partition=part.partition, offset=start)
        consumer.assign(list(partitions))

    def unassigned(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Forget partitions; what wasn't written is read again by their next owner."""
        for part in partitions:
            self.feeds.pop(part.partition, None)
        consumer.unassign()

    def take(self, partition: int, offset: int, key: bytes, value: bytes | None) -> None:
        """Take one record of the topic; those of other generations only move the position.

        Raises:
            CorruptLog: the key isn't a bucket's or the value isn't a partial.
        """
        feed = self.feeds.get(partition)
        if feed is None:
            return  # prefetched before a revocation
        now = time.monotonic()
        generation, row_key = split_published(key)
        if generation != self._generation:
            feed.skip_to(offset + 1, now)
            return
        where = place(generation, partition, row_key)
        if value is None:
            feed.put(offset, where, DELETED, -1, now)
        else:
            feed.put(offset, where, value, decode_partial(value).offset, now)

    def end_of_log(self, partition: int, offset: int) -> None:
        """Move a partition to the end of its log, behind markers."""
        feed = self.feeds.get(partition)
        if feed is not None:
            feed.skip_to(offset, time.monotonic())

    def flush(self, consumer: Consumer, *, everything: bool = False) -> None:
        """Write what is due, in one round trip.

        Raises:
            Unavailable: Valkey stayed away.
        """
        now = time.monotonic()
        due = {
            partition: feed
            for partition, feed in self.feeds.items()
            if feed.due(now, self._flush_s, POSITION_S) or (everything and feed.changed)
        }
        if not due:
            return
        written = sum(len(feed.values) for feed in due.values())
        self._telemetry.count(CONFLATED, sum(feed.conflated for feed in due.values()))
        for feed in due.values():
            feed.conflated = 0
        moved = self._store.flush(due)
        self._telemetry.observe(FLUSH_SECONDS, time.monotonic() - now)
        self._telemetry.count(FIELDS, written)
        for partition in moved:
            self._return_to(consumer, partition)

    def compare(self, consumer: Consumer) -> None:
        """Ask Valkey where it stands, at most every second.

        An idle partition is never flushed, so lost data would go unnoticed until its next value.

        Raises:
            Unavailable: Valkey stayed away.
        """
        now = time.monotonic()
        if now - self._compared_at < POSITION_S or not self.feeds:
            return
        self._compared_at = now
        held = self._store.positions()
        for partition, feed in list(self.feeds.items()):
            if feed.applied and held.get(partition) != feed.applied:
                self._return_to(consumer, partition)

    def _return_to(self, consumer: Consumer, partition: int) -> None:
        """Read a partition again from where Valkey really stands."""
        self._telemetry.count(REBUILDS)
        self._wait_for_rebuild()
        held = self._store.positions().get(partition)
        start = held.next_offset if held else OFFSET_BEGINNING
        log.error(
            "valkey_lost_its_position",
            partition=partition,
            expected=self.feeds[partition].applied,
            held=held,
            reading_again_from=held.next_offset if held else "the beginning",
        )
        self._store.adopt()
        self.feeds[partition] = Feed(held, held or Position(0))
        consumer.seek(TopicPartition(METRIC, partition, start))

    def _wait_for_rebuild(self) -> None:
        """Wait while another process clears the generation; what we wrote would be deleted."""
        while self._store.is_rebuilding() and not self._stopped():
            log.info("waiting_for_rebuild")
            time.sleep(REBUILDING_WAIT_S)

    def places(self) -> list[Place]:
        """Return where the partitions stand, for probes of other threads."""
        return [
            Place(METRIC, partition, feed.applied.next_offset if feed.applied else 0, {})
            for partition, feed in list(self.feeds.items())
        ]
