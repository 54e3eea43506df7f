"""A worker that can't be right stops with 70, and says where; one that can't start says why."""

import urllib.error
from pathlib import Path

import pytest
from confluent_kafka import Producer

from infra.embedded.ports import free_port
from schemas.codec import encode_entry
from schemas.errors import ConfigurationError, Unavailable
from schemas.journal import tick
from schemas.topics import JOURNAL
from streams.app import IngestConfig, WorkerConfig, run_ingest, run_worker
from tests.integration.conftest import PARTITIONS, MakeTopics
from tests.integration.journal_check import applied, read_log
from tests.integration.replaced import cut
from tests.integration.running import Running, wait_for
from tests.integration.traffic import JournalWriter, events

pytestmark = pytest.mark.integration


def worker(kafka: str, app: str, log: Path, **config: object) -> Running:
    """Return a worker that isn't started yet."""
    fixed = {"bootstrap": kafka, "app": app, "instance": "w1", "metrics_port": free_port()}
    return Running("worker", log, fixed | config)


def test_hole_in_the_journal_stops_the_worker(kafka: str, app: str, tmp_path: Path) -> None:
    """A transactional writer's commit marker is a hole: the dense guard stops with coordinates."""
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": "not-ours"})
    producer.init_transactions(30)
    for _ in range(2):
        producer.begin_transaction()
        producer.produce(JOURNAL, encode_entry(tick(1)), partition=1)
        producer.commit_transaction(30)
    with worker(kafka, app, tmp_path / "worker.log", tick_ms=0) as running:
        assert running.wait_exit() == 70
    log = (tmp_path / "worker.log").read_text()
    assert "journal partition 1" in log
    assert "not dense" in log or "expected offset 1, got 2..2" in log


def test_retention_past_the_position_stops_the_worker(kafka: str, app: str, tmp_path: Path) -> None:
    """Entries deleted before they were folded are an error that names them, never a silent skip."""
    writer = JournalWriter(kafka)
    with worker(kafka, app, tmp_path / "first.log", tick_ms=0) as first:
        writer.write_some(events(seed=5, count=400), 400)
        wait_for(lambda: applied(kafka, app, 0) > 10, "some are folded")
        assert first.terminate() == 0
    writer.write_some(events(seed=6, count=400), 400)
    end = len(read_log(kafka, JOURNAL, 0))
    cut(kafka, JOURNAL, 0, end - 5)
    with worker(kafka, app, tmp_path / "second.log", tick_ms=0) as second:
        assert second.wait_exit() == 70
    assert "were deleted before they were folded" in (tmp_path / "second.log").read_text()


def test_entry_that_is_none_stops_the_worker(kafka: str, app: str, tmp_path: Path) -> None:
    """Bytes in the journal that are no entry are corruption, not something to skip."""
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(JOURNAL, b"not an entry", partition=2)
    producer.flush(30)
    with worker(kafka, app, tmp_path / "worker.log", tick_ms=0) as running:
        assert running.wait_exit() == 70
    assert applied(kafka, app, 2) == -1


def test_crashed_consumer_thread_ends_the_process(kafka: str, app: str, tmp_path: Path) -> None:
    """Faust would go on living without reading; the process exits with 70 instead."""
    trigger = tmp_path / "crash"
    with worker(kafka, app, tmp_path / "worker.log") as running:
        running.terminate()
        running.faults = {"crash_consumer_thread": {"trigger": str(trigger)}}
        running.start()
        running.wait_running()
        trigger.touch()
        assert running.wait_exit() == 70
    assert "consumer thread crashed" in (tmp_path / "worker.log").read_text()


def test_sigterm_is_an_orderly_stop(kafka: str, app: str, tmp_path: Path) -> None:
    """After SIGTERM what was folded is committed, the exit code is 0, nothing is served."""
    writer = JournalWriter(kafka)
    with worker(kafka, app, tmp_path / "worker.log") as running:
        health = running.wait_running()
        assert health["lanes_owned"] == PARTITIONS
        writer.write_some(events(seed=7, count=500), 500)
        wait_for(lambda: sum(applied(kafka, app, p) for p in range(PARTITIONS)) > 400, "folded")
        assert "daybook_streams_transaction_seconds_count" in running.metrics()
        assert running.terminate() == 0
        with pytest.raises(urllib.error.URLError):
            running.metrics()


def test_missing_topics_are_a_configuration_error(kafka: str, topics: MakeTopics) -> None:
    """Topics that don't exist are named, with the command that makes them."""
    topics()
    with pytest.raises(ConfigurationError, match="nobody-state; run `daybook topics create`"):
        run_worker(WorkerConfig(bootstrap=kafka, app="nobody"))


def test_wrong_partition_count_is_a_configuration_error(kafka: str, topics: MakeTopics) -> None:
    """A count that differs from the setting would send effects where nobody looks."""
    app = topics(partitions=2)
    with pytest.raises(ConfigurationError, match="has 2 partitions, not 4"):
        run_ingest(IngestConfig(bootstrap=kafka, app=app, partitions=4))


def test_no_broker_is_unavailable() -> None:
    """A broker that doesn't answer at the start is said in one line; the caller exits with 1."""
    config = WorkerConfig(bootstrap=f"127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="kafka is unavailable"):
        run_worker(config)
