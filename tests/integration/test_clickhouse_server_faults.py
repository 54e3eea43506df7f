"""The embedded ClickHouse server when clients leave, data stop half-way and processes die."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from infra.embedded.clickhouse.accounts import AccountEntry
from infra.embedded.clickhouse.child import ServerProcess

pytestmark = pytest.mark.integration

LOGIN = {"X-ClickHouse-User": "daybook", "X-ClickHouse-Key": "write me"}
ACCOUNTS = {"daybook": AccountEntry(password=LOGIN["X-ClickHouse-Key"], readonly=False)}
ENDLESS = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"
ROWS = 400_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for the module; tests that kill it start it again."""
    with ServerProcess(tmp_path_factory.mktemp("clickhouse"), ACCOUNTS) as process:
        yield process


def request(server: ServerProcess, sql: str, **parameters: str) -> http.client.HTTPConnection:
    """Send a statement and don't wait for the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/?" + urlencode(parameters), sql.encode(), LOGIN)
    return connection


def ask(server: ServerProcess, sql: str, **parameters: str) -> str:
    """Send a statement and return its result."""
    connection = request(server, sql, **parameters)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    assert answer.status == 200, body
    return body.strip()


def stats(server: ServerProcess) -> dict[str, int]:
    """Return what the server counts."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/stats")
    found: dict[str, int] = json.loads(connection.getresponse().read())
    connection.close()
    return found


def until(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    """Wait for a condition."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it never came true"


def make_deals(server: ServerProcess) -> None:
    """Make an empty table with a rollup."""
    for sql in (
        "DROP TABLE IF EXISTS crm.mv_deal",
        """CREATE OR REPLACE TABLE crm.deal (id UInt64, month UInt8)
           ENGINE = MergeTree PARTITION BY month ORDER BY id
           SETTINGS non_replicated_deduplication_window = 100""",
        """CREATE OR REPLACE TABLE crm.agg_deal (month UInt8, n UInt64)
           ENGINE = SummingMergeTree ORDER BY month
           SETTINGS non_replicated_deduplication_window = 100""",
        """CREATE MATERIALIZED VIEW crm.mv_deal TO crm.agg_deal
           AS SELECT month, count() AS n FROM crm.deal GROUP BY month""",
    ):
        ask(server, sql)


def insert(server: ServerProcess, token: str, outcome: list[int | str]) -> None:
    """Insert `ROWS` rows in one block under a token; append the status, or the failure."""
    statement = (
        "INSERT INTO crm.deal SELECT id, id % 3 FROM input('id UInt64')"
        " WHERE NOT ignore(arrayMap(x -> cityHash64(x, id), range(20))) FORMAT RowBinary"
    )
    parameters = {
        "query": statement,
        "insert_deduplication_token": token,
        "deduplicate_blocks_in_dependent_materialized_views": "1",
        "max_insert_threads": "1",
        "max_threads": "1",
        "max_block_size": str(ROWS),
        "min_insert_block_size_rows": str(ROWS),
        "min_insert_block_size_bytes": str(1 << 30),
    }
    body = b"".join(number.to_bytes(8, "little") for number in range(ROWS))
    try:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", "/?" + urlencode(parameters), body, LOGIN)
        outcome.append(connection.getresponse().status)
        connection.close()
    except (OSError, http.client.HTTPException) as error:
        outcome.append(type(error).__name__)


def counts(server: ServerProcess) -> tuple[str, str]:
    """Return rows and distinct rows of the table, and the sum of its rollup."""
    return (
        ask(server, "SELECT count(), uniqExact(id) FROM crm.deal"),
        ask(server, "SELECT sum(n) FROM crm.agg_deal"),
    )


def test_query_is_cancelled_when_its_client_leaves(server: ServerProcess) -> None:
    """A read without a first row stops soon after the client hangs up."""
    connection = request(server, ENDLESS)
    until(lambda: stats(server)["readers"] == 1)
    cancelled = stats(server)["cancelled"]
    connection.close()
    until(lambda: stats(server)["readers"] == 0, timeout_s=5)
    until(lambda: stats(server)["cancelled"] == cancelled + 1)
    until(lambda: stats(server)["handles"] == 0)


def test_slow_reader_holds_its_query_back(server: ServerProcess) -> None:
    """A client that doesn't read costs the server no memory; when it leaves, the query ends."""
    status = Path(f"/proc/{server.pid}/status")
    before = resident_bytes(status)
    plain = socket.create_connection(("127.0.0.1", server.port))
    sql = "SELECT toString(number), repeat('x', 100) FROM numbers(100000000) FORMAT TSV"
    head = "".join(f"{name}: {value}\r\n" for name, value in LOGIN.items())
    plain.sendall(f"POST / HTTP/1.1\r\n{head}Content-Length: {len(sql)}\r\n\r\n{sql}".encode())
    assert plain.recv(12) == b"HTTP/1.1 200"
    produced = [0, -1]

    def has_stopped() -> bool:
        produced.append(
            int(
                ask(
                    server,
                    "SELECT sum(read_rows) FROM system.processes WHERE query LIKE '%repeat%'"
                    " AND query NOT LIKE '%processes%'",
                )
            )
        )
        return produced[-1] == produced[-20 if len(produced) > 20 else 0]

    until(has_stopped)
    assert produced[-1] < 10_000_000
    assert resident_bytes(status) - before < 300_000_000
    plain.close()
    until(lambda: stats(server)["readers"] == 0, timeout_s=5)


def resident_bytes(status: Path) -> int:
    """Return a process's resident memory."""
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def test_readers_do_not_block_inserts(server: ServerProcess) -> None:
    """With every reader's slot taken an insert still runs, and the next read waits."""
    make_deals(server)
    connections = [request(server, ENDLESS) for _ in range(8)]
    until(lambda: stats(server)["readers"] == 8)
    ask(server, "INSERT INTO crm.deal VALUES (1, 1)")
    waiting = request(server, "SELECT count() FROM crm.deal")
    for connection in connections:
        connection.close()
    assert waiting.getresponse().read() == b"1\n"
    waiting.close()
    until(lambda: stats(server)["readers"] == 0, timeout_s=10)


@pytest.mark.parametrize("chunked", [False, True])
def test_half_a_body_stores_nothing(server: ServerProcess, *, chunked: bool) -> None:
    """An insert whose client leaves before the end of the data leaves no row."""
    make_deals(server)
    until(lambda: stats(server)["handles"] == 0)
    plain = socket.create_connection(("127.0.0.1", server.port))
    where = "/?" + urlencode({"query": "INSERT INTO crm.deal (id) FORMAT TSV"})
    head = "".join(f"{name}: {value}\r\n" for name, value in LOGIN.items())
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100000"
    data = b"4\r\n1\n2\n\r\n" if chunked else b"1\n2\n"
    plain.sendall(f"POST {where} HTTP/1.1\r\n{head}{length}\r\n\r\n".encode() + data)
    with plain:
        until(lambda: stats(server)["handles"] == 1)
    until(lambda: stats(server)["handles"] == 0)
    assert ask(server, "SELECT count() FROM crm.deal") == "0"


def test_connection_survives_many_requests(server: ServerProcess) -> None:
    """One connection carries request after request, refusals of parameters aside."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for number in range(50):
        connection.request("POST", "/", f"SELECT {number}".encode(), LOGIN)
        assert connection.getresponse().read() == b"%d\n" % number
    connection.close()
    until(lambda: stats(server)["handles"] == 0)


def test_same_token_at_once_is_one_insert(server: ServerProcess) -> None:
    """Three inserts of one token running together store its rows once, in the rollup too."""
    make_deals(server)
    outcomes: list[int | str] = []
    senders = [threading.Thread(target=insert, args=(server, "t", outcomes)) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert outcomes == [200, 200, 200]
    assert counts(server) == (f"{ROWS}\t{ROWS}", str(ROWS))


def test_kill_inside_an_insert_then_resend_is_exactly_once(server: ServerProcess) -> None:
    """SIGKILL while an insert runs, start, send the token again: every row once, rollup equal."""
    make_deals(server)
    port, store = server.port, server.directory / "data"
    moments: list[Callable[[], bool]] = [
        lambda: stats(server)["writers"] == 1,
        lambda: any(store.glob("store/*/*/tmp_insert_*")) or bool(outcomes),
        lambda: int(ask(server, "SELECT count() FROM crm.deal")) > 2 * ROWS or bool(outcomes),
    ]
    for attempt, moment in enumerate(moments):
        outcomes: list[int | str] = []
        sender = threading.Thread(target=insert, args=(server, f"range {attempt}", outcomes))
        sender.start()
        until(moment)
        server.kill()
        sender.join()
        assert attempt or outcomes != [200]
        server.start()
        insert(server, f"range {attempt}", outcomes)
        insert(server, f"range {attempt}", outcomes)
        assert outcomes[1:] == [200, 200]
        total = (attempt + 1) * ROWS
        assert counts(server) == (f"{total}\t{ROWS}", str(total))
    assert server.port == port


def test_stop_lets_an_insert_finish_and_cuts_reads(server: ServerProcess) -> None:
    """SIGTERM answers the insert that runs, ends reads, closes the data directory and exits 0."""
    make_deals(server)
    reading = request(server, ENDLESS)
    outcomes: list[int | str] = []
    sender = threading.Thread(target=insert, args=(server, "last", outcomes))
    sender.start()
    until(lambda: stats(server)["writers"] == 1)
    assert server.stop() == 0
    sender.join()
    assert outcomes == [200]
    reading.close()
    server.start()
    assert counts(server) == (f"{ROWS}\t{ROWS}", str(ROWS))


def test_data_directory_has_one_owner(server: ServerProcess, tmp_path: Path) -> None:
    """A second server on the same data ends with an error and leaves the first alone."""
    (tmp_path / "data").symlink_to(server.directory / "data")
    with pytest.raises(Exception, match="ended with 2"), ServerProcess(tmp_path, ACCOUNTS):
        pass
    assert "--data" in (tmp_path / "server.log").read_text()
    assert ask(server, "SELECT 1") == "1"
