"""A log that was deleted, cut or created again stops its readers: 70, and nothing is skipped."""

from pathlib import Path

import pytest

from schemas.topics import DEAD_LETTER, JOURNAL, state_topic
from tests.integration.conftest import PARTITIONS
from tests.integration.journal_check import applied, read_log
from tests.integration.replaced import cut, recreate
from tests.integration.running import Running, wait_for
from tests.integration.test_ingest import Upstream, applied_once, committed, entries, ingest
from tests.integration.test_worker_failures import worker
from tests.integration.traffic import JournalWriter, events

pytestmark = pytest.mark.integration


def _fold_some(running: Running, kafka: str, app: str) -> list[int]:
    """Let a running worker fold and commit 400 events; return where it stands."""
    JournalWriter(kafka).write_some(events(seed=11, count=400), 400)
    ends = [len(read_log(kafka, JOURNAL, partition)) for partition in range(PARTITIONS)]
    wait_for(lambda: _standing(kafka, app) == [end - 1 for end in ends], "all is folded")
    assert running.process.poll() is None
    return _standing(kafka, app)


def _standing(kafka: str, app: str) -> list[int]:
    return [applied(kafka, app, partition) for partition in range(PARTITIONS)]


def test_journal_created_again_stops_the_worker(kafka: str, app: str, tmp_path: Path) -> None:
    """A running one stops at once; a later one sees by the id that more entries aren't the same."""
    with worker(kafka, app, tmp_path / "worker.log", tick_ms=0) as running:
        before = _fold_some(running, kafka, app)
        recreate(kafka, app, JOURNAL)
        assert running.wait_exit() == 70
        JournalWriter(kafka).write_some(events(seed=12, count=1_200), 1_200)
        assert all(len(read_log(kafka, JOURNAL, p)) > before[p] for p in range(PARTITIONS))
        # While the topic was away the group may have agreed on owning nothing, and a member that
        # returns in time is given that again: another one makes the group think anew.
        running.config["instance"] = "w2"
        running.start()
        assert running.wait_exit(120) == 70
    assert "the journal was created again" in (tmp_path / "worker.log").read_text()
    assert _standing(kafka, app) == before


def test_deleted_state_is_not_folded_anew(kafka: str, app: str, tmp_path: Path) -> None:
    """From the beginning, every effect would be said a second time."""
    with worker(kafka, app, tmp_path / "worker.log", tick_ms=0) as running:
        _fold_some(running, kafka, app)
        assert running.terminate() == 0
        recreate(kafka, app, state_topic(app))
        running.start()
        assert running.wait_exit() == 70
    said = (tmp_path / "worker.log").read_text()
    assert "the state topic is empty, but the group has folded" in said
    assert read_log(kafka, state_topic(app), 0) == []


def test_source_created_again_is_refused_then_read_whole(
    kafka: str, app: str, tmp_path: Path
) -> None:
    """Kafka has forgotten the position with the topic; the id is kept elsewhere."""
    upstream = Upstream(kafka)
    upstream.deals(300)
    upstream.flush()
    log = tmp_path / "ingest.log"
    with ingest(kafka, app, log) as running:
        wait_for(lambda: len(list(entries(kafka))) == 300, "the first source")
        assert running.terminate() == 0
    recreate(kafka, app, "crm.deal.v1")
    upstream.deals(500)
    upstream.flush()
    with ingest(kafka, app, log) as running:
        assert running.wait_exit() == 70
    assert "crm.deal.v1 was created again" in log.read_text()
    assert len(list(entries(kafka))) == 300
    with ingest(kafka, app, log, accept=["crm.deal.v1"]) as running:
        wait_for(lambda: len(applied_once(kafka)) == 800, "no record is taken for a repeat")
        assert running.terminate() == 0
    with ingest(kafka, app, log) as running:  # accepted once, known from then on
        running.wait_running()
        assert running.terminate() == 0
    assert sorted(set(applied_once(kafka))) == sorted(f"deal-{n}" for n in range(800))
    assert read_log(kafka, DEAD_LETTER, 0) == []


def test_retention_that_overtook_ingest_stops_it(kafka: str, app: str, tmp_path: Path) -> None:
    """Expired records are named before anything behind them is read, and accepted by hand."""
    upstream = Upstream(kafka)
    upstream.deals(400)
    upstream.flush()
    log = tmp_path / "ingest.log"
    with ingest(kafka, app, log) as running:
        wait_for(lambda: len(list(entries(kafka))) == 400, "the first ones")
        assert running.terminate() == 0
    assert committed(kafka, app) == 400
    upstream.deals(400)
    upstream.flush()
    end = len(read_log(kafka, "crm.deal.v1", 1))
    cut(kafka, "crm.deal.v1", 1, end - 5)
    with ingest(kafka, app, log) as running:
        assert running.wait_exit() == 70
    assert "expired before they were read" in log.read_text()
    with ingest(kafka, app, log, accept=["crm.deal.v1"]) as running:
        wait_for(lambda: _highest(kafka, 1) == end - 1, "what is left")
        assert 'expired_records_total{topic="crm.deal.v1"}' in running.metrics()
        assert running.terminate() == 0


def _highest(kafka: str, partition: int) -> int:
    return max(
        entry.origin_offset for _, _, entry in entries(kafka) if entry.origin_partition == partition
    )
