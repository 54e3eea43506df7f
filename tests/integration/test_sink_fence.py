"""A sink that stops, is replaced and wakes up again: it must not write."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from tests.integration.conftest import MakeTopics
from tests.integration.running import wait_for
from tests.integration.sink_support import (
    Log,
    Process,
    assert_exact,
    caught_up,
    generations,
    held_events,
    is_stopped,
    settled,
    sink,
)

pytestmark = pytest.mark.integration
TABLES = ("fct_event", "fct_effect", "fct_deal_stage", "agg_metric")


@pytest.fixture
def short_memory(client: Client) -> Iterator[None]:
    """Tables that remember ten tokens, so that a zombie's is forgotten before it wakes."""
    _set_window(client, 10)
    yield
    _set_window(client, 100_000)


def _set_window(client: Client, window: int) -> None:
    for table in TABLES:
        client.command(
            f"ALTER TABLE crm.{table} MODIFY SETTING non_replicated_deduplication_window = {window}"
        )


def _frozen(process: Process, point: str, nth: int) -> Process:
    process.faults = {"at": {"point": point, "signal_name": "SIGSTOP", "nth": nth}}
    return process


@pytest.mark.parametrize("point", ["before_ledger", "mid_insert"])
def test_zombie_writes_nothing(
    point: str, tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, topics: MakeTopics
) -> None:
    """A process that stopped before its ledger row or its insert is refused by the statement."""
    app, generation = topics(1), next(generations)
    log = Log(kafka, generation)
    log.journal(1_200, 1)
    config: dict[str, Any] = {"generation": generation}
    first = _frozen(sink(tmp_path, kafka, clickhouse_url, app, **config), point, 2)
    first.config["policy"] = {"rows": 500, "flush_s": 0.2}
    config |= {"instance": "sink-1", "policy": {"rows": 170, "flush_s": 0.1}}
    with first:
        wait_for(lambda: is_stopped(first), "the first stopped")
        with sink(tmp_path, kafka, clickhouse_url, app, **config):
            log.journal(600, 1)
            wait_for(lambda: caught_up(client, generation, log), "the second took over")
            first.process.send_signal(signal.SIGCONT)
            assert first.wait_exit() == 70
            log.journal(100, 1)
            wait_for(lambda: caught_up(client, generation, log), "the second goes on")
            wait_for(lambda: settled(client, generation), "ledgers closed")
    assert_exact(client, generation, log)


def test_last_insert_of_an_earlier_owner_is_seen_by_the_claim(
    tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, topics: MakeTopics
) -> None:
    """Until the claim is written the earlier owner may insert; what it did is read after it."""
    app, generation = topics(1), next(generations)
    log = Log(kafka, generation)
    log.journal(1_200, 1)
    first = _frozen(
        sink(tmp_path, kafka, clickhouse_url, app, generation=generation), "before_ledger", 2
    )
    second = sink(tmp_path, kafka, clickhouse_url, app, generation=generation, instance="sink-1")
    second.config["policy"] = {"rows": 170, "flush_s": 0.1}
    second.session_ms = 60_000  # it stays a member while it is frozen
    _frozen(second, "before_claim", 1)
    with first:
        wait_for(lambda: is_stopped(first), "the first stopped")
        held = len(held_events(client, generation))
        with second:
            wait_for(lambda: is_stopped(second), "the second has looked, not claimed")
            first.process.send_signal(signal.SIGCONT)
            wait_for(lambda: len(held_events(client, generation)) > held, "a last insert")
            second.process.send_signal(signal.SIGCONT)
            wait_for(lambda: caught_up(client, generation, log), "everything arrived")
            wait_for(lambda: settled(client, generation), "ledgers closed")
    assert_exact(client, generation, log)


@pytest.mark.usefixtures("short_memory")
def test_zombie_is_refused_when_its_token_is_forgotten(
    tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, topics: MakeTopics
) -> None:
    """The guard holds without the deduplication window; a check in the client would not."""
    app, generation = topics(1), next(generations)
    log = Log(kafka, generation)
    log.journal(1_200, 1, months=1)
    config: dict[str, Any] = {"generation": generation}
    first = _frozen(sink(tmp_path, kafka, clickhouse_url, app, **config), "mid_insert", 2)
    config["instance"] = "sink-1"
    with first:
        wait_for(lambda: is_stopped(first), "the first stopped")
        with sink(tmp_path, kafka, clickhouse_url, app, **config) as second:
            wait_for(lambda: caught_up(client, generation, log), "the second took over")
            for _ in range(15):
                log.journal(20, 1, months=1)
                wait_for(lambda: caught_up(client, generation, log), "a batch of its own")
            first.process.send_signal(signal.SIGCONT)
            assert first.wait_exit() == 70
            wait_for(lambda: settled(client, generation), "ledgers closed")
            assert second.terminate() == 0
    assert "Fenced" in first.words
    assert_exact(client, generation, log)


def test_second_process_of_one_instance_ends_the_first(
    tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, topics: MakeTopics
) -> None:
    """Kafka reports a taken member id once; a sink that read on would stay idle for ever."""
    app, generation = topics(1), next(generations)
    log = Log(kafka, generation)
    with sink(tmp_path, kafka, clickhouse_url, app, generation=generation) as first:
        wait_for(lambda: "lane_claimed" in first.words, "lanes")
        with sink(tmp_path, kafka, clickhouse_url, app, generation=generation):
            assert first.wait_exit() == 70
            log.journal(300, 1)
            wait_for(lambda: caught_up(client, generation, log), "the second goes on")
            wait_for(lambda: settled(client, generation), "ledgers closed")
    assert_exact(client, generation, log)
