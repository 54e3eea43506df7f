"""The statements migrations and operators send pass the embedded ClickHouse server's review."""

from collections.abc import Iterator

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from infra.embedded.clickhouse.accounts import AccountEntry
from infra.embedded.clickhouse.child import ServerProcess

pytestmark = pytest.mark.integration

WORD = "write me"
FACTS = """
CREATE TABLE crm.fct (
  gen UInt16, tenant LowCardinality(String), event_id UUID,
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)), contact_id String,
  props JSON(max_dynamic_paths=128), note String DEFAULT upper(contact_id) COMMENT 'x',
  _offset UInt64 CODEC(DoubleDelta, LZ4),
  INDEX ix_contact contact_id TYPE bloom_filter(0.01) GRANULARITY 4,
  CONSTRAINT named CHECK tenant != '')
ENGINE = ReplacingMergeTree PARTITION BY (gen, toYYYYMM(ts))
ORDER BY (tenant, toDate(ts), contact_id, ts, event_id) TTL toDateTime(ts) + INTERVAL 10 YEAR
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'facts'
"""
ROLLUP = """
CREATE TABLE crm.agg (tenant LowCardinality(String), day Date,
  people AggregateFunction(uniqCombined64(12), String), n SimpleAggregateFunction(sum, UInt64))
ENGINE = AggregatingMergeTree ORDER BY (tenant, day)
"""
VIEW = """
CREATE MATERIALIZED VIEW crm.mv TO crm.agg AS
SELECT tenant, toDate(ts) AS day, uniqCombined64State(12)(contact_id) AS people, count() AS n
FROM crm.fct GROUP BY tenant, day
"""
STATEMENTS = [
    "DROP DATABASE IF EXISTS crm_report",
    FACTS,
    ROLLUP,
    VIEW,
    "CREATE DATABASE crm_report COMMENT 'for BI'",
    "CREATE VIEW crm_report.v_day (day Date COMMENT 'UTC') AS SELECT day FROM crm.agg COMMENT 'x'",
    "ALTER TABLE crm.fct MODIFY SETTING non_replicated_deduplication_window = 20000",
    "ALTER TABLE crm.fct ADD COLUMN extra JSON(max_dynamic_paths=4, a.b UInt32, SKIP REGEXP '^x')",
    "ALTER TABLE crm.fct COMMENT COLUMN note 'y', MODIFY COMMENT 'z', DROP COLUMN extra",
    "INSERT INTO crm.fct (gen, tenant, ts, props) VALUES (1, 't', now64(3), '{\"a\": {\"b\": 1}}')",
    "INSERT INTO crm.fct (gen, tenant, ts) SELECT 2, 't', toDateTime64('2026-01-01', 3, 'UTC')",
    "SYSTEM STOP MERGES crm.fct",
    "SYSTEM START MERGES crm.fct",
    "OPTIMIZE TABLE crm.fct FINAL",
    "ALTER TABLE crm.fct DROP PARTITION (2, 202601)",
    "ALTER TABLE crm.fct DELETE WHERE gen = 9",
    "DELETE FROM crm.fct WHERE gen = 8",
    "CREATE TABLE crm.copy AS crm.fct",
    "EXCHANGE TABLES crm.copy AND crm.fct",
    "EXCHANGE TABLES crm.copy AND crm.fct",
    "RENAME TABLE crm.copy TO crm.old",
    "TRUNCATE TABLE crm.old",
    "DETACH TABLE crm.old",
    "ATTACH TABLE crm.old",
    "DROP TABLE crm.old SYNC",
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a server that nobody else uses."""
    accounts = {"daybook": AccountEntry(password=WORD, readonly=False)}
    with (
        ServerProcess(tmp_path_factory.mktemp("clickhouse"), accounts) as process,
        clickhouse_connect.get_client(
            host="127.0.0.1", port=process.port, username="daybook", password=WORD
        ) as made,
    ):
        yield made


def test_migrations_and_maintenance_pass(client: Client) -> None:
    """Tables, views, rollups, codecs, indexes, partitions and mutations work as on any server."""
    for statement in STATEMENTS:
        try:
            client.command(statement)
        except Exception as error:
            error.add_note(statement)
            raise
    found = client.query("SELECT gen, props.a.b, note FROM crm.fct").result_rows
    assert found == [(1, 1, "")]
    assert client.query("SELECT sum(n) FROM crm.agg").first_row == (2,)
    window = "SELECT create_table_query FROM system.tables WHERE name = 'fct'"
    assert "non_replicated_deduplication_window = 20000" in str(client.command(window))
