"""Migrations on the real engine: forward, back, dry, interrupted, repeated."""

from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from infra.embedded.clickhouse.accounts import AccountEntry
from infra.embedded.clickhouse.child import ServerProcess
from schemas.errors import ConfigurationError
from sinks.clickhouse.client import connect
from sinks.clickhouse.migrations import MetricInfo, migrate

pytestmark = pytest.mark.integration
WRITE, READ = "write", "read"
ACCOUNTS = {
    "daybook": AccountEntry(password=WRITE, readonly=False),
    "bi": AccountEntry(password=READ, readonly=True),
}
MONEY = MetricInfo("won_amount", "minor", 1, "sum", "Money won.")
CYCLE = MetricInfo("sales_cycle", "seconds", 1000, "mean", "Engaged to closed.")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of our own: these tests drop everything."""
    with ServerProcess(tmp_path_factory.mktemp("clickhouse"), ACCOUNTS) as process:
        yield process


@pytest.fixture
def client(server: ServerProcess) -> Iterator[Client]:
    """A client of an empty server."""
    client = connect(f"http://daybook:write@127.0.0.1:{server.port}")
    for database in ("crm_report", "crm"):
        client.command(f"DROP DATABASE IF EXISTS {database} SYNC")
    yield client
    client.close()


def objects(client: Client) -> list[tuple[str, str]]:
    """Return (database, name) of every table and view."""
    rows = client.query(
        "SELECT database, name FROM system.tables WHERE database IN ('crm', 'crm_report') "
        "ORDER BY 1, 2"
    ).result_rows
    return [(row[0], row[1]) for row in rows]


def test_forward_again_and_back(client: Client) -> None:
    """Up makes everything, again changes nothing, down leaves nothing but its own book."""
    assert [str(step) for step in migrate(client)] == [
        "0001_log up: 10 statements",
        "0002_reports up: 6 statements",
    ]
    made = objects(client)
    assert ("crm", "fct_event") in made
    assert ("crm_report", "v_metric") in made
    assert migrate(client) == []
    assert [step.migration.number for step in migrate(client, to=1, down=True)] == [2]
    assert not [name for database, name in objects(client) if database == "crm_report"]
    assert [step.migration.number for step in migrate(client)] == [2]
    assert objects(client) == made
    assert [step.migration.number for step in migrate(client, down=True)] == [2, 1]
    assert objects(client) == [("crm", "ops_migration")]
    assert [step.migration.number for step in migrate(client, to=1)] == [1]


def test_dry_run_writes_nothing(client: Client) -> None:
    """A dry run says what would run, even on a server without our database."""
    steps = migrate(client, dry_run=True, metrics=[MONEY])
    assert [step.migration.number for step in steps] == [1, 2]
    assert objects(client) == []
    assert not client.query("SELECT 1 FROM system.databases WHERE name = 'crm'").result_rows


class Interrupted:
    """A client whose connection breaks at one statement."""

    def __init__(self, client: Client, at: int) -> None:
        self._client, self._left = client, at

    def command(self, cmd: str, *, data: bytes | None = None) -> Any:
        """Run a statement, or break."""
        self._left -= 1
        if self._left < 0:
            raise ConnectionError("cut")
        return self._client.command(cmd, data=data)

    def query(self, query: str) -> Any:
        """Return what the server says."""
        return self._client.query(query)


@pytest.mark.parametrize("at", [0, 1, 5, 11, 13, 19])
def test_interrupted_migration_is_finished_later(client: Client, at: int) -> None:
    """A migration cut off at any statement can be run again and is complete."""
    with pytest.raises(ConnectionError):
        migrate(Interrupted(client, at))
    migrate(client)
    assert migrate(client) == []
    assert len(objects(client)) == 14  # nine in crm, five views
    assert client.query("SELECT v, gen FROM crm.ops_generation").result_rows == [(1, 1)]


def test_changed_migration_is_refused(client: Client) -> None:
    """What ran is history: a file that differs from it stops the run."""
    migrate(client)
    client.command(
        "INSERT INTO crm.ops_migration (number, name, checksum, down, v) "
        "VALUES (2, 'reports', 'edited', false, 99)"
    )
    with pytest.raises(ConfigurationError, match="0002 was changed after it ran"):
        migrate(client)


def test_catalogue_is_written_once_and_follows_changes(client: Client) -> None:
    """`dim_metric` holds what the caller gives; an unchanged row is not written again."""
    migrate(client, metrics=[MONEY, CYCLE])
    migrate(client, metrics=[MONEY, CYCLE])
    held = client.query("SELECT metric, unit, scale, value, v FROM crm.dim_metric ORDER BY 1, v")
    assert held.result_rows == [
        ("sales_cycle", "seconds", 1000, "mean", 1),
        ("won_amount", "minor", 1, "sum", 1),
    ]
    migrate(client, metrics=[MetricInfo("won_amount", "minor", 1, "sum", "Better words.")])
    newest = client.query(
        "SELECT description, v FROM crm.dim_metric FINAL WHERE metric = 'won_amount'"
    )
    assert newest.result_rows == [("Better words.", 2)]


def test_every_report_column_is_described(client: Client) -> None:
    """A BI user finds out what a view and each of its columns means, in plain types."""
    migrate(client)
    columns = client.query(
        "SELECT table, name, type, comment FROM system.columns WHERE database = 'crm_report'"
    ).result_rows
    assert len({row[0] for row in columns}) == 5
    assert [row for row in columns if not row[3]] == []
    assert not [row for row in columns if "LowCardinality" in row[2] or row[1][0] == "_"]
    views = client.query("SELECT name, comment FROM system.tables WHERE database = 'crm_report'")
    assert [row for row in views.result_rows if not row[1]] == []


def test_reader_sees_reports_and_changes_nothing(client: Client, server: ServerProcess) -> None:
    """The BI account reads the views and is refused a write."""
    migrate(client)
    bi = connect(f"http://bi:read@127.0.0.1:{server.port}")
    assert bi.query("SELECT count() FROM crm_report.v_event").result_rows == [(0,)]
    with pytest.raises(DatabaseError):
        bi.command("INSERT INTO crm.ops_generation (v, gen, note) VALUES (9, 9, 'no')")
    bi.close()


def test_repeated_migration_keeps_the_data(client: Client) -> None:
    """Every statement of the way up can run again over a table that has rows."""
    migrate(client)
    client.command("INSERT INTO crm.ops_generation (v, gen, note) VALUES (2, 2, 'flip')")
    client.command("ALTER TABLE crm.ops_migration DELETE WHERE 1 SETTINGS mutations_sync = 2")
    assert [step.migration.number for step in migrate(client)] == [1, 2]
    held = client.query("SELECT gen FROM crm.ops_generation ORDER BY v").result_rows
    assert held == [(1,), (2,)]
