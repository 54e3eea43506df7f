"""What happens between an assignment and the first record, and what Faust would do instead."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, cast

import pytest
from faust.tables.recovery import Recovery
from faust.types import TP

from schemas.topics import JOURNAL
from streams.domain.fold import fold
from streams.runtime import application as application_module
from streams.runtime import assignment as assignment_module
from streams.runtime.assignment import LaneRecovery, LaneTables
from streams.runtime.batches import Batch
from streams.runtime.config import WorkerConfig
from streams.runtime.identity import Origin
from streams.runtime.lane import Lane
from streams.runtime.telemetry import Telemetry
from streams.runtime.worker import WorkerApp


class Stopped(BaseException):
    """The process would have ended."""


def _fail(_reason: str, **_coordinates: object) -> NoReturn:
    raise Stopped


class Steps:
    """An app that notes in which order it is asked.

    Args:
        failure: What opening raises.
    """

    def __init__(self, failure: Exception | None = None) -> None:
        self.taken: list[str] = []
        self.failure = failure
        self.consumer = self

    def stop_flow(self) -> None:
        """Fetch nothing more."""
        self.taken.append("stop fetching")

    async def assigned(self) -> None:
        """Open."""
        self.taken.append("open")
        if self.failure is not None:
            raise self.failure


def _recovery(app: Steps, monkeypatch: pytest.MonkeyPatch) -> LaneRecovery:
    async def completed(_self: Recovery, _generation_id: int = 0) -> None:
        app.taken.append("seek and go on")

    monkeypatch.setattr(Recovery, "on_recovery_completed", completed)
    monkeypatch.setattr(assignment_module, "fail_stop", _fail)
    recovery = object.__new__(LaneRecovery)
    recovery.app = cast("Any", app)
    return recovery


async def test_nothing_is_fetched_while_lanes_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Faust fetches before the seek it drops, and the seek then begins behind it."""
    app = Steps()
    await _recovery(app, monkeypatch).on_recovery_completed()
    assert app.taken == ["stop fetching", "open", "seek and go on"]


async def test_failed_opening_is_a_fail_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust would log it and fold the journal onto an empty state."""
    app = Steps(ValueError("injected"))
    with pytest.raises(Stopped):
        await _recovery(app, monkeypatch).on_recovery_completed()
    assert app.taken == ["stop fetching", "open"]


async def test_recovery_begins_without_sleeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust sleeps a second here, at every start of a process."""
    begun: list[str] = []

    class Beginning:
        async def start(self) -> None:
            begun.append("recovery")

    async def sleep(_self: LaneTables, _seconds: float) -> None:
        begun.append("sleep")

    async def channels(_self: LaneTables) -> None:
        begun.append("channels")

    monkeypatch.setattr(LaneTables, "sleep", sleep)
    monkeypatch.setattr(LaneTables, "_update_channels", channels)
    tables = object.__new__(LaneTables)
    tables._recovery = cast("Any", Beginning())
    monkeypatch.setattr(LaneTables, "should_stop", False, raising=False)
    await tables.on_start()
    assert begun == ["channels", "recovery"]


def test_lane_opens_once_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebalance abandons an opening, its thread goes on: two would fence and load each other."""
    together = threading.Barrier(2)
    met: list[bool] = []

    def open_(_lane: Lane) -> None:
        try:
            together.wait(0.3)
        except threading.BrokenBarrierError:
            together.reset()
        else:
            met.append(True)

    monkeypatch.setattr(Lane, "_open", open_)
    with ThreadPoolExecutor(2) as threads:
        lane = Lane(0, WorkerConfig(), fold, threads=threads,
                    throttle=lambda *_args, **_options: None, telemetry=Telemetry())  # fmt: skip
        done = [threads.submit(lane.open, Origin("j", "s"), None) for _ in range(2)]
        for each in done:
            each.result()
    assert met == []


@pytest.fixture
async def app() -> WorkerApp:
    """A worker that isn't started."""
    app = WorkerApp(WorkerConfig(), fold, Telemetry())
    app.finalize()
    return app


async def test_crash_of_a_service_is_a_fail_stop(
    app: WorkerApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust marks itself as crashed and lives on; an orderly stop may crash what it likes."""
    monkeypatch.setattr(application_module, "fail_stop", _fail)
    with pytest.raises(Stopped):
        app._crash(ValueError("injected"))  # noqa: SLF001


async def test_nothing_is_kept_on_disk(
    app: WorkerApp, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A data directory nobody uses would need a writable place for every process."""
    monkeypatch.chdir(tmp_path)
    app._create_directories()  # noqa: SLF001
    assert list(tmp_path.iterdir()) == []


async def test_batches_pass_through_undecoded(app: WorkerApp) -> None:
    """A decoding error inside Faust would skip the record."""

    class Received:
        key, headers = None, ()
        value = Batch((JOURNAL, 0), [cast("Any", _Raw())], -1)

    made: list[Any] = []
    monkey = cast("Any", app)
    monkey.create_event = lambda _key, value, _headers, _message: made.append(value)
    schema = cast("Any", app.journal).schema
    await schema.compile(app)(Received())
    assert made == [Received.value]


class _Raw:
    """A fetched record that is no JSON."""

    offset, key, value, headers, timestamp, timestamp_type = 0, None, b"\x00", (), 0, 0


async def test_partitions_are_held_back_by_fausts_own_name(app: WorkerApp) -> None:
    """Any other tuple that compares equal fails an assertion in the next fetch."""
    held: list[Any] = []

    class Consumer:
        on_buffer_full = on_buffer_drop = held.append

    app._consumer = cast("Any", Consumer())  # noqa: SLF001
    app._throttle(2, full=True)  # noqa: SLF001
    app._throttle(2, full=False)  # noqa: SLF001
    assert held == [TP(JOURNAL, 2)] * 2
    assert {type(tp) for tp in held} == {TP}
