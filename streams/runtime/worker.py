"""The Faust app of the worker: lanes for the journal partitions the group gives it."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from faust.types import TP

from schemas.topics import EFFECT, JOURNAL, METRIC, state_topic
from streams.domain.fold import Fold
from streams.domain.table import TABLES
from streams.runtime.application import Application
from streams.runtime.assignment import LaneTables
from streams.runtime.batches import BatchSchema
from streams.runtime.config import WorkerConfig
from streams.runtime.consumer import PositionedConsumer, transport_of
from streams.runtime.identity import Origin, ask
from streams.runtime.lane import Lane
from streams.runtime.options import faust_options
from streams.runtime.progress import Standing
from streams.runtime.telemetry import APPLIED, LANES, Telemetry
from streams.runtime.views import LaneTable

COMMIT_GROUP_S = 2.0
"""The group's offset is only for lag monitors: the position is in the state."""
THREADS = 64


class WorkerApp(Application):
    """Folds `journal.v1`.

    Attributes:
        lanes: Journal partition → lane; opened at each assignment.
        journal: The Faust topic to run the journal processor on.

    Args:
        config: Worker configuration.
        fold: The fold.
        telemetry: Counters.
    """

    def __init__(self, config: WorkerConfig, fold: Fold, telemetry: Telemetry) -> None:
        self.config = config
        self.lanes: dict[int, Lane] = {}
        self._fold = fold
        self._telemetry = telemetry
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="lane")
        super().__init__(
            config.app,
            **faust_options(config, batch_max=config.batch_max, commit_s=COMMIT_GROUP_S),
            Table=LaneTable,
            TableManager=LaneTables,
        )
        self.transport = transport_of(self, config)(self.conf.broker_consumer, self)
        self.journal = self.topic(JOURNAL, schema=BatchSchema())
        for table in TABLES:
            self.Table(table.name)
        self.on_partitions_revoked.connect(self._revoked, weak=False)

    async def assigned(self) -> None:
        """Open a lane for each assigned partition, side by side in threads."""
        mine = {tp.partition for tp in self.consumer.assignment() if tp.topic == JOURNAL}
        loop = asyncio.get_running_loop()
        for partition in sorted(set(self.lanes) - mine):
            lane = self.lanes.pop(partition)
            await lane.stop()
            await loop.run_in_executor(self._threads, lane.close)
            self._telemetry.forget(APPLIED, [(str(partition),)])
        for partition in mine - set(self.lanes):
            self.lanes[partition] = self._lane(partition)
        self._telemetry.set(LANES, len(mine))
        lanes = [self.lanes[partition] for partition in sorted(mine)]
        for lane in lanes:
            await lane.stop()
        origin = await loop.run_in_executor(self._threads, self._origin)
        committed = await self._committed(mine)
        await asyncio.gather(*(
            loop.run_in_executor(self._threads, lane.open, origin, committed[lane.partition])
            for lane in lanes
        ))  # fmt: skip
        for lane in lanes:
            self._telemetry.set(APPLIED, lane.applied, lane.partition)
            lane.start()

    def _origin(self) -> Origin:
        state = state_topic(self.config.app)
        ids = ask(self.config.client(), (JOURNAL, state))
        return Origin(ids[JOURNAL], ids[state])

    async def _committed(self, partitions: set[int]) -> dict[int, int | None]:
        consumer = self.consumer
        assert isinstance(consumer, PositionedConsumer)  # noqa: S101 - `transport_of` made it
        found = await consumer.committed({TP(JOURNAL, partition) for partition in partitions})
        return {tp.partition: offset for tp, offset in found.items()}

    @property
    def topics_in_use(self) -> tuple[str, ...]:
        """Return the topics that must stay what they are while this runs."""
        return JOURNAL, state_topic(self.config.app), METRIC, EFFECT

    def _lane(self, partition: int) -> Lane:
        return Lane(partition, self.config, self._fold, threads=self._threads,
                    throttle=self._throttle, telemetry=self._telemetry)  # fmt: skip

    def _throttle(self, partition: int, *, full: bool) -> None:
        # Faust's own TP: aiokafka's, which messages carry, fails an assert on the next fetch.
        tp = TP(JOURNAL, partition)
        if full:
            self.consumer.on_buffer_full(tp)
        else:
            self.consumer.on_buffer_drop(tp)

    async def _revoked(self, *_sender: Any, **_partitions: Any) -> None:
        """Commit nothing from here on: the next owner may fence at any moment."""
        await self.stop_lanes()

    async def stop_lanes(self) -> None:
        """Finish what is in hand in every lane."""
        await asyncio.gather(*(lane.stop() for lane in self.lanes.values()))

    async def close_lanes(self) -> None:
        """Let go of what the lanes have on the disk; they are stopped."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(
            loop.run_in_executor(self._threads, lane.close) for lane in self.lanes.values()
        ))  # fmt: skip

    async def starts(self, assigned: set[TP], _consumer: Any) -> Mapping[TP, int]:
        """Return where reading goes on: after what the state has, whatever the group committed."""
        return {
            tp: self.lanes[tp.partition].applied + 1
            for tp in assigned
            if tp.topic == JOURNAL and tp.partition in self.lanes
        }

    def done(self, tp: TP) -> int | None:
        """Return the offset to commit for lag monitors."""
        lane = self.lanes.get(tp.partition)
        return lane.applied + 1 if lane is not None and lane.opened else None

    def owned(self) -> dict[tuple[str, int], bool]:
        """Return the partitions of this worker, and whether each is open."""
        return {(JOURNAL, partition): lane.opened for partition, lane in list(self.lanes.items())}

    def standing(self, source: tuple[str, int], end: int | None) -> Standing:
        """Return where a partition stands."""
        lane = self.lanes.get(source[1])
        return Standing(lane.applied + 1 if lane is not None else 0, end)
