"""What the ClickHouse sink can't make right it says loudly: exit 70, nothing written."""

from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from schemas.codec import encode_entry
from schemas.errors import ConfigurationError
from schemas.topics import EFFECT, JOURNAL
from sinks.kafka import topic_ids
from tests.integration.conftest import MakeTopics
from tests.integration.replaced import cut
from tests.integration.running import log_end, wait_for
from tests.integration.sink_support import (
    Log,
    caught_up,
    event_entry,
    generations,
    held_events,
    rows_of,
    settled,
    sink,
)

pytestmark = pytest.mark.integration


def test_retention_that_passed_the_sink_stops_it(
    tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, topics: MakeTopics
) -> None:
    """Records that were deleted before they were inserted end the process, at start."""
    app, generation = topics(1), next(generations)
    log = Log(kafka, generation)
    log.journal(500, 1)
    with sink(tmp_path, kafka, clickhouse_url, app, generation=generation) as process:
        wait_for(lambda: caught_up(client, generation, log), "arrived")
        wait_for(lambda: settled(client, generation), "ledgers closed")
        assert process.terminate() == 0
        log.journal(500, 1)
        cut(kafka, JOURNAL, 0, 700)
        process.start()
        assert process.wait_exit() == 70
    assert "retention passed the sink" in process.words
    assert len(held_events(client, generation)) == 500


def test_effects_deleted_before_they_were_inserted_stop_it(
    tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, topics: MakeTopics
) -> None:
    """Effects expire after 30 days; a sink that was down for longer says which are missing."""
    app, generation = topics(1), next(generations)
    log = Log(kafka, generation)
    log.derived(20, 1)
    with sink(tmp_path, kafka, clickhouse_url, app, generation=generation) as process:
        wait_for(lambda: caught_up(client, generation, log), "arrived")
        wait_for(lambda: settled(client, generation), "ledgers closed")
        assert process.terminate() == 0
        log.derived(20, 1)
        cut(kafka, EFFECT, 0, 30)
        process.start()
        assert process.wait_exit() == 70
    assert "derived.effect.v1/0: retention passed the sink" in process.words
    held = "SELECT count() FROM crm.fct_effect WHERE gen = {gen:UInt16}"
    assert rows_of(client, held, generation) == [(20,)]


def test_pending_range_cut_by_retention_stops_it(
    tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, topics: MakeTopics
) -> None:
    """A range in doubt that can't be read again ends the process: no guess is made."""
    app, generation = topics(1), next(generations)
    log = Log(kafka, generation)
    log.journal(500, 1)
    process = sink(tmp_path, kafka, clickhouse_url, app, generation=generation)
    process.faults = {"at": {"point": "after_ledger", "signal_name": "SIGKILL"}}
    with process:
        assert process.wait_exit() == -9
        cut(kafka, JOURNAL, 0, 100)
        process.without_faults()
        assert process.wait_exit() == 70
    assert "retention passed the sink" in process.words
    assert held_events(client, generation) == []


def test_topic_created_again_stops_it(
    tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, topics: MakeTopics
) -> None:
    """Another topic of the same name has other records at the same offsets."""
    app, generation = topics(1), next(generations)
    log = Log(kafka, generation)
    log.journal(300, 1)
    with sink(tmp_path, kafka, clickhouse_url, app, generation=generation) as process:
        wait_for(lambda: caught_up(client, generation, log), "arrived")
        assert process.terminate() == 0
        topics(1)
        Log(kafka, generation).journal(900, 1)
        process.start()
        assert process.wait_exit() == 70
    assert "was created again" in process.words
    assert len(held_events(client, generation)) == 300


def test_hole_in_the_journal_stops_it(
    tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, topics: MakeTopics
) -> None:
    """The journal is written without transactions, so a missing offset is a lost entry."""
    app, generation = topics(1), next(generations)
    log = Log(kafka, generation)
    log.journal(100, 1)
    producer = log.transactional
    producer.begin_transaction()
    producer.produce(JOURNAL, encode_entry(event_entry(1_000)), partition=0)
    producer.commit_transaction(30)
    # The broker writes the marker after it has answered; an entry before it would hide the hole.
    wait_for(lambda: log_end(kafka, JOURNAL) == 103, "the commit marker is in the log")
    log.entries(event_entry(1_001))
    with sink(tmp_path, kafka, clickhouse_url, app, generation=generation) as process:
        assert process.wait_exit() == 70
    # 100 events and one tick, the transaction's event, its commit marker.
    assert "hole, offset 102 expected, 103 read" in process.words
    assert len(held_events(client, generation)) <= 101


@pytest.mark.usefixtures("client")
def test_lost_effect_stops_it(
    tmp_path: Path, kafka: str, clickhouse_url: str, topics: MakeTopics
) -> None:
    """Effects are numbered: one that is missing is noticed though offsets have holes anyway."""
    app, generation = topics(1), next(generations)
    log = Log(kafka, generation)
    log.derived(10, 1)
    log.derived(10, 1, skip_seq=1)
    with sink(tmp_path, kafka, clickhouse_url, app, generation=generation) as process:
        assert process.wait_exit() == 70
    assert "effect 10 is missing, offset 11 holds effect 11" in process.words


@pytest.mark.usefixtures("client")
def test_entry_that_is_none_stops_it(
    tmp_path: Path, kafka: str, clickhouse_url: str, topics: MakeTopics
) -> None:
    """A journal value we didn't write is not skipped."""
    app, generation = topics(1), next(generations)
    log = Log(kafka, generation)
    log.journal(10, 1)
    log.entries(event_entry(10, data=b"not an event"))
    with sink(tmp_path, kafka, clickhouse_url, app, generation=generation) as process:
        assert process.wait_exit() == 70
    assert "InvalidEvent" in process.words


def test_missing_topic_is_a_configuration_error(kafka: str) -> None:
    """A topic that doesn't exist is said so before anything starts."""
    with pytest.raises(ConfigurationError, match="daybook topics create"):
        topic_ids(kafka, ["no-such-topic"])
