"""A lane: one owned journal partition, its state in memory, its transactions, its inbox."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol, cast

import structlog
from confluent_kafka import Consumer, Message

from schemas.topics import JOURNAL, state_topic
from streams.domain.effects import Effects
from streams.domain.fold import Fold
from streams.domain.state import State
from streams.domain.table import HEAD_KEY
from streams.runtime.batches import Delivery, Fetched
from streams.runtime.config import WorkerConfig
from streams.runtime.failstop import fail_stop
from streams.runtime.guard import admit, check_bounds, check_changelog, check_follows
from streams.runtime.identity import Headers, Origin
from streams.runtime.loader import bounds, changelog_rows, reader
from streams.runtime.pace import Hold, Pace
from streams.runtime.store import Disk, open_disk
from streams.runtime.telemetry import Telemetry
from streams.runtime.transactions import Transactions

BROKER_TIMEOUT_S = 30.0

log = structlog.get_logger(__name__)


class Throttle(Protocol):
    """Tells the consumer whether a partition may be fetched."""

    def __call__(self, partition: int, *, full: bool) -> None:
        """Stop fetching when `full`, go on when not."""


@dataclass(slots=True)
class Inbox:
    """What has been read and not been folded yet.

    Args:
        batches: Faust events with their entries, repeats already cut off.
        entries: How many entries that is.
    """

    batches: "deque[tuple[Delivery, Sequence[Fetched]]]"
    entries: int = 0

    def add(self, event: Delivery, records: Sequence[Fetched]) -> None:
        """Put a batch at the end."""
        self.batches.append((event, records))
        self.entries += len(records)

    def take(self, most: int, most_bytes: int) -> tuple[list[Delivery], list[Fetched]]:
        """Remove and return whole batches up to the limits, at least one if there is one."""
        events: list[Delivery] = []
        records: list[Fetched] = []
        size = 0
        while self.batches and size < most_bytes:
            event, more = self.batches[0]
            if events and len(records) + len(more) > most:
                break
            self.batches.popleft()
            events.append(event)
            records += more
            size += sum(len(record.value or b"") for record in more)
        self.entries -= len(records)
        return events, records

    def clear(self) -> None:
        """Forget everything: it will be read again."""
        self.batches.clear()
        self.entries = 0


class Lane:
    """Folds one journal partition, one transaction per batch.

    Life: `open` (in a thread: fence, load) → `start` → `offer`ed batches → `stop` at a rebalance,
    and `open` again if the partition stays. Any failure while folding or committing is a
    fail-stop: state in memory is then not known to be what is in the changelog.

    Args:
        partition: Journal partition.
        config: Worker configuration.
        fold: The fold.
        threads: Where commits wait for the broker. An own pool: asyncio's default one has six
            threads on two cores, too few for the lanes.
        throttle: Stops and resumes fetching of the partition.
        telemetry: Counters.
    """

    def __init__(
        self,
        partition: int,
        config: WorkerConfig,
        fold: Fold,
        *,
        threads: Executor,
        throttle: Throttle,
        telemetry: Telemetry,
    ) -> None:
        self.partition = partition
        self.state = State()
        self.opened = False
        self._config = config
        self._fold = fold
        self._threads = threads
        self._throttle = throttle
        self._telemetry = telemetry
        self._transactions: Transactions | None = None
        self._tail: int | None = None
        self._disk: Disk | None = None
        self._inbox = Inbox(deque())
        self._held: list[Fetched] = []
        self._expected = 0
        self._full = False
        self._bell = asyncio.Event()
        self._pace = Pace(config.period_ms / 1000)
        self._hold = Hold(config.hold_ms / 1000)
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._opening = threading.Lock()
        self._head_headers: Headers = ()
        self._committed: int | None = None
        self._origin = Origin("", "")

    @property
    def applied(self) -> int:
        """Offset of the last entry whose effects are committed; -1 for none."""
        return self.state.head.applied

    def open(self, origin: Origin, committed: int | None) -> None:
        """Fence earlier owners, then load the state. Blocks: call it in a thread.

        The order matters: whatever an earlier owner committed before the fence is loaded, and
        nothing can follow it.

        Args:
            origin: The logs there are now.
            committed: The group's journal offset; None for none.

        Raises:
            CorruptLog: The journal can't continue the state, or the state isn't whole.
            KafkaException: The broker refused or did not answer.
        """
        # A rebalance during an earlier `open` gives up waiting for it, but its thread goes on.
        with self._opening:
            self._origin, self._committed = origin, committed
            self._open()

    def _open(self) -> None:
        began = time.monotonic()
        self._transactions = None  # destroying a producer blocks, so it happens here
        self._transactions = Transactions(self._config, self.partition, self._origin)
        fenced = time.monotonic()
        loaded = self._load()
        self._expected = self.applied + 1
        log.info("opened lane", partition=self.partition, applied=self.applied, loaded=loaded,
                 fence_ms=round((fenced - began) * 1000),
                 load_ms=round((time.monotonic() - fenced) * 1000))  # fmt: skip

    def _load(self) -> bool:
        consumer = reader(self._config.client())
        try:
            topic = state_topic(self._config.app)
            low, high = bounds(consumer, topic, self.partition, BROKER_TIMEOUT_S)
            kept = high == self._tail
            if not kept:  # somebody else wrote after our last commit, or we never did
                self._head_headers = ()
                self.state = self._read(consumer, topic, low, high)
                self._tail = high
            check_changelog(self.partition, self.applied, low, self._committed)
            self._origin.check(self.partition, self._head_headers)
            check_bounds(
                self.partition,
                self.applied,
                *bounds(consumer, JOURNAL, self.partition, BROKER_TIMEOUT_S),
            )
        finally:
            consumer.close()
        return not kept

    def _read(self, consumer: Consumer, topic: str, low: int, high: int) -> State:
        def rows(start: int) -> Iterator[tuple[bytes, bytes | None]]:
            return changelog_rows(consumer, topic, self.partition, start, look=self._look)

        if not self._config.store_dir:
            return State.load(rows(low))
        if self._disk is None:
            self._disk = open_disk(self._config, self.partition)
        # What is kept of other logs is not resumed, so the head is read and compares them.
        state, start = self._disk.resume(" ".join(self._origin), low, high)
        self._disk.load(state, rows(start), high)
        return state

    def close(self) -> None:
        """Let go of what is on the disk; after `stop`. Blocks: call it in a thread."""
        with self._opening:
            self._tail = None  # what `open` would keep is gone
            if self._disk is not None:
                self._disk.close()
                self._disk = None

    def _look(self, key: bytes, message: Message) -> None:
        if key == HEAD_KEY:
            self._head_headers = cast("Headers", message.headers() or ())

    def start(self) -> None:
        """Begin to fold what is offered; on the event loop, after `open`."""
        self.opened = True
        self._stopping = False
        self._task = asyncio.get_running_loop().create_task(
            self._run(), name=f"lane-{self.partition}"
        )

    async def stop(self) -> None:
        """Finish the transaction in hand and forget what was not folded: it is read again.

        Must be done before the partition may go to another worker: a held batch committed after
        the new owner's fence would stop this process.
        """
        self.opened = False
        self._stopping = True
        self._bell.set()
        if self._task is not None:
            await self._task
            self._task = None
        self._inbox.clear()
        self._held.clear()
        self._hold.release()
        self._set_full(full=False)

    def offer(self, event: Delivery) -> None:
        """Take in one batch; refuse it loudly when it does not continue the journal.

        A lane that isn't open ignores it: it was read before the rebalance, from a position that
        isn't this lane's any more, and is read again.

        Raises:
            CorruptLog: An entry between was not delivered.
        """
        if not self.opened:
            event.ack()
            return
        batch = event.value
        known = admit(self.partition, self._expected, batch.first, batch.offset, len(batch.records))
        if known == len(batch.records):
            event.ack()
            return
        self._expected = batch.offset + 1
        self._inbox.add(event, batch.records[known:] if known else batch.records)
        if self._inbox.entries > self._config.inbox_max:
            self._set_full(full=True)
        self._bell.set()

    def _set_full(self, *, full: bool) -> None:
        if full != self._full:
            self._full = full
            self._throttle(self.partition, full=full)

    async def _run(self) -> None:
        try:
            while not self._stopping:
                await self._wait()
                self._bell.clear()
                while not self._stopping and (self._inbox.batches or self._expired()):
                    rest = self._pace.wait_s(time.monotonic())
                    if rest > 0:
                        await asyncio.sleep(rest)
                    await self._step()
        except asyncio.CancelledError:
            raise
        except BaseException:  # noqa: BLE001 - abort, fencing, timeout, bug: all the same
            fail_stop("lane failed", topic=JOURNAL, partition=self.partition,
                      applied=self.applied)  # fmt: skip

    def _expired(self) -> bool:
        return self._hold.remaining_s(time.monotonic()) == 0.0

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._hold.remaining_s(time.monotonic())):
                await self._bell.wait()
        except TimeoutError:
            return  # what is held has waited long enough

    async def _step(self) -> None:
        """Fold everything that came in during the last commit; commit it, or let it wait."""
        room = self._config.batch_max - len(self._held)
        events, fresh = self._inbox.take(room, self._config.batch_bytes)
        if self._full and self._inbox.entries < self._config.inbox_max // 2:
            self._set_full(full=False)
        records = self._held + fresh
        check_follows(
            self.partition, self.applied, records[0].offset, records[-1].offset, len(records)
        )
        began = time.monotonic()
        effects = self._fold(
            self.state, records, partition=self.partition, generation=self._config.generation
        )
        folded = time.monotonic()
        if self._hold.may_wait(folded, changed=effects.changed, entries=len(records)):
            self._held = records
        else:
            await self._commit(effects)
            self._held = []
            self._hold.release()
            self._telemetry.batch(self.partition, effects.counts, entries=len(records),
                                  fold_s=folded - began, commit_s=time.monotonic() - folded,
                                  applied=self.applied)  # fmt: skip
        for event in events:
            # Only tells Faust that nothing is in hand any more: the position is in the state.
            event.ack()

    async def _commit(self, effects: Effects) -> None:
        transactions = self._transactions
        assert transactions is not None  # noqa: S101 - `open` made it
        self._pace.started(time.monotonic())
        transactions.begin_and_write(effects)
        await asyncio.get_running_loop().run_in_executor(self._threads, transactions.commit)
        self._tail = transactions.tail
        self._head_headers = self._origin.headers()
        self.state.apply(effects)  # so that table views show committed values only
        if self._disk is not None:
            assert self._tail is not None  # noqa: S101 - it has just been committed
            self._disk.save(self.state, self._tail)
