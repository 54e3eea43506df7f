"""A lane folds what it is offered, one transaction per batch, and shows only what is committed."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn, cast

import pytest

from schemas.codec import encode_row
from schemas.errors import CorruptLog
from streams.domain.effects import Effects
from streams.domain.state import State
from streams.domain.table import HEAD_KEY
from streams.runtime import lane as lane_module
from streams.runtime.batches import Batch
from streams.runtime.config import WorkerConfig
from streams.runtime.disk import DiskRows
from streams.runtime.lane import Lane
from streams.runtime.telemetry import Telemetry

HOLD_MS = 200


@dataclass
class Record:
    """A journal record; `b"tick"` lets time pass, anything else is counted under its value."""

    offset: int
    value: bytes = b"tick"
    key: bytes | None = None
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    timestamp: int = 0
    timestamp_type: int = 0


@dataclass
class Event:
    """A Faust event that remembers when it was acked."""

    value: Batch
    acked: bool = False

    def ack(self) -> None:
        """Acknowledge."""
        self.acked = True


def event(*records: Record) -> Event:
    """Return an event with a batch."""
    return Event(Batch(("journal.v1", 0), records, records[0].offset - 1))


def count(state: State, records: Sequence[Any], *, partition: int, generation: int = 1) -> Effects:
    """Count entries by value; what an entry adds depends on what is committed."""
    assert partition == 0
    effects = Effects(replace(state.head, applied=records[-1].offset))
    seen = {value: len(state.tables[b"s"].get(value, b"")) for value in {r.value for r in records}}
    for record in records:
        if record.value != b"tick":
            seen[record.value] += generation
            effects.changed = True
    effects.rows = [(b"s" + k, b"x" * n) for k, n in seen.items() if k != b"tick"]
    effects.rows.append((HEAD_KEY, encode_row(effects.head)))
    return effects


@dataclass
class Ledger:
    """Stands in for the transactional producer: keeps what was committed."""

    tail: int = 0
    written: list[Effects] = field(default_factory=list)
    committed: list[Effects] = field(default_factory=list)
    failure: Exception | None = None
    gate: asyncio.Event | None = None

    def begin_and_write(self, effects: Effects) -> None:
        """Hand over."""
        self.written.append(effects)

    def commit(self) -> None:
        """Commit, or fail."""
        if self.failure is not None:
            raise self.failure
        self.committed.append(self.written[-1])
        self.tail += len(self.written[-1].rows) + 1


class Stopped(BaseException):
    """The process would have ended."""


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """A pool for commits."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


class Bench:
    """A lane on a bench: its ledger, and which partitions it held back.

    Args:
        threads: For commits.
        config: Worker configuration.
    """

    def __init__(self, threads: ThreadPoolExecutor, config: WorkerConfig) -> None:
        self.ledger = Ledger()
        self.throttled: list[bool] = []
        self.lane = Lane(0, config, count, threads=threads, throttle=self._throttle,
                         telemetry=Telemetry())  # fmt: skip
        self.lane._transactions = cast("Any", self.ledger)  # noqa: SLF001 - no broker here

    def _throttle(self, partition: int, *, full: bool) -> None:
        assert partition == 0
        self.throttled.append(full)

    async def until_applied(self, offset: int) -> None:
        """Wait until an offset is committed."""
        async with asyncio.timeout(5):
            while self.lane.applied < offset:  # noqa: ASYNC110 - a lane announces nothing
                await asyncio.sleep(0.001)


@pytest.fixture
def bench(threads: ThreadPoolExecutor) -> Bench:
    """A lane that commits at once and holds time-only batches for 0.2 s."""
    return Bench(threads, WorkerConfig(period_ms=0, hold_ms=HOLD_MS, inbox_max=3))


async def test_batch_is_acked_and_visible_after_its_commit(bench: Bench) -> None:
    """The table view changes and Faust is told when the transaction is committed, not before."""
    bench.lane.start()
    first = event(Record(0, b"a"), Record(1, b"b"))
    bench.lane.offer(first)
    assert bench.lane.state.tables[b"s"] == {}
    assert not first.acked
    await bench.until_applied(1)
    await bench.lane.stop()
    assert bench.lane.state.tables[b"s"] == {b"a": b"x", b"b": b"x"}
    assert first.acked


async def test_rows_on_the_disk_follow_each_commit(bench: Bench, tmp_path: Path) -> None:
    """What a lane leaves on the disk is what it has committed, with how far the changelog goes."""
    rows = DiskRows(tmp_path / "p0")
    bench.lane.state, _ = rows.resume("logs", 0, 0)
    bench.lane._disk = rows  # noqa: SLF001 - `open` would, with a broker
    bench.lane.start()
    for offset in range(3):
        bench.lane.offer(event(Record(offset, b"a")))
        await bench.until_applied(offset)
    await bench.lane.stop()
    bench.lane.close()
    again = DiskRows(tmp_path / "p0")
    state, start = again.resume("logs", 0, bench.ledger.tail)
    assert (start, state.head.applied) == (bench.ledger.tail, 2)
    assert dict(state.tables[b"s"]) == {b"a": b"xxx"}
    again.close()


async def test_repeats_are_cut_off(bench: Bench) -> None:
    """Entries read again after a seek are folded once; a batch of nothing else is acked at once."""
    bench.lane.start()
    bench.lane.offer(event(Record(0, b"a"), Record(1, b"a")))
    bench.lane.offer(event(Record(0, b"a"), Record(1, b"a"), Record(2, b"a")))
    again = event(Record(1, b"a"), Record(2, b"a"))
    bench.lane.offer(again)
    assert again.acked
    await bench.until_applied(2)
    await bench.lane.stop()
    assert bench.lane.state.tables[b"s"] == {b"a": b"xxx"}


async def test_gap_is_refused_when_it_is_offered(bench: Bench) -> None:
    """What doesn't continue the journal never gets into a transaction."""
    bench.lane.start()
    bench.lane.offer(event(Record(0, b"a")))
    with pytest.raises(CorruptLog, match="expected offset 1"):
        bench.lane.offer(event(Record(2, b"a")))
    await bench.lane.stop()


async def test_lane_that_is_not_open_ignores_what_it_is_offered(bench: Bench) -> None:
    """Read before the rebalance, it is read again: kept, it would run into what is read then."""
    stale = event(Record(5, b"a"))
    bench.lane.offer(stale)
    assert stale.acked
    bench.lane.start()
    bench.lane.offer(event(Record(0, b"b")))
    await bench.until_applied(0)
    await bench.lane.stop()
    assert bench.lane.state.tables[b"s"] == {b"b": b"x"}


async def test_gap_is_refused_when_it_is_folded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever lost an entry between `offer` and the fold, held ones too: nothing is committed."""
    failed: list[str] = []

    def fail(_reason: str, **_coordinates: object) -> NoReturn:
        failed.append(str(sys.exc_info()[1]))
        raise Stopped

    monkeypatch.setattr(lane_module, "fail_stop", fail)
    bench.lane.start()
    held = event(Record(0))
    bench.lane.offer(held)
    async with asyncio.timeout(5):
        while not held.acked:  # noqa: ASYNC110 - folded, and held
            await asyncio.sleep(0.001)
    bench.lane._held.clear()  # noqa: SLF001 - the fault
    bench.lane.offer(event(Record(1, b"a")))
    with pytest.raises(Stopped):
        await cast("asyncio.Task[None]", bench.lane._task)  # noqa: SLF001
    assert failed == [
        "journal partition 0: offset -1 was folded last, and 1 entries at 1..1 don't follow it"
    ]
    assert bench.ledger.committed == []


async def test_time_only_batches_share_a_commit(bench: Bench) -> None:
    """Ticks wait, and are committed together with the next change."""
    bench.lane.start()
    for offset in range(3):
        bench.lane.offer(event(Record(offset)))
        await asyncio.sleep(0)
    assert bench.ledger.committed == []
    bench.lane.offer(event(Record(3, b"a")))
    await bench.until_applied(3)
    await bench.lane.stop()
    assert [effects.head.applied for effects in bench.ledger.committed] == [3]


async def test_held_ticks_are_committed_in_the_end(bench: Bench) -> None:
    """With nothing else to come, time-only batches wait no longer than the hold."""
    bench.lane.start()
    began = asyncio.get_running_loop().time()
    bench.lane.offer(event(Record(0)))
    await bench.until_applied(0)
    assert asyncio.get_running_loop().time() - began >= HOLD_MS / 1000 * 0.9
    await bench.lane.stop()


async def test_stopped_lane_commits_nothing_more(bench: Bench) -> None:
    """What is held when the partition is revoked is dropped: its next owner reads it again."""
    bench.lane.start()
    held = event(Record(0))
    bench.lane.offer(held)
    async with asyncio.timeout(5):
        while not held.acked:  # noqa: ASYNC110 - folded, and held
            await asyncio.sleep(0.001)
    await bench.lane.stop()
    assert bench.lane._hold.remaining_s(1e9) is None  # noqa: SLF001
    assert bench.ledger.committed == []
    assert bench.lane.applied == -1


async def test_failed_commit_is_a_fail_stop(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An abort, a fencing or a time-out ends the process before anything is acked or visible."""
    reasons: list[dict[str, object]] = []

    def fail(reason: str, **coordinates: object) -> NoReturn:
        reasons.append({"reason": reason, **coordinates})
        raise Stopped

    monkeypatch.setattr(lane_module, "fail_stop", fail)
    bench.ledger.failure = RuntimeError("fenced")
    bench.lane.start()
    first = event(Record(0, b"a"))
    bench.lane.offer(first)
    with pytest.raises(Stopped):
        await cast("asyncio.Task[None]", bench.lane._task)  # noqa: SLF001
    assert reasons == [
        {"reason": "lane failed", "topic": "journal.v1", "partition": 0, "applied": -1}
    ]
    assert not first.acked
    assert bench.lane.state.tables[b"s"] == {}


async def test_full_inbox_holds_its_partition_back(bench: Bench) -> None:
    """Past the limit the partition isn't fetched, and it is again when the lane has caught up."""
    bench.lane.start()
    bench.lane.offer(event(*(Record(offset, b"a") for offset in range(4))))
    assert bench.throttled == [True]
    await bench.until_applied(3)
    await bench.lane.stop()
    assert bench.throttled == [True, False]
