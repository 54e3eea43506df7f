"""Ticks: the owner of a journal partition appends the passing of time to it."""

import asyncio
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaError, Message, Producer

from schemas.codec import encode_entry
from schemas.journal import tick
from schemas.topics import JOURNAL
from streams.runtime.config import WorkerConfig
from streams.runtime.failstop import fail_stop
from streams.runtime.lane import Lane
from streams.runtime.telemetry import TICKS, Telemetry


def due_ms(now_ms: int, last_ms: int, every_ms: int) -> int | None:
    """Return the time of the tick to append now, or None: not yet.

    Args:
        now_ms: Wall clock, UTC ms. When it was set back, no tick comes until it passes the latest
            one again: time in the journal never goes back.
        last_ms: The partition's latest tick, appended or applied.
        every_ms: Interval of ticks.

    Examples:
        >>> due_ms(1_000, 750, 250)
        1000
        >>> due_ms(999, 750, 250) is None
        True
    """
    return now_ms if now_ms - last_ms >= every_ms else None


class Ticker:
    """Appends ticks to the partitions of the open lanes.

    By an idempotent, *not* transactional producer: commit markers would leave holes in the journal.
    A worker that lost a partition without knowing may append one more tick there; the fold takes
    the highest, so that changes nothing.

    Args:
        config: Worker configuration.
        lanes: Open and other lanes, by partition.
        clock: Wall clock, UTC ms.
        telemetry: Counters.
    """

    def __init__(
        self,
        config: WorkerConfig,
        lanes: Mapping[int, Lane],
        *,
        clock: Callable[[], int],
        telemetry: Telemetry,
    ) -> None:
        self._every_ms = config.tick_ms
        self._lanes = lanes
        self._clock = clock
        self._telemetry = telemetry
        self._last: dict[int, int] = {}
        self._producer = Producer({
            **config.client(),
            "enable.idempotence": True,
            "linger.ms": 5,
            "message.timeout.ms": 10_000,
        })  # fmt: skip

    async def run(self) -> None:
        """Append ticks until cancelled."""
        while True:
            self.append_due()
            self._producer.poll(0)
            await asyncio.sleep(self._every_ms / 1000)

    def append_due(self) -> None:
        """Append what is due now; doesn't wait."""
        now_ms = self._clock()
        for partition, lane in self._lanes.items():
            if not lane.opened:
                continue
            latest = max(self._last.get(partition, 0), lane.state.head.now_ms)
            # Half an interval of slack: the loop's own lateness must not skip every other tick.
            at_ms = due_ms(now_ms, latest, self._every_ms // 2)
            if at_ms is not None:
                self._last[partition] = at_ms
                self._producer.produce(
                    JOURNAL, encode_entry(tick(at_ms)), partition=partition, on_delivery=_check
                )
                self._telemetry.count(TICKS, 1, partition)

    def close(self) -> None:
        """Wait shortly for ticks on their way."""
        self._producer.flush(2)


def _check(error: KafkaError | None, message: Message) -> None:
    # A lost tick is made up for by the next one; a producer that can't go on is not.
    if error is not None and error.fatal():
        fail_stop("ticks can't be appended", partition=message.partition(), error=str(error))
