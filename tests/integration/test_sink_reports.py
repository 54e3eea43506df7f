"""What BI sees: views over rows that came through the sink."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from confluent_kafka import Producer

from infra.embedded.clickhouse.accounts import AccountEntry
from infra.embedded.clickhouse.child import ServerProcess
from schemas.codec import encode_effect, encode_event, encode_fact, encode_partial
from schemas.derived.effect import FACT, Effect, Fact
from schemas.derived.metric import MetricKey, MetricPartial, published_key
from schemas.events import CATALOGUE
from schemas.topics import EFFECT, METRIC
from sinks.clickhouse.client import connect
from sinks.clickhouse.migrations import MetricInfo, migrate
from tests.integration.conftest import MakeTopics
from tests.integration.running import wait_for
from tests.integration.sink_support import START_MS, Log, event_entry, sink

pytestmark = pytest.mark.integration
HOUR_MS = 3_600_000
WRITE = "write"
CATALOGUE_ROWS = [
    MetricInfo("deals_won", "count", 1, "count", "Deals won."),
    MetricInfo("deals_lost", "count", 1, "count", "Deals lost."),
    MetricInfo("won_amount", "minor", 1, "sum", "Money won."),
    MetricInfo("sales_cycle", "seconds", 1000, "mean", "Engaged to closed."),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of our own: views show one generation, other tests write many."""
    accounts = {"daybook": AccountEntry(password=WRITE, readonly=False)}
    with ServerProcess(tmp_path_factory.mktemp("clickhouse"), accounts) as process:
        yield f"http://daybook:{WRITE}@127.0.0.1:{process.port}"


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Client]:
    """A client of a server with schema and catalogue."""
    client = connect(url)
    migrate(client, metrics=CATALOGUE_ROWS)
    yield client
    client.close()


FACTS = [
    Fact("deal_stage_entered", "d1", START_MS, START_MS, stage="engaging", agent="ada"),
    Fact("deal_stage", "d1", START_MS, START_MS + 5_000, 5_000, stage="engaging", agent="bob"),
    Fact("deal_stage_entered", "d1", START_MS + 5_000, START_MS + 5_000, stage="proposal"),
    Fact("deal_won", "d1", START_MS, START_MS + 9_500, 9_500, 700, "EUR", region="west"),
    Fact("message_sent", "m1", 0, START_MS + 1_000, channel="email"),
    Fact("message_delivered", "m1", 0, START_MS + 2_000, channel="email"),
]
PARTIALS = {
    ("deals_won", 0): (2, 2, 1, 1),
    ("deals_won", 1): (1, 1, 1, 1),
    ("deals_lost", 0): (1, 1, 1, 1),
    ("won_amount", 0): (2, 900, 200, 700),
    ("won_amount", 1): (1, 50, 50, 50),
    ("sales_cycle", 0): (1, 3_000, 3_000, 3_000),
    ("sales_cycle", 1): (3, 9_000, 1_000, 5_000),
}


def _effects(producer: Producer) -> None:
    for seq, fact in enumerate(FACTS):
        effect = Effect(
            FACT, fact.name, f"id-{seq}", seq, 1, "acme", "contact/7", fact.ended_ms, seq, 0,
            encode_fact(fact),
        )  # fmt: skip
        producer.produce(EFFECT, encode_effect(effect), partition=0)


def _partials(producer: Producer) -> None:
    for offset in (10, 20):  # the newer replaces the older
        for (metric, partition), numbers in PARTIALS.items():
            row_key = MetricKey("acme", metric, "day", START_MS, "", "").text().encode()
            key = published_key(1, row_key)
            count, total, low, high = numbers if offset == 20 else (77, 77, 77, 77)
            value = MetricPartial(1, offset, count, total, low, high, [])
            producer.produce(METRIC, encode_partial(value), key, partition=partition)


def _messages() -> list[Any]:
    requested = CATALOGUE["crm.message.requested.v1"].model_validate(
        {"message_id": "m1", "channel": "email", "template_id": "welcome", "template_version": 3}
    )
    entry = event_entry(1, id="r1", type=requested.TYPE, tenant="acme", time_ms=START_MS)
    entry = entry._replace(subject="contact/7", actor="workflow/hello@2")
    return [entry._replace(data=encode_event(requested))]


@pytest.fixture
def filled(tmp_path: Path, kafka: str, url: str, client: Client, topics: MakeTopics) -> Client:
    """A client of a server that a sink filled."""
    app = topics(2)
    log = Log(kafka, 1)
    won = event_entry(5, tenant="acme", recorded_ms=START_MS + 36 * 24 * HOUR_MS, time_ms=START_MS)
    log.entries(won, won, *_messages())  # the second is a producer's repeat
    producer = log.transactional
    producer.begin_transaction()
    _effects(producer)
    _partials(producer)
    producer.commit_transaction(30)
    with sink(tmp_path, kafka, url, app, generation=1) as process:
        wait_for(
            lambda: (
                rows(client, "SELECT count() FROM crm.fct_event") == [(3,)]
                and rows(client, "SELECT count() FROM crm.fct_effect") == [(6,)]
                and rows(client, "SELECT count() FROM crm.agg_metric FINAL") == [(7,)]
            ),
            "everything arrived",
        )
        assert process.terminate() == 0
    return client


def rows(client: Client, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    return [tuple(row) for row in client.query(sql).result_rows]


def test_reports_show_what_happened(filled: Client) -> None:
    """Each view says what its comments promise; one fill serves all of them."""
    _add_generation(filled)
    _check_events(filled)
    _check_metrics(filled)
    _check_stages(filled)
    _check_messages(filled)
    _check_generation(filled)


def _add_generation(client: Client) -> None:
    """Another generation has the same events and newer values: a replay that isn't shown yet.

    FINAL compares keys across partitions, so without the generation in them it would win.
    """
    for table, other in (
        ("fct_event", "9 AS gen, toUInt64(0) AS _offset"),
        ("agg_metric", "9 AS gen, _offset + 100 AS _offset, sum * 2 AS sum"),
    ):
        client.command(
            f"INSERT INTO crm.{table} SELECT * REPLACE ({other}) FROM crm.{table}"  # noqa: S608
        )


def _check_events(client: Client) -> None:
    """A producer's repeat appears once; an old event is late; times are event times."""
    assert rows(
        client,
        "SELECT event_id, toUnixTimestamp64Milli(ts), late, amount_minor, currency, contact_id, "
        "JSONExtractString(props, 'deal_id') FROM crm_report.v_event WHERE type LIKE '%won%'",
    ) == [("event-5", START_MS, True, 39_595, "USD", "5", "deal-5")]


def _check_metrics(client: Client) -> None:
    """Partitions are added up, the newest partial counts, units are those of the catalogue."""
    held = rows(
        client,
        "SELECT metric, toUnixTimestamp(bucket) * 1000, count, sum, min, max, value, unit "
        "FROM crm_report.v_metric WHERE tenant = 'acme' AND grain = 'day' ORDER BY metric",
    )
    assert held == [
        ("deals_lost", START_MS, 1, 1, 1, 1, 1, "count"),
        ("deals_won", START_MS, 3, 3, 1, 1, 3, "count"),
        ("sales_cycle", START_MS, 4, 12, 1, 5, 3, "seconds"),
        ("win_rate", START_MS, 4, 3, 0, 1, 0.75, "ratio"),
        ("won_amount", START_MS, 3, 950, 50, 700, 950, "minor"),
    ]


def _check_stages(client: Client) -> None:
    """A stay that ended has its time; the one that goes on has none; cycles are exact."""
    assert rows(
        client,
        "SELECT stage, dateDiff('s', entered, left), seconds, agent_id "
        "FROM crm_report.v_deal_stage ORDER BY entered",
    ) == [("engaging", 5, 5.0, "bob"), ("proposal", None, None, "")]
    assert rows(
        client,
        "SELECT deal_id, outcome, seconds, amount_minor, region FROM crm_report.v_sales_cycle",
    ) == [("d1", "won", 9.5, 700, "west")]
    example = rows(client, "SELECT comment FROM system.tables WHERE name = 'v_sales_cycle'")[0][0]
    query = example[example.index("SELECT") :].replace("'b2b'", "'acme'")
    assert rows(client, query) == [("west", 9.5 / 86_400)]


def _check_messages(client: Client) -> None:
    """Template and workflow come from the request, times from the fold."""
    assert rows(
        client,
        "SELECT message_id, channel, template, version, workflow, contact_id, "
        "dateDiff('s', requested, sent), dateDiff('s', sent, delivered), opened, state "
        "FROM crm_report.v_message",
    ) == [("m1", "email", "welcome", "3", "workflow/hello@2", "7", 1, 1, None, "delivered")]


def _check_generation(client: Client) -> None:
    """One pointer row decides which generation every view shows; flipping back is another."""
    client.command("INSERT INTO crm.ops_generation (v, gen, note) VALUES (2, 8, 'flip')")
    assert rows(
        client,
        "SELECT (SELECT count() FROM crm_report.v_event), (SELECT count() FROM crm_report.v_metric)"
        ", (SELECT count() FROM crm_report.v_deal_stage), (SELECT count() FROM "
        "crm_report.v_sales_cycle), (SELECT count() FROM crm_report.v_message)",
    ) == [(0, 0, 0, 0, 0)]
    client.command("INSERT INTO crm.ops_generation (v, gen, note) VALUES (3, 1, 'back')")
    assert rows(client, "SELECT count() FROM crm_report.v_event") == [(2,)]
