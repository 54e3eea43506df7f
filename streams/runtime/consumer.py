"""Faust's consumer, bent where it would lose records; both apps use it."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Protocol, cast

from aiokafka.consumer.fetcher import OffsetResetStrategy  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.runtime.batches import BatchScheduler
from streams.runtime.config import KafkaConfig
from streams.runtime.failstop import fail_stop
from streams.runtime.pace import Pace
from streams.runtime.unparsable import RecordParseError, install

BACK_PRESSURE_POLL_S = 0.005
UNPARSABLE_GRACE_S = 5.0
"""Time for what was read before a record that can't be parsed to be written and committed."""


class Position(Protocol):
    """Decides where reading goes on; the group's committed offset may be only one opinion."""

    async def starts(self, assigned: set[TP], consumer: driver.Consumer) -> Mapping[TP, int]:
        """Return the next offset to read, for each assigned partition that may be read now."""

    def done(self, tp: TP) -> int | None:
        """Return the offset to commit for the group; None for no news."""


class PositionedThread(driver.AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer."""

    fetch_wait_ms = 250
    unparsable_grace_s = UNPARSABLE_GRACE_S

    def _create_worker_consumer(self, transport: Any) -> Any:
        install()
        consumer = super()._create_worker_consumer(transport)
        # aiokafka makes its fetcher of these in `start`, which Faust calls later.
        # Faust hard-codes 1500 ms.
        consumer._fetch_max_wait_ms = self.fetch_wait_ms  # noqa: SLF001
        # Faust reads what upstream aborted, unless it writes transactions itself.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        return consumer

    async def _fetch_records(self, consumer: Any, *args: Any, **options: Any) -> Any:
        if consumer is not None and self.consumer.flow_active:
            # From the first seek on: in a log that doesn't hold the position any more, aiokafka
            # would go to its beginning, and what lies between would be skipped in silence.
            consumer._fetcher._default_reset_strategy = OffsetResetStrategy.NONE  # noqa: SLF001
        try:
            return await super()._fetch_records(consumer, *args, **options)
        except NoOffsetForPartitionError:
            return {}  # assigned a moment ago: it is sought next
        except OffsetOutOfRangeError as error:
            if self.consumer.app.should_stop:
                raise
            fail_stop("the log doesn't hold what is to be read next", error=repr(error),
                      runbook="Exit 70")  # fmt: skip
        except RecordParseError as error:
            # At once, the restart would begin in front of all that again, and an operator who
            # skips the record would skip that too. Nothing is fetched meanwhile.
            await asyncio.sleep(self.unparsable_grace_s)
            if self.consumer.app.should_stop:
                raise
            fail_stop("a record could not be parsed", error=repr(error.__cause__),
                      runbook="A record that can't be parsed", **error.coordinates)  # fmt: skip

    async def crash(self, exc: BaseException) -> None:
        """Stop the process: a crash in this thread leaves it alive, idle and without an exit."""
        if self.consumer.app.should_stop:
            await super().crash(exc)
            return
        fail_stop("consumer thread crashed", error=repr(exc))


class PositionedConsumer(driver.Consumer):
    """Reads on where `position` says, and never delivers what was fetched across a seek."""

    position_of: Position
    gather_ms: int
    thread_class: type[PositionedThread] = PositionedThread
    scheduler: BatchScheduler

    def __init__(self, *args: Any, **options: Any) -> None:
        self._seeks = 0
        self._pace = Pace(self.gather_ms / 1000)
        super().__init__(*args, **options)

    def _new_consumer_thread(self) -> PositionedThread:
        return self.thread_class(self, loop=self.loop, beacon=self.beacon)

    def assignment(self) -> set[TP]:
        """Return what is assigned; nothing while the thread hasn't made its consumer yet.

        Faust says `started` before that and raises here: whoever looked in between, as the health
        check does once a second, ended the process.
        """
        if self._thread._consumer is None:  # noqa: SLF001
            return set()
        return super().assignment()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every partition explicitly.

        Faust seeks only those with a committed offset: what was fetched from the others while flow
        was stopped is gone (records 0..3119 were, on a real broker).
        """
        self._seeks += 1
        starts = dict(await self.position_of.starts(self.assignment(), self))
        for tp, offset in starts.items():
            self.scheduler.links.seek((tp.topic, tp.partition), offset)
        if starts:
            await self._thread.seek_wait(starts)
        return starts

    async def committed(self, tps: set[TP]) -> dict[TP, int | None]:
        """Return the group's committed offset of each partition; None where it has none."""
        inner = self._thread._ensure_consumer()  # noqa: SLF001

        async def ask() -> dict[TP, int | None]:
            return {tp: await inner.committed(tp) for tp in tps}

        return cast("dict[TP, int | None]", await self._thread.call_thread(ask))

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's signature
        # With every partition held back Faust sleeps for a second before it looks again.
        while self._held_back():  # noqa: ASYNC110 - Faust has no event for it
            await asyncio.sleep(BACK_PRESSURE_POLL_S)
        # Asking again at once brings one or two records at a time, and a request for them costs
        # the broker and aiokafka as much as one for a hundred.
        await asyncio.sleep(self._pace.wait_s(time.monotonic()))
        # A fetch that began before a seek and ended after it brings records of either side; the
        # later ones would be delivered, and the earlier ones then dropped as already read.
        seeks = self._seeks
        records, active = await super()._wait_next_records(timeout)
        if seeks != self._seeks and records:
            await self.perform_seek()
            return None, active
        if records:
            self._pace.started(time.monotonic())
        return records, active

    def _held_back(self) -> bool:
        return bool(
            self.flow_active and self._buffered_partitions and not self._get_active_partitions()
        )

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Keep no gaps: Faust's bookkeeping advances by one per commit, `position_of` knows."""

    def _new_offset(self, tp: TP) -> int | None:
        # Faust's own version is off by one after a gap at the head (faust issue 606) and so commits
        # offsets that are not done.
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self.position_of.done(tp)

    def fetched(self, tp: TP) -> int | None:
        """Return the offset fetched next, past commit markers too; None before the first seek."""
        inner = self._thread._consumer  # noqa: SLF001
        if inner is None or inner._subscription.subscription is None:  # noqa: SLF001
            return None
        assignment = inner._subscription.subscription.assignment  # noqa: SLF001
        if assignment is None or tp not in assignment.tps:
            return None
        state = assignment.state_value(cast("Any", tp))
        return cast("int", state.position) if state.has_valid_position else None


def transport_of(position: Position, config: KafkaConfig) -> type[driver.Transport]:
    """Return the transport class of one app: Faust instantiates consumer and thread itself."""
    thread = type("Thread", (PositionedThread,), {"fetch_wait_ms": config.fetch_wait_ms})
    consumer = type(
        "Consumer",
        (PositionedConsumer,),
        {"position_of": position, "gather_ms": config.gather_ms, "thread_class": thread},
    )
    return type("Transport", (driver.Transport,), {"Consumer": consumer})
