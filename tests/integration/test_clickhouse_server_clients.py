"""The embedded ClickHouse server as clickhouse-connect, SQLAlchemy and plain HTTP see it."""

import asyncio
import gzip
import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import clickhouse_connect
import lz4.frame
import pyarrow as pa
import pytest
import sqlalchemy
from backports import zstd
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from infra.embedded.clickhouse.accounts import AccountEntry
from infra.embedded.clickhouse.child import ServerProcess

pytestmark = pytest.mark.integration

WORDS = {"daybook": "write me", "bi": "read me", "reports": "see me"}
ACCOUNTS = {
    "daybook": AccountEntry(password=WORDS["daybook"], readonly=False),
    "bi": AccountEntry(password=WORDS["bi"], readonly=True),
    "reports": AccountEntry(password=WORDS["reports"], readonly=True, databases=("crm_report",)),
}
DEAL = (
    "CREATE OR REPLACE TABLE crm.deal (id UInt64, owner LowCardinality(String), amount Int64, at "
    "DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id"
    " SETTINGS non_replicated_deduplication_window = 1000"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for the module."""
    with ServerProcess(tmp_path_factory.mktemp("clickhouse"), ACCOUNTS) as process:
        yield process


@pytest.fixture
def client(server: ServerProcess) -> Iterator[Client]:
    """A client that may write, and an empty table `crm.deal`."""
    with connect(server) as made:
        made.command(DEAL)
        yield made


def connect(server: ServerProcess, user: str = "daybook", **options: Any) -> Client:
    """Connect as one of the accounts."""
    password = ACCOUNTS[user].password
    return clickhouse_connect.get_client(
        host="127.0.0.1", port=server.port, username=user, password=password, **options
    )


def ask(
    server: ServerProcess,
    body: bytes,
    *,
    query: str = "/",
    method: str = "POST",
    **headers: str,
) -> tuple[int, dict[str, str], bytes]:
    """Send one request without a client library."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        login = {"X-ClickHouse-User": "daybook", "X-ClickHouse-Key": WORDS["daybook"]}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, query, body, login | named)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("compression", ["false", "lz4", "zstd", "gzip"])
def test_columns_come_back_as_inserted(
    server: ServerProcess, client: Client, compression: str
) -> None:
    """Native inserts and reads agree, in every compression the client offers."""
    with connect(server, compress=compression) as other:
        rows = [(number, f"agent {number % 3}", -number, number * 1000) for number in range(5_000)]
        names = ["id", "owner", "amount", "at"]
        done = other.insert(
            "crm.deal", rows, names, column_type_names=["UInt64", "String", "Int64", "Int64"]
        )
        found = other.query("SELECT count(), sum(amount), uniqExact(owner) FROM crm.deal")
    assert done.written_rows == 5_000
    assert found.result_rows == [(5_000, -sum(range(5_000)), 3)]
    assert client.query("SELECT max(id) FROM crm.deal").first_row == (4_999,)


def test_arrow_goes_in_and_out(client: Client) -> None:
    """An Arrow table inserted is the Arrow table read, also when it spans many blocks."""
    table = pa.table(
        {"id": pa.array(range(200_000), pa.uint64()), "amount": pa.array([7] * 200_000, pa.int64())}
    )
    client.insert_arrow("crm.deal", table)
    found = client.query_arrow("SELECT id, amount FROM crm.deal ORDER BY id")
    assert found.cast(table.schema).equals(table)


@pytest.mark.parametrize("encoding", ["", "lz4", "zstd", "gzip"])
def test_guarded_insert_writes_only_while_its_guard_holds(
    server: ServerProcess, client: Client, encoding: str
) -> None:
    """The sink's INSERT … SELECT … FROM input() runs, and stores nothing once its guard throws."""
    compress = {"": bytes, "lz4": lz4.frame.compress, "zstd": zstd.compress, "gzip": gzip.compress}[
        encoding
    ]
    batch = pa.record_batch(
        {"id": pa.array([1, 2, 3], pa.int64()), "owner": pa.array(["a", "b", "c"])}
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    client.command(
        "CREATE OR REPLACE TABLE crm.ledger (epoch UInt32) ENGINE = MergeTree ORDER BY epoch"
    )
    client.command("INSERT INTO crm.ledger VALUES (6)")
    guarded = (
        "INSERT INTO crm.deal (id, owner, amount) SELECT id, owner, 5"
        " FROM input('id UInt64, owner String')"
        " WHERE (SELECT throwIf(max(epoch) != {epoch}, 'FENCED') FROM crm.ledger) = 0"
        " FORMAT ArrowStream"
    )
    data = compress(sink.getvalue().to_pybytes())
    extra = {"Content_Encoding": encoding} if encoding else {}
    status, headers, _ = ask(
        server, data, query="/?query=" + quote(guarded.replace("{epoch}", "6")), **extra
    )
    assert (status, json.loads(headers["X-ClickHouse-Summary"])["written_rows"]) == (200, "3")
    status, headers, body = ask(
        server, data, query="/?query=" + quote(guarded.replace("{epoch}", "7")), **extra
    )
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (500, "395")
    assert b"FENCED" in body
    assert client.raw_query("SELECT count(), sum(amount) FROM crm.deal") == b"3\t15\n"


def test_token_makes_a_repeated_insert_one(client: Client) -> None:
    """The same deduplication token stores its rows once, by INSERT and by INSERT … SELECT alike."""
    settings = {"insert_deduplication_token": "journal:0:1-3"}
    for _ in range(2):
        client.command("INSERT INTO crm.deal (id) FORMAT TSV", data="1\n2\n", settings=settings)
    select = "INSERT INTO crm.deal (id) SELECT id FROM input('id UInt64') FORMAT TSV"
    client.command(select, data="1\n2\n", settings=settings)
    assert client.query("SELECT count() FROM crm.deal").first_row == (2,)


@pytest.mark.parametrize("form", [False, True])
def test_parameters_are_bound_by_the_server(server: ServerProcess, *, form: bool) -> None:
    """`{name:Type}` takes its value from the URL or from a form, whatever is in it."""
    with connect(server, form_encode_query_params=form) as client:
        value = "it's \\ 10% {x}\n\tπ"
        found = client.query(
            "SELECT {text:String}, {n:Int64} + 1, {many:Array(String)}",
            parameters={"text": value, "n": 41, "many": ["a'b", "c"]},
        )
        assert found.first_row == (value, 42, ["a'b", "c"])
        client.command(DEAL)
        client.command(
            "INSERT INTO crm.deal (id, owner) VALUES ({id:UInt64}, {owner:String})",
            parameters={"id": 9, "owner": value},
        )
        assert client.query("SELECT id, owner FROM crm.deal").result_rows == [(9, value)]
        table = client.query(
            "SELECT count() FROM {database:Identifier}.{table:Identifier}",
            parameters={"database": "crm", "table": "deal"},
        )
        assert table.first_row == (1,)


def test_settings_last_one_query(client: Client) -> None:
    """A setting applies to its own query and leaves nothing behind, `readonly` included."""
    found = client.query("SELECT getSetting('max_threads')", settings={"max_threads": 1})
    assert found.first_row == (1,)
    assert client.command("SELECT 1", settings={"readonly": 1}) == 1
    client.command("INSERT INTO crm.deal (id) VALUES (1)")
    with pytest.raises(DatabaseError, match="READONLY"):
        client.command("INSERT INTO crm.deal (id) VALUES (1)", settings={"readonly": 1})
    assert client.query("SELECT count() FROM crm.deal").first_row == (1,)


def test_empty_result_still_has_its_columns(client: Client) -> None:
    """A result without rows names its columns and their types."""
    found = client.query(
        "SELECT id, owner AS who, amount / 2 FROM crm.deal WHERE id = {id:Int8}",
        parameters={"id": 1},
    )
    assert found.result_rows == []
    assert found.column_names == ("id", "who", "divide(amount, 2)")
    assert [kind.name for kind in found.column_types] == [
        "UInt64",
        "LowCardinality(String)",
        "Float64",
    ]
    assert client.query("SHOW TABLES FROM crm LIKE 'nothing%'").column_names == ("name",)


def test_large_results_are_streamed_unchanged(client: Client) -> None:
    """A result of many blocks arrives whole, whatever the compression, block by block if asked."""
    sql = "SELECT number, toString(number) FROM numbers(700000) ORDER BY number"
    assert list(client.query(sql).result_columns[0]) == list(range(700_000))
    with client.query_row_block_stream(sql) as blocks:
        sizes = [len(block) for block in blocks]
    assert sum(sizes) == 700_000
    assert len(sizes) > 5


def test_failure_inside_a_streamed_result_reaches_the_client(client: Client) -> None:
    """An exception after the first rows is the engine's own message, not a truncated result."""
    sql = """SELECT number, throwIf(number = 1000000, 'too far') FROM numbers(2000000)
             SETTINGS max_block_size = 65536, max_threads = 1"""
    with pytest.raises(StreamFailureError, match="too far"):
        assert client.query(sql).row_count < 0
    with (
        pytest.raises(StreamFailureError, match="too far"),
        client.query_row_block_stream(sql) as blocks,
    ):
        assert sum(len(block) for block in blocks) < 0


async def test_async_client_reads_writes_and_shares_the_server(
    server: ServerProcess, client: Client
) -> None:
    """The async client inserts, reads and runs twenty queries at once."""
    password = ACCOUNTS["daybook"].password
    other = await clickhouse_connect.get_async_client(
        host="127.0.0.1",
        port=server.port,
        username="daybook",
        password=password,
        autogenerate_session_id=False,
    )
    async with other:
        await other.insert("crm.deal", [[1, "a"], [2, "b"]], ["id", "owner"])
        assert (await other.query("SELECT id, owner FROM crm.deal ORDER BY id")).result_rows == [
            (1, "a"),
            (2, "b"),
        ]
        table = pa.table({"id": pa.array([3], pa.uint64())})
        await other.insert_arrow("crm.deal", table)
        answers = await asyncio.gather(
            *(
                other.query("SELECT {n:Int64}, sum(id) FROM crm.deal", parameters={"n": n})
                for n in range(20)
            )
        )
        assert [answer.first_row for answer in answers] == [(n, 6) for n in range(20)]
        with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
            await other.query("SELECT * FROM crm.nothing")
    assert client.query("SELECT count() FROM crm.deal").first_row == (3,)


def test_sqlalchemy_reflects_and_reads_as_bi(server: ServerProcess, client: Client) -> None:
    """A BI tool's SQLAlchemy lists, reflects and reads, with the settings such tools send."""
    client.command("INSERT INTO crm.deal VALUES (1, 'ann', 500, 0), (2, 'bob', 700, 1)")
    url = f"clickhousedb://bi:{quote(WORDS['bi'])}@127.0.0.1:{server.port}/crm"
    options = (
        "?result_overflow_mode=break&max_result_rows=99999999&join_use_nulls=1&max_execution_time=0"
    )
    engine = sqlalchemy.create_engine(url + options)
    with engine.connect() as connection:
        inspector = sqlalchemy.inspect(connection)
        assert "crm" in inspector.get_schema_names()
        assert "deal" in inspector.get_table_names(schema="crm")
        deal = sqlalchemy.Table("deal", sqlalchemy.MetaData(schema="crm"), autoload_with=connection)
        assert [column.name for column in deal.columns] == ["id", "owner", "amount", "at"]
        total = sqlalchemy.select(sqlalchemy.func.sum(deal.c.amount)).where(deal.c.owner == "bob")
        assert connection.execute(total).scalar_one() == 700
        limits = """SELECT getSetting('max_result_rows'), getSetting('max_execution_time'),
                    getSetting('join_use_nulls')"""
        assert connection.execute(sqlalchemy.text(limits)).one() == (1_000_000, 30, True)
        with pytest.raises(sqlalchemy.exc.DatabaseError, match="READONLY"):
            connection.execute(sqlalchemy.text("INSERT INTO crm.deal (id) VALUES (3)"))
    engine.dispose()
    assert client.query("SELECT count() FROM crm.deal").first_row == (2,)


def test_bound_account_sees_its_database_only(server: ServerProcess, client: Client) -> None:
    """An account bound to `crm_report` reads its views, and no table behind them, however named."""
    client.command("CREATE DATABASE IF NOT EXISTS crm_report")
    client.command("INSERT INTO crm.deal (id) VALUES (1)")
    client.command("CREATE OR REPLACE VIEW crm_report.v_deal AS SELECT id FROM crm.deal")
    with connect(server, "reports") as bound:
        assert bound.query("SELECT id FROM v_deal").result_rows == [(1,)]
        assert bound.query("WITH deal AS (SELECT 2) SELECT * FROM deal").result_rows == [(2,)]
        for sql in (
            "SELECT id FROM crm.deal",
            "SELECT 1 WHERE 1 IN crm.deal",
            "SELECT (SELECT any(id) FROM `crm`.`deal`)",
            "SELECT * FROM merge('crm', 'deal')",
            "SHOW TABLES FROM crm",
            "SHOW CREATE TABLE crm.deal",
            "DESCRIBE TABLE crm.deal",
            "SELECT query FROM system.processes",
        ):
            with pytest.raises(DatabaseError, match="ACCESS_DENIED"):
                bound.query(sql)
        with pytest.raises(DatabaseError, match="ACCESS_DENIED"):
            bound.query("SELECT * FROM {d:Identifier}.deal", parameters={"d": "crm"})
        with pytest.raises(DatabaseError, match="ACCESS_DENIED"):
            bound.raw_query("SELECT * FROM deal", settings={"database": "crm"})


def test_plain_http_names_format_query_and_time_zone(server: ServerProcess) -> None:
    """Ping, statistics and the headers ClickHouse sends are there for clients without a library."""
    assert ask(server, b"", query="/ping", method="GET")[2] == b"Ok.\n"
    assert json.loads(ask(server, b"", query="/stats", method="GET")[2])["handles"] == 0
    status, headers, body = ask(
        server, b"SELECT 1 AS x FORMAT JSONEachRow", query="/?query_id=mine"
    )
    assert (status, body) == (200, b'{"x":1}\n')
    assert headers["X-ClickHouse-Query-Id"] == "mine"
    assert headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert headers["X-ClickHouse-Timezone"] == "UTC"
    status, _, body = ask(server, b"", query="/?query=SELECT+2&default_format=CSV", method="GET")
    assert (status, body) == (200, b"2\n")
    status, _, body = ask(server, b"FROM numbers(3)", query="/?query=SELECT+count()")
    assert (status, body) == (200, b"3\n")
