"""The shell of ingest: writes what upstream said to the journal, and knows what is durable."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import structlog
from confluent_kafka import KafkaError, Message, Producer
from faust.types import TP

from schemas.errors import CorruptLog, InvalidEvent
from schemas.topics import DEAD_LETTER
from streams.runtime.batches import Batch, Delivery
from streams.runtime.config import IngestConfig
from streams.runtime.failstop import fail_stop
from streams.runtime.guard import Links
from streams.runtime.prefix import Prefix
from streams.runtime.telemetry import DEAD_LETTERS, EXPIRED, INGESTED, Telemetry
from streams.runtime.translation import Outgoing, Source, dead_letter, translate

POLL_S = 0.002
_LOGGED = frozenset({"reason", "path", "source_topic", "source_partition", "source_offset"})

log = structlog.get_logger(__name__)


class _Pending:
    """One batch on its way to the broker.

    Args:
        done: Called once, when the broker has all of it.
    """

    __slots__ = ("_done", "left", "sealed")

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done
        self.left = 0
        self.sealed = False

    def seal(self) -> None:
        """Note that everything of the batch was handed over."""
        self.sealed = True
        if not self.left:
            self._done()

    def delivered(self) -> None:
        """Note that the broker has one more record."""
        self.left -= 1
        if self.sealed and not self.left:
            self._done()


class Intake:
    """Writes journal entries and dead letters, and acks a source batch when all of it is durable.

    Each source partition is written in source order by one idempotent producer that stops at the
    first record it can't write (`enable.gapless.guarantee`), so every prefix of the journal holds
    a prefix of the source: what makes skipping repeats by source offset exact.

    Args:
        config: Ingest configuration.
        clock: Wall clock, UTC ms.
        telemetry: Counters.
        origins: Topic → the name its offsets are counted under; see `sources`.
    """

    def __init__(
        self,
        config: IngestConfig,
        *,
        clock: Callable[[], int],
        telemetry: Telemetry,
        origins: Mapping[str, str] | None = None,
    ) -> None:
        self._config = config
        self._origins = origins or {}
        self._clock = clock
        self._telemetry = telemetry
        self._prefix = Prefix({})
        self._links = Links()
        self._in_flight = 0
        self._busy, self._room = asyncio.Event(), asyncio.Event()
        self._producer = Producer({
            **config.client(),
            "enable.idempotence": True,
            "enable.gapless.guarantee": True,
            # No entry is given up: while the broker is away nothing is acked and reading stops.
            "message.timeout.ms": 0,
            "linger.ms": config.linger_ms,
            "compression.type": "lz4",
            "message.max.bytes": 10 * 1024 * 1024,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 2_000_000,
            "queue.buffering.max.kbytes": 1 << 20,
        })  # fmt: skip

    async def starts(self, assigned: set[TP], consumer: Any) -> Mapping[TP, int]:
        """Return where reading goes on: the group's position, else the start of the log.

        Raises:
            CorruptLog: A topic ends before what was read of it, or begins after it.
        """
        sources = {TP(*tp) for tp in assigned}
        committed = await consumer.committed(sources)
        earliest = await consumer.earliest_offsets(*sources)
        ends = await consumer.highwaters(*sources)
        starts: dict[tuple[str, int], int] = {}
        for tp in sources:
            starts[tp.topic, tp.partition] = self._start(
                tp, committed.get(tp), earliest[tp], ends[tp]
            )
        # What an earlier assignment still has on its way reports to the earlier prefix.
        self._prefix, self._links = Prefix(starts), Links()
        for source, offset in starts.items():
            self._links.seek(source, offset)
        return {tp: starts[tp.topic, tp.partition] for tp in sources}

    def _start(self, tp: TP, committed: int | None, earliest: int, end: int) -> int:
        if committed is None:
            return earliest
        if committed > end:
            raise CorruptLog(
                f"{tp.topic} partition {tp.partition}: read up to {committed} but the log ends at "
                f"{end}; the topic was created again or lost its end"
            )
        if committed < earliest:
            lost = earliest - committed
            if tp.topic not in self._config.accept:
                raise CorruptLog(
                    f"{tp.topic} partition {tp.partition}: records {committed}..{earliest - 1} "
                    "expired before they were read; have upstream send them again, then start "
                    f"once with `daybook ingest --accept {tp.topic}`"
                )
            self._telemetry.count(EXPIRED, lost, tp.topic)
            log.error("lost upstream records to retention", topic=tp.topic, partition=tp.partition,
                      first=committed, count=lost)  # fmt: skip
        return max(committed, earliest)

    def done(self, tp: TP) -> int | None:
        """Return the next offset to read if everything below it is in the journal."""
        return self._prefix.position((tp.topic, tp.partition))

    def busy(self, tp: TP) -> bool:
        """Tell whether records of a partition are on their way to the broker."""
        return self._prefix.busy((tp.topic, tp.partition))

    async def write(self, event: Delivery) -> None:
        """Write one batch; returns when the producer has it and has room for more.

        Raises:
            CorruptLog: Records before it were lost on the way here.
        """
        batch = event.value
        source, last, prefix = (batch.topic, batch.partition), batch.offset, self._prefix
        self._links.follow(source, batch.before, last)
        prefix.begin(source, last)

        def done() -> None:
            prefix.finish(source, last)
            event.ack()

        pending = _Pending(done)
        self._produce(batch, pending)
        pending.seal()
        self._busy.set()
        while self._in_flight > self._config.in_flight_max:
            self._room.clear()
            await self._room.wait()

    def _produce(self, batch: Batch, pending: _Pending) -> None:
        produce, delivered = self._producer.produce, self._report_to(pending)
        dead: list[Outgoing] = []
        for out in self._translate(batch):
            pending.left += 1
            self._in_flight += 1
            produce(out.topic, out.value, out.key, out.partition, delivered, headers=out.headers)
            if out.topic == DEAD_LETTER:
                dead.append(out)
        self._telemetry.count(INGESTED, len(batch.records) - len(dead), batch.topic)
        if dead:
            self._note(dead)

    def _note(self, dead: list[Outgoing]) -> None:
        reasons = [dict(out.headers or [])["reason"] for out in dead]
        for reason in reasons:
            assert isinstance(reason, bytes)  # noqa: S101 - `dead_letter` made it
            self._telemetry.count(DEAD_LETTERS, 1, dead[0].key.decode(), reason.decode())
        first = {name: value.decode() for name, value in (dead[0].headers or [])
                 if isinstance(value, bytes) and name in _LOGGED}  # fmt: skip
        log.info("set dead letters aside", count=len(dead), **first)

    def _translate(self, batch: Batch) -> Iterator[Outgoing]:
        now_ms, partitions = self._clock(), self._config.partitions
        topic, partition = batch.topic, batch.partition
        origin = self._origins.get(topic, topic)
        for record in batch.records:
            source = Source(
                topic, partition, record.offset, record.key, record.value, record.headers
            )
            try:
                yield from translate(source, now_ms=now_ms, partitions=partitions, origin=origin)
            except InvalidEvent as error:
                yield dead_letter(source, error)

    def _report_to(self, pending: _Pending) -> Callable[[KafkaError | None, Message], None]:
        # Reports are served in this thread only, by `serve`: plain counters will do. (What `poll`
        # returns is not the number of reports.)
        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                # Nothing may follow a record that is missing: the fold skips what isn't higher
                # than the highest source offset it has seen, and would take it for a repeat.
                fail_stop("journal write failed", topic=message.topic(),
                          partition=message.partition(), error=str(error))  # fmt: skip
            self._in_flight -= 1
            pending.delivered()

        return delivered

    async def serve(self) -> None:
        """Serve delivery reports until cancelled; sleeps while nothing is on its way."""
        while True:
            await self._busy.wait()
            while self._in_flight:
                self._producer.poll(0)
                if self._in_flight <= self._config.in_flight_max:
                    self._room.set()
                await asyncio.sleep(POLL_S)
            self._busy.clear()

    def close(self, timeout_s: float = 5.0) -> None:
        """Wait for what is on its way; what isn't done in time is read again at the next start."""
        self._producer.flush(timeout_s)
