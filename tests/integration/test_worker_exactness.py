"""Whatever kills a worker, its state and outputs equal one offline fold of the journal."""

import signal
from pathlib import Path

import pytest

from infra.embedded.ports import free_port
from schemas.topics import EFFECT, state_topic
from streams.domain.state import State
from streams.runtime.disk import DiskRows
from tests.integration.conftest import PARTITIONS
from tests.integration.journal_check import applied, assert_exact, read_log
from tests.integration.running import Running, log_end, wait_for
from tests.integration.traffic import JournalWriter, events

pytestmark = pytest.mark.integration


def config(kafka: str, app: str, instance: str) -> dict[str, object]:
    """Return the configuration of a worker under test."""
    return {"bootstrap": kafka, "app": app, "instance": instance, "metrics_port": free_port()}


def caught_up(worker: Running) -> bool:
    """Tell whether a worker owns every partition and has folded all but the newest ticks."""
    health = worker.health()
    return bool(
        health
        and health["healthy"]
        and health["lanes_owned"] == PARTITIONS
        and all(p["lag"] is not None and p["lag"] < 20 for p in health["partitions"].values())
    )


def kill_again_and_again(
    kafka: str, worker: Running, kills: tuple[dict[str, object], ...], *, seed: int
) -> None:
    """Kill a worker at each point while entries come, then let it fold all of them and end."""
    writer, stream = JournalWriter(kafka), events(seed=seed, count=10_000)
    for kill in kills:
        worker.faults = {"kill_at": kill}
        with worker:
            while not worker.has_ended(within_s=0.05):
                writer.write_some(stream, 20)
            assert worker.process.returncode == -signal.SIGKILL
    worker.faults = {}
    with worker:
        wait_for(lambda: caught_up(worker), "all is folded")
        assert worker.terminate() == 0


KILLS: tuple[dict[str, object], ...] = (
    {"point": "produced"},
    {"point": "fence", "after_s": 0.05},
    {"point": "fence", "after_s": 0.3},
    {"point": "sent"},
    {"point": "opened"},
    {"point": "commit", "after_s": 0.001},
    {"point": "commit", "after_s": 0.004, "batch": 9},
    {"point": "sent", "batch": 5},
    {"point": "commit", "after_s": 0.008},
)


def test_kills_at_any_point_lose_and_double_nothing(kafka: str, app: str, tmp_path: Path) -> None:
    """SIGKILL in fence, load, before and inside commits leaves the offline fold's result."""
    worker = Running("worker", tmp_path / "worker.log", config(kafka, app, "w1"))
    kill_again_and_again(kafka, worker, KILLS, seed=1)
    assert assert_exact(kafka, app, PARTITIONS) > 1_000
    seen = sum(len(read_log(kafka, EFFECT, p)) for p in range(PARTITIONS))
    there = sum(len(read_log(kafka, EFFECT, p, "read_uncommitted")) for p in range(PARTITIONS))
    assert there > seen, "no aborted records: no kill hit an open transaction"


DISK_KILLS: tuple[dict[str, object], ...] = (
    {"point": "committed"},
    {"point": "sent", "batch": 9},
    {"point": "committed", "batch": 9},
)


def test_kills_leave_no_row_on_the_disk_behind(kafka: str, app: str, tmp_path: Path) -> None:
    """SIGKILL between a commit and its rows in RocksDB: the rest of the changelog mends it."""
    on_disk = config(kafka, app, "w1") | {"store_dir": str(tmp_path / "store")}
    worker = Running("worker", tmp_path / "worker.log", on_disk)
    kill_again_and_again(kafka, worker, DISK_KILLS, seed=5)
    assert assert_exact(kafka, app, PARTITIONS) > 300
    for partition in range(PARTITIONS):
        rows = read_log(kafka, state_topic(app), partition)
        kept = State.load(row.row for row in rows)
        disk = DiskRows(tmp_path / "store" / app / "w1" / f"p{partition}")
        mark = disk._mark()  # noqa: SLF001 - what the next start would go on from
        assert mark is not None
        found, start = disk.resume(mark.origin, 0, mark.tail)
        assert start == log_end(kafka, state_topic(app), partition)
        assert dict(found.rows()) == dict(kept.rows())
        disk.close()


def test_zombie_is_fenced_and_leaves_nothing(kafka: str, app: str, tmp_path: Path) -> None:
    """A worker frozen inside a transaction exits 70 later; its successor's work stands."""
    writer = JournalWriter(kafka)
    trigger = tmp_path / "freeze"
    faults = {"stop_with_open_transaction": {"trigger": str(trigger)}}
    zombie = Running("worker", tmp_path / "zombie.log", config(kafka, app, "w1"), faults)
    heir = Running("worker", tmp_path / "heir.log", config(kafka, app, "w2"))
    stream = events(seed=2, count=4_000)
    with zombie:
        zombie.wait_running()
        writer.write_some(stream, 1_000)
        wait_for(lambda: caught_up(zombie), "the first thousand")
        trigger.touch()
        writer.write_some(stream, 500)
        wait_for(lambda: not trigger.exists(), "the worker freezes")
        writer.write_some(stream, 500)
        with heir:
            wait_for(lambda: caught_up(heir), "the heir owns everything", 90)
            writer.write_some(stream, 500)
            zombie.process.send_signal(signal.SIGCONT)
            assert zombie.wait_exit() == 70
            writer.write_some(stream, 500)
            wait_for(lambda: caught_up(heir), "the heir goes on")
            assert heir.terminate() == 0
    assert_exact(kafka, app, PARTITIONS)


def test_partitions_move_between_workers(kafka: str, app: str, tmp_path: Path) -> None:
    """A worker that joins and one that leaves hand over partitions without a failure."""
    writer = JournalWriter(kafka)
    stream = events(seed=3, count=3_000)
    first = Running("worker", tmp_path / "first.log", config(kafka, app, "w1"))
    second = Running("worker", tmp_path / "second.log", config(kafka, app, "w2"))

    def share(worker: Running) -> int:
        health = worker.health()
        return int(health["lanes_owned"]) if health and health["healthy"] else 0

    with first, second:
        writer.write_some(stream, 1_000)
        wait_for(
            lambda: 0 < share(first) < PARTITIONS == share(first) + share(second),
            "both have partitions",
        )
        writer.write_some(stream, 1_000)
        assert second.terminate() == 0
        wait_for(lambda: caught_up(first), "the first has all partitions again")
        writer.write_some(stream, 1_000)
        wait_for(lambda: caught_up(first), "the rest")
        assert first.process.poll() is None
        assert first.terminate() == 0
    assert assert_exact(kafka, app, PARTITIONS) > 500


def test_broker_restart_is_survived_by_restarting(
    kafka: str, app: str, tmp_path: Path, engines: object
) -> None:
    """SIGKILL of the broker under load costs a restart of the worker at most."""
    from infra.embedded.running import RunningStack

    assert isinstance(engines, RunningStack)
    writer = JournalWriter(kafka)
    stream = events(seed=4, count=2_000)
    with Running("worker", tmp_path / "worker.log", config(kafka, app, "w1")) as worker:
        worker.wait_running()
        writer.write_some(stream, 1_000)
        engines.kill("kafka")
        writer.write_some(stream, 1_000, flush=False)
        engines.wait_healthy("kafka")
        writer.flush()
        wait_for(lambda: worker.restart_if_ended() or caught_up(worker), "it goes on", 90)
        wait_for(lambda: caught_up(worker), "all is folded", 90)
        assert worker.terminate() == 0
    assert_exact(kafka, app, PARTITIONS)
    assert applied(kafka, app, 0) > 0
