"""The ClickHouse sink, killed anywhere: each record is one row, whatever happened."""

import random
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from infra.embedded.running import RunningStack
from tests.integration.conftest import MakeTopics
from tests.integration.running import wait_for
from tests.integration.sink_support import (
    Log,
    assert_exact,
    caught_up,
    generations,
    held_events,
    rows_of,
    settled,
    sink,
)

pytestmark = pytest.mark.integration


FAULTS: list[dict[str, Any]] = [
    {"point": "claim"},
    {"point": "before_ledger", "nth": 2},
    {"point": "after_ledger", "nth": 2},
    {"point": "mid_insert", "nth": 5, "after_s": 0.02},
    {"point": "after_insert", "nth": 5},
]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault["point"] for fault in FAULTS])
def test_killed_sink_leaves_each_record_once(
    fault: dict[str, Any],
    tmp_path: Path,
    kafka: str,
    clickhouse_url: str,
    client: Client,
    app: str,
) -> None:
    """SIGKILL at any point of the protocol loses no row and doubles none."""
    generation = next(generations)
    log = Log(kafka, generation)
    log.journal(3_000)
    log.derived(60)
    log.derived(20, commit=False)
    log.derived(60)
    process = sink(tmp_path, kafka, clickhouse_url, app, generation=generation)
    process.faults = {"at": fault | {"signal_name": "SIGKILL"}}
    with process:
        assert process.wait_exit() == -9
        # Another cut than the first time: a range in doubt must not depend on it.
        process.without_faults(policy={"rows": 170, "flush_s": 0.1})
        log.journal(500)
        wait_for(lambda: caught_up(client, generation, log), "everything arrived")
        wait_for(lambda: settled(client, generation), "ledgers closed")
        assert process.terminate() == 0
    assert_exact(client, generation, log)
    if fault["point"] in {"after_ledger", "mid_insert", "after_insert"}:
        assert "pending_range_resent" in process.words


def test_killed_sink_and_killed_server_leave_each_record_once(
    tmp_path: Path,
    kafka: str,
    clickhouse_url: str,
    client: Client,
    app: str,
    engines: RunningStack,
) -> None:
    """Kills of the sink at random moments and of ClickHouse in between change nothing."""
    rnd = random.Random(7)  # noqa: S311 - reproducible on purpose
    generation = next(generations)
    log = Log(kafka, generation)
    process = sink(tmp_path, kafka, clickhouse_url, app, generation=generation)
    points = ("before_ledger", "after_ledger", "mid_insert", "after_insert")
    for round_ in range(5):
        log.journal(1_500)
        log.derived(40)
        log.derived(10, commit=False)
        rows = rnd.choice((90, 250, 600))
        process.config["policy"] = {"rows": rows, "flush_s": 0.1}
        fault = {"point": rnd.choice(points), "signal_name": "SIGKILL", "nth": rnd.randint(1, 6)}
        process.faults = {"at": fault}
        with process:  # leaving it kills the process
            if round_ in {1, 3}:
                wait_for(lambda: "lane_claimed" in process.words, "lanes")
                engines.kill("clickhouse")
                engines.wait_healthy("clickhouse")
            wait_for(
                lambda: process.process.poll() is not None or caught_up(client, generation, log),
                "the fault, or everything before it",
            )
    process.faults = {}
    with process:
        wait_for(lambda: caught_up(client, generation, log), "everything arrived", 90)
        wait_for(lambda: settled(client, generation), "ledgers closed")
        assert process.terminate() == 0
    assert_exact(client, generation, log)


def test_sigterm_closes_the_ledger(
    tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, app: str
) -> None:
    """A sink asked to stop leaves no range in doubt and exits 0."""
    generation = next(generations)
    log = Log(kafka, generation)
    log.journal(2_000)
    with sink(tmp_path, kafka, clickhouse_url, app, generation=generation) as process:
        wait_for(lambda: held_events(client, generation), "a first batch")
        assert process.terminate() == 0
    assert settled(client, generation)
    done = rows_of(
        client,
        "SELECT partition, argMax(done_to, (epoch, owner, seq)) FROM crm.ops_ledger "
        "WHERE gen = {gen:UInt16} AND topic = 'journal.v1' GROUP BY 1",
        generation,
    )
    held = rows_of(
        client,
        "SELECT _partition, max(_offset) + 1 FROM crm.fct_event "
        "WHERE gen = {gen:UInt16} GROUP BY 1",
        generation,
    )
    ends = dict(held)
    assert all(offset >= ends.get(partition, 0) for partition, offset in done)


def test_ticks_cost_no_insert_and_few_ledger_rows(
    tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, topics: MakeTopics
) -> None:
    """Records without rows move the position in memory; the ledger follows at the end."""
    generation = next(generations)
    log = Log(kafka, generation)
    with sink(tmp_path, kafka, clickhouse_url, topics(1), generation=generation) as process:
        wait_for(lambda: "lane_claimed" in process.words, "lanes")
        for _ in range(5):
            log.ticks(10)

        def done() -> bool:
            health = process.health() or {"partitions": []}
            return any(
                place["topic"] == "journal.v1" and place["done"] == 50
                for place in health["partitions"]
            )

        wait_for(done, "the position moved")
        metrics = process.metrics()
        assert process.terminate() == 0
    assert "daybook_sinks_ledger_seconds_count 0" in metrics
    rows = rows_of(
        client,
        "SELECT argMax(done_to, seq), sum(n) FROM crm.ops_ledger "
        "WHERE gen = {gen:UInt16} AND topic = 'journal.v1'",
        generation,
    )
    assert rows == [(50, 0)]
