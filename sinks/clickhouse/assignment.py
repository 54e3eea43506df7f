"""Which lanes this process owns: claims at assignment, closes at revocation."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog
from confluent_kafka import Consumer, TopicPartition

from sinks.clickhouse.ledger import Ledger
from sinks.kafka import bounds
from sinks.mapping.lanes import Lane
from sinks.mapping.ledger import start_offset
from sinks.mapping.records import Mapper, mapper
from sinks.mapping.statements import LaneKey
from sinks.mapping.tables import TABLES
from sinks.status import Place

log = structlog.get_logger(__name__)


class Assignment:
    """The lanes of one process and the lock that keeps them still.

    librdkafka calls `assigned`, `revoked` and `lost` from within `poll()`, each with everything
    this process gets or gives up; an exception they raise comes out of `poll()`.

    Args:
        ledger: Where claims are written.
        generation: Of the rows.
        topic_ids: Topic → Kafka's id.
    """

    def __init__(self, ledger: Ledger, generation: int, topic_ids: Mapping[str, str]) -> None:
        self._ledger, self._generation, self._topic_ids = ledger, generation, topic_ids
        self._writing = threading.RLock()
        self.lanes: dict[tuple[str, int], Lane] = {}
        self.mappers: dict[str, Mapper] = {topic: mapper(topic, generation) for topic in TABLES}

    @contextmanager
    def still(self) -> Iterator[None]:
        """Hold the lanes: no insert is in flight and none begins; the writer writes under it."""
        with self._writing:
            yield

    def owns(self, lane: Lane) -> bool:
        """Whether `lane` is still ours; a claim that followed made another object."""
        return self.lanes.get((lane.topic, lane.partition)) is lane

    def assigned(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Claim the lanes of `partitions` and begin where their ledgers stand.

        Raises:
            Fenced: another process claimed one at the same time and won.
            CorruptLog: the log isn't what the ledger says.
            Unavailable: ClickHouse stayed away.
        """
        keys = [LaneKey(part.topic, part.partition, self._generation) for part in partitions]
        standings = self._ledger.claim(keys) if keys else {}
        for part, key in zip(partitions, keys, strict=True):
            stand, table = standings[key], TABLES[part.topic]
            low, high = bounds(consumer, part)
            start = start_offset(f"{part.topic}/{part.partition}", stand, low, high, table)
            part.offset = start
            self.lanes[part.topic, part.partition] = Lane(
                key, self._topic_ids[part.topic], table, stand, start, time.monotonic()
            )
            log.info(
                "lane_claimed",
                topic=part.topic,
                partition=part.partition,
                epoch=stand.epoch,
                offset=start,
                pending=stand.pending and stand.pending[:2],
            )
        consumer.assign(list(partitions))

    def revoked(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Give lanes back: waits for the insert in flight, then closes their ledgers."""
        self._close([(part.topic, part.partition) for part in partitions])
        consumer.unassign()

    def lost(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Forget lanes that someone else may own by now; the guard refuses what is in flight."""
        for part in partitions:
            self.lanes.pop((part.topic, part.partition), None)
        log.warning("lanes_lost", lanes=[f"{part.topic}/{part.partition}" for part in partitions])
        consumer.unassign()

    def places(self) -> list[Place]:
        """Return where the lanes stand, for probes of other threads."""
        return [
            Place(
                lane.topic,
                lane.partition,
                lane.done,
                {"busy": lane.busy, "epoch": lane.stand.epoch},
            )
            for lane in list(self.lanes.values())
        ]

    def close(self) -> None:
        """Give all lanes back, at the end of the process."""
        self._close(list(self.lanes))

    def _close(self, places: Sequence[tuple[str, int]]) -> None:
        with self.still():
            lanes = [self.lanes.pop(place) for place in places if place in self.lanes]
            now = time.monotonic()
            owing = [lane for lane in lanes if lane.owes]
            rows = [lane.ledger_row(None) for lane in owing]
            if rows:
                self._ledger.write(rows)
            for lane, row in zip(owing, rows, strict=True):
                lane.recorded(row, now)
        if lanes:
            log.info("lanes_closed", lanes=[lane.where for lane in lanes])
