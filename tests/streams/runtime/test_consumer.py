"""What Faust's consumer does otherwise, and would lose records by."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NoReturn, cast

import pytest
from aiokafka.consumer.fetcher import OffsetResetStrategy  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.runtime import consumer as consumer_module
from streams.runtime.batches import BatchScheduler
from streams.runtime.consumer import PositionedConsumer, PositionedThread
from streams.runtime.pace import Pace
from streams.runtime.unparsable import RecordParseError

ONE, TWO = TP("journal.v1", 0), TP("journal.v1", 1)


class Lanes:
    """Says where reading goes on."""

    def __init__(self, **_: object) -> None:
        self.next = {ONE: 7, TWO: 0}

    async def starts(self, assigned: set[TP], _consumer: object) -> Mapping[TP, int]:
        """Return the next offsets."""
        return {tp: self.next[tp] for tp in assigned}

    def done(self, tp: TP) -> int | None:
        """Return the offset to commit."""
        return self.next[tp]


class Thread:
    """Stands in for the consumer thread."""

    def __init__(self) -> None:
        self.sought: dict[TP, int] = {}
        self._consumer: object | None = object()

    def assignment(self) -> set[TP]:
        """Return both partitions."""
        return {ONE, TWO}

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Note where to."""
        self.sought.update(partitions)


@pytest.fixture
def consumer() -> PositionedConsumer:
    """A consumer without a broker."""
    made = object.__new__(PositionedConsumer)
    made.position_of = Lanes()
    made.scheduler = BatchScheduler()
    made._seeks = 0
    made._pace = Pace(0.0)
    made._thread = cast("Any", Thread())
    made._read_offset, made._committed_offset = defaultdict(None), defaultdict(None)
    made._buffered_partitions = set()
    made._acked, made._acked_index = defaultdict(list), defaultdict(set)
    return made


def test_nothing_is_assigned_before_the_thread_has_a_consumer(
    consumer: PositionedConsumer,
) -> None:
    """Faust raises there, and the health check that asked ended the process."""
    assert consumer.assignment() == {ONE, TWO}
    cast("Any", consumer._thread)._consumer = None  # noqa: SLF001 - as before its start
    assert consumer.assignment() == set()


async def test_partitions_without_a_committed_offset_are_sought_too(
    consumer: PositionedConsumer,
) -> None:
    """Faust leaves those where they are, and what was fetched and dropped from them is lost."""
    assert await consumer.seek_to_committed() == {ONE: 7, TWO: 0}
    assert cast("Any", consumer._thread).sought == {ONE: 7, TWO: 0}  # noqa: SLF001


async def test_records_fetched_across_a_seek_are_not_delivered(
    consumer: PositionedConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows from which side of the seek they are: they are dropped and sought again."""

    async def fetch(self: PositionedConsumer, _timeout: float) -> Any:
        if not self._seeks:
            await self.perform_seek()
        await asyncio.sleep(0)
        return {ONE: ["stale"]}, {ONE}

    monkeypatch.setattr(driver.Consumer, "_wait_next_records", fetch)
    records, _ = await consumer._wait_next_records(1.0)  # noqa: SLF001
    assert records is None
    assert consumer._seeks == 2  # noqa: SLF001
    records, _ = await consumer._wait_next_records(1.0)  # noqa: SLF001
    assert records == {ONE: ["stale"]}


async def test_fetching_goes_on_soon_after_back_pressure(
    consumer: PositionedConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every partition held back it is looked again in milliseconds, not after a second."""
    consumer.flow_active = True
    consumer._active_partitions = set()  # noqa: SLF001
    consumer._buffered_partitions = {ONE}  # noqa: SLF001

    async def fetch(_self: PositionedConsumer, _timeout: float) -> Any:
        return {}, set()

    monkeypatch.setattr(driver.Consumer, "_wait_next_records", fetch)
    loop = asyncio.get_running_loop()
    began = loop.time()
    loop.call_later(0.02, consumer._active_partitions.add, ONE)  # noqa: SLF001
    await consumer._wait_next_records(1.0)  # noqa: SLF001
    assert loop.time() - began >= 0.02
    assert consumer._active_partitions == {ONE}  # noqa: SLF001


async def test_what_arrives_piecemeal_is_fetched_together(
    consumer: PositionedConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a fetch that brought something the next one waits; after an empty one it doesn't."""
    consumer._pace = Pace(60.0)  # noqa: SLF001 - longer than the test may take
    brought: list[dict[str, int] | None] = [None, {"records": 1}]

    async def fetch(_self: PositionedConsumer, timeout: float) -> tuple[object, set[TP]]:  # noqa: ASYNC109
        del timeout
        return brought.pop(0), {ONE}

    monkeypatch.setattr(driver.Consumer, "_wait_next_records", fetch)
    assert await consumer._wait_next_records(1.0) == (None, {ONE})  # noqa: SLF001
    assert await consumer._wait_next_records(1.0) == ({"records": 1}, {ONE})  # noqa: SLF001
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(consumer._wait_next_records(1.0), 0.05)  # noqa: SLF001


async def test_committed_offset_is_what_is_done(consumer: PositionedConsumer) -> None:
    """Faust's own rule commits past a gap at the head; acks here only say that work is over."""
    consumer._acked[ONE] = [32, 33]  # noqa: SLF001
    consumer._acked_index[ONE] = {32, 33}  # noqa: SLF001
    assert consumer._new_offset(ONE) == 7  # noqa: SLF001
    assert consumer._acked[ONE] == []  # noqa: SLF001
    await consumer._add_gap(ONE, 1, 1_000_000)  # noqa: SLF001
    assert consumer._new_offset(ONE) == 7  # noqa: SLF001


async def test_crash_of_the_consumer_thread_is_a_fail_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Faust would mark the thread as crashed and leave a living, idle process."""

    class Stopped(BaseException):
        """The process would have ended."""

    def fail(_reason: str, **_coordinates: object) -> NoReturn:
        raise Stopped

    class App:
        should_stop = False

    class Owner:
        app = App()

    monkeypatch.setattr(consumer_module, "fail_stop", fail)
    thread = object.__new__(PositionedThread)
    thread.consumer = cast("Any", Owner())
    with pytest.raises(Stopped):
        await thread.crash(ValueError("injected"))


def test_fetch_wait_and_isolation_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust hard-codes 1500 ms, and reads what was aborted."""

    class Inner:
        _fetch_max_wait_ms = 1500
        _isolation_level = "read_uncommitted"

    monkeypatch.setattr(
        driver.AIOKafkaConsumerThread, "_create_worker_consumer", lambda *_: Inner()
    )
    thread = object.__new__(PositionedThread)
    made = thread._create_worker_consumer(None)
    assert (made._fetch_max_wait_ms, made._isolation_level) == (250, "read_committed")  # noqa: SLF001


async def test_unparsable_record_is_a_fail_stop_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever is called at night is told which record, and where to go on instead."""
    stopped: list[dict[str, object]] = []

    class Stopped(BaseException):
        """The process would have ended."""

    def fail(_reason: str, **coordinates: object) -> NoReturn:
        stopped.append(coordinates)
        raise Stopped

    async def fetch(*_: object, **__: object) -> Any:
        raise RecordParseError({"topic": "crm.deal.v1", "offset": 7}) from ValueError("injected")

    class App:
        should_stop = False

    class Owner:
        app = App()

    monkeypatch.setattr(consumer_module, "fail_stop", fail)
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
    thread = object.__new__(PositionedThread)
    thread.consumer = cast("Any", Owner())
    thread.unparsable_grace_s = 0.0
    with pytest.raises(Stopped):
        await thread._fetch_records(None, None)
    assert stopped == [{"topic": "crm.deal.v1", "offset": 7, "error": "ValueError('injected')",
                        "runbook": "A record that can't be parsed"}]  # fmt: skip


class _Fetcher:
    _default_reset_strategy = OffsetResetStrategy.EARLIEST


class _Inner:
    """An aiokafka consumer, as far as its reset policy goes."""

    def __init__(self) -> None:
        self._fetcher = _Fetcher()


def _thread(*, flowing: bool) -> PositionedThread:
    class App:
        should_stop = False

    class Owner:
        app = App()
        flow_active = flowing

    thread = object.__new__(PositionedThread)
    thread.consumer = cast("Any", Owner())
    return thread


async def test_position_that_left_the_log_is_a_fail_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aiokafka would go on at the log's beginning: a jump back is taken for repeats."""

    class Stopped(BaseException):
        """The process would have ended."""

    def fail(_reason: str, **_coordinates: object) -> NoReturn:
        raise Stopped

    async def fetch(_self: object, consumer: Any, *_: object, **__: object) -> Any:
        if consumer._fetcher._default_reset_strategy == OffsetResetStrategy.NONE:  # noqa: SLF001
            raise OffsetOutOfRangeError({ONE: 7})
        return {ONE: ["from the beginning"]}

    monkeypatch.setattr(consumer_module, "fail_stop", fail)
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
    with pytest.raises(Stopped):
        await _thread(flowing=True)._fetch_records(_Inner(), None)  # noqa: SLF001


async def test_partition_not_sought_yet_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between an assignment and its seek a partition may have no position at all."""

    async def fetch(*_: object, **__: object) -> Any:
        raise NoOffsetForPartitionError(ONE)

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
    assert await _thread(flowing=False)._fetch_records(_Inner(), None) == {}  # noqa: SLF001
