"""An idle worker lets time pass and costs little."""

import itertools
from pathlib import Path

import pytest

from infra.embedded.ports import free_port
from schemas.codec import decode_entry
from schemas.topics import JOURNAL, state_topic
from streams.domain.table import HEAD_KEY
from tests.integration.conftest import PARTITIONS
from tests.integration.journal_check import read_log
from tests.integration.running import Running, wait_for

pytestmark = pytest.mark.integration


def test_ticks_come_in_order_and_share_commits(kafka: str, app: str, tmp_path: Path) -> None:
    """Each owned partition gets ticks that never go back; several share one transaction."""
    config = {"bootstrap": kafka, "app": app, "metrics_port": free_port(), "tick_ms": 100}
    with Running("worker", tmp_path / "worker.log", config) as worker:
        worker.wait_running()
        wait_for(lambda: len(read_log(kafka, JOURNAL, 0)) > 60, "sixty ticks")
        assert worker.terminate() == 0
    for partition in range(PARTITIONS):
        ticks = [decode_entry(kept.value) for kept in read_log(kafka, JOURNAL, partition)]
        assert {entry.kind for entry in ticks} == {"tick"}
        assert all(a.time_ms < b.time_ms for a, b in itertools.pairwise(ticks))
        heads = [k for k in read_log(kafka, state_topic(app), partition) if k.key == HEAD_KEY]
        assert 0 < len(heads) <= len(ticks) / 3
