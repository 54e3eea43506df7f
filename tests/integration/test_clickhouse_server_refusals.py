"""What the embedded ClickHouse server refuses: files, addresses, stacked statements, intruders."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from infra.embedded.clickhouse.accounts import AccountEntry
from infra.embedded.clickhouse.child import ServerProcess

pytestmark = pytest.mark.integration

WORDS = {"daybook": "write me", "bi": "read me"}
ACCOUNTS = {
    "daybook": AccountEntry(password=WORDS["daybook"], readonly=False),
    "bi": AccountEntry(password=WORDS["bi"], readonly=True),
}
CONTENT = "only-the-owner-may-read-this"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for the module, with an empty table `crm.note`."""
    with ServerProcess(tmp_path_factory.mktemp("clickhouse"), ACCOUNTS) as process:
        ask(process, "CREATE TABLE crm.note (text String) ENGINE = MergeTree ORDER BY text")
        yield process


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file the engine could read."""
    path = tmp_path_factory.mktemp("secret") / "secret.csv"
    path.write_text(CONTENT)
    return path


def ask(
    server: ServerProcess, sql: str, user: str = "daybook", method: str = "POST", **parameters: str
) -> tuple[int, str, str]:
    """Send a statement; return the status, ClickHouse's code and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        login = {"X-ClickHouse-User": user, "X-ClickHouse-Key": ACCOUNTS[user].password}
        where = "/?" + urlencode(parameters)
        if method == "GET":
            where, sql = f"{where}&query={quote(sql)}", ""
        connection.request(method, where, sql.encode(), login)
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
        return answer.status, answer.headers.get("X-ClickHouse-Exception-Code", ""), body
    finally:
        connection.close()


READS_A_FILE = [
    "SELECT file('{path}')",
    "SELECT `file`('{path}')",
    "SELECT FILE /* a */ ('{path}')",
    "SELECT \"f\\x69le\"('{path}')",
    "SELECT arrayMap(x -> file(x), ['{path}'])",
    "SELECT * APPLY(file) FROM (SELECT '{path}' AS x)",
    "SELECT * APPLY(x -> file(x)) FROM (SELECT '{path}' AS x)",
    "SELECT * REPLACE(file('{path}') AS x) FROM (SELECT 'a' AS x)",
    "WITH x AS (SELECT file('{path}') AS y) SELECT y FROM x",
    "SELECT 1 WHERE 1 IN (SELECT length(file('{path}')))",
    "SELECT * FROM file('{path}', 'LineAsString')",
    "SELECT * FROM (SELECT * FROM file('{path}', LineAsString)) AS x CROSS JOIN system.one",
    "SELECT * FROM fileCluster('default', '{path}', 'LineAsString')",
    "SELECT * FROM default.`{path}`",
    "SELECT * FROM `{path}`",
    "SELECT * FROM {{t:Identifier}}",
    "SELECT * FROM sqlite('{path}', 't')",
    "SELECT * FROM executable('cat {path}', 'LineAsString', 'x String')",
    "SELECT * FROM python('open')",
    "SELECT * FROM eval('SELECT * FROM file(''{path}'')')",
    "SELECT * FROM view(SELECT file('{path}'))",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT * FROM file('{path}', 'CSV')))",
    "DESCRIBE TABLE file('{path}', 'CSV')",
    "DESCRIBE (SELECT file('{path}'))",
    "EXPLAIN SELECT * FROM file('{path}', 'CSV')",
    "EXPLAIN PIPELINE SELECT file('{path}')",
    "SELECT 'x' SETTINGS additional_result_filter = 'file(\\'{path}\\') != \\'\\''",
    "SELECT 1 FORMAT Template SETTINGS format_template_resultset = '{path}'",
    "SELECT catboostEvaluate('{path}', 1)",
    "INSERT INTO crm.note VALUES (file('{path}'))",
    """INSERT INTO crm.note SETTINGS input_format_values_interpret_expressions = 1
       VALUES (file('{path}'))""",
    "INSERT INTO crm.note VALUES (`file`('{path}'))",
    "INSERT INTO crm.note VALUES ('a' --'), (file('{path}'))\n), (file('{path}'))",
    "INSERT INTO crm.note VALUES (\u2018'\u2019 || file('{path}') || \u2018'\u2019)",
    "INSERT INTO crm.note VALUES ($x$'$x$ || file('{path}') || $x$'$x$)",
    "INSERT INTO crm.note VALUES ((SELECT * FROM file('{path}', 'LineAsString')))",
    "INSERT INTO crm.note FORMAT Values\n(file('{path}'))",
    "INSERT INTO crm.note SELECT * FROM file('{path}', 'LineAsString')",
    "INSERT INTO crm.note FROM INFILE '{path}' FORMAT LineAsString",
    "INSERT INTO crm.note SELECT a FROM input('a String') AS x, file('{path}') FORMAT TSV\nx\n",
    "CREATE TABLE crm.x (a String) ENGINE = File(CSV, '{path}')",
    "CREATE TABLE crm.x AS file('{path}', 'CSV')",
    "CREATE TABLE crm.x (a String DEFAULT file('{path}')) ENGINE = MergeTree ORDER BY a",
    """CREATE TABLE crm.x (a String) ENGINE = MergeTree ORDER BY a
       SETTINGS disk = disk(type = local, path = '/tmp/')""",
    "CREATE TABLE crm.x ENGINE = MergeTree ORDER BY a AS SELECT file('{path}') AS a",
    "CREATE VIEW crm.x AS SELECT file('{path}')",
    "CREATE MATERIALIZED VIEW crm.x ENGINE = File(CSV, '{path}') AS SELECT text FROM crm.note",
    "CREATE DATABASE x ENGINE = Filesystem('/')",
    "CREATE VIEW crm.x AS SELECT JSON(file('{path}')), CAST('1', 'JSON(max_dynamic_paths=1)')",
    "CREATE TABLE crm.x (p JSON(max_dynamic_paths=1), q String DEFAULT file('{path}')) ORDER BY q",
    """CREATE DICTIONARY crm.x (k UInt64) PRIMARY KEY k
       SOURCE(FILE(path '{path}' format 'CSV')) LAYOUT(FLAT()) LIFETIME(0)""",
    "CREATE FUNCTION reader AS x -> file(x)",
    "ATTACH TABLE crm.x FROM '{path}' (a String) ENGINE = MergeTree ORDER BY a",
    "ALTER TABLE crm.note ADD COLUMN x String DEFAULT file('{path}')",
    "ALTER TABLE crm.note UPDATE text = file('{path}') WHERE 1",
    "ALTER TABLE crm.note FETCH PARTITION '1' FROM '{path}'",
    "ALTER TABLE crm.note MODIFY SETTING disk = disk(type = local, path = '/tmp/')",
]
REACHES_OUT = [
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'x String')",
    "SELECT * FROM s3('http://127.0.0.1:1/x', 'CSV', 'x String')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM remoteSecure('127.0.0.1:1', system, one)",
    "SELECT * FROM cluster('default', system.one)",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM redis('127.0.0.1:1', 'k', 'k String')",
    "SELECT hasColumnInTable('127.0.0.1:1', 'u', 'p', 'd', 't', 'c')",
    "SELECT reverseDNSQuery('127.0.0.1')",
    "SELECT AIGenerate('hello')",
    "CREATE TABLE crm.x (a String) ENGINE = URL('http://127.0.0.1:1/', CSV)",
    "CREATE TABLE crm.x (a String) ENGINE = Distributed('default', 'crm', 'note')",
    "CREATE TABLE crm.x (a String) ENGINE = Kafka('127.0.0.1:1', 't', 'g', 'CSV')",
    "INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'CSV', 'x String') SELECT 'a'",
    "INSERT INTO FUNCTION remote('127.0.0.1:1', crm.note) VALUES ('a')",
]
WRITES_A_FILE = [
    "SELECT 1 INTO OUTFILE '{path}'",
    "SHOW PROCESSLIST INTO OUTFILE '{path}'",
    "INSERT INTO FUNCTION file('{path}', 'CSV', 'x String') SELECT 'a'",
    "INSERT INTO FUNCTION file('{path}', 'CSV', 'x String') VALUES ('a')",
    "BACKUP TABLE crm.note TO File('{path}')",
    "RESTORE TABLE crm.note FROM File('{path}')",
]
TOO_POWERFUL = [
    "SYSTEM SHUTDOWN",
    "SYSTEM RELOAD CONFIG",
    "CREATE USER x",
    "GRANT ALL ON *.* TO x",
    "CREATE NAMED COLLECTION x AS url = 'http://127.0.0.1:1/'",
    "SET readonly = 0",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS dialect = 'prql'",
    "SELECT sleep(3)",
    "CREATE TABLE forgotten (a String) ENGINE = MergeTree ORDER BY a",
    "RENAME TABLE crm.note TO default.note",
    "DROP DATABASE default",
    "CREATE TEMPORARY TABLE x (a Int8)",
]


EVERYDAY = [
    "SELECT count(*), COUNT(DISTINCT number), Sum(number), uniqIf(number, 1) FROM numbers(5)",
    "SELECT CASE WHEN 1 THEN 'a' END, 1 BETWEEN 0 AND 2, 'a' LIKE '%', toStartOfDay(now(), 'UTC')",
    "SELECT windowFunnel(10)(toUInt64(number), number = 1) FROM numbers(3)",
    "SELECT row_number() OVER (ORDER BY number), lagInFrame(number) OVER () FROM numbers(3)",
    "SELECT quantilesTDigestIfOrNull(0.5)(number, 1) FROM numbers(3) GROUP BY number WITH TOTALS",
    "SELECT arrayFold((a, x) -> a + x, [1, 2], toInt64(0)), sumMap([1], [2]), map('a', 1)['a']",
    "SELECT domain('http://a.b/c'), JSONExtractInt('{\"a\":1}', 'a'), EXISTS(SELECT 1), (1, 2).1",
    "SELECT toDate('2026-01-01') + INTERVAL 1 DAY, EXTRACT(YEAR FROM today())",
    "SELECT grouping(number) FROM numbers(2) GROUP BY GROUPING SETS ((number), ())",
    "SELECT n FROM (SELECT number AS n FROM numbers(3)) ORDER BY n WITH FILL TO 9 LIMIT 1 BY n",
    "SHOW DATABASES",
    "SHOW TABLES FROM crm",
    "SHOW COLUMNS FROM crm.note",
    "SHOW CREATE TABLE crm.note",
    "EXISTS TABLE crm.note",
    "DESCRIBE TABLE crm.note",
    "DESCRIBE (SELECT 1 AS x)",
    "EXPLAIN SELECT 1",
    "SELECT name FROM system.columns WHERE database = 'crm' AND table = 'note'",
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'crm'",
]


@pytest.mark.parametrize("user", ["daybook", "bi"])
@pytest.mark.parametrize("sql", READS_A_FILE)
def test_no_statement_reads_a_file(
    server: ServerProcess, secret: Path, sql: str, user: str
) -> None:
    """However it is written, no statement of a client opens a file."""
    status, code, body = ask(server, sql.format(path=secret), user, param_t=str(secret))
    assert status >= 400
    assert code in {"60", "115", "497", "164" if user == "bi" else "344"}
    assert CONTENT not in body
    assert CONTENT not in ask(server, "SELECT * FROM crm.note")[2]


@pytest.mark.parametrize("sql", REACHES_OUT)
def test_no_statement_reaches_another_machine(server: ServerProcess, sql: str) -> None:
    """A statement that would connect somewhere is refused before it tries."""
    status, code, body = ask(server, sql)
    assert (status, code) in {(403, "497"), (404, "46")}
    assert "127.0.0.1:1" not in body


@pytest.mark.parametrize("sql", WRITES_A_FILE)
def test_no_statement_writes_a_file(server: ServerProcess, tmp_path: Path, sql: str) -> None:
    """No statement of a client makes a file."""
    status, code, _ = ask(server, sql.format(path=tmp_path / "made"))
    assert (status, code) == (403, "497")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sql", TOO_POWERFUL)
def test_no_statement_changes_the_server(server: ServerProcess, sql: str) -> None:
    """Users, configuration, other dialects and things that would vanish are refused."""
    status, code, _ = ask(server, sql)
    assert status in {403, 404, 501}
    assert code in {"48", "115", "164", "497"}
    assert ask(server, "SELECT 1")[2] == "1\n"


@pytest.mark.parametrize(
    "name",
    [
        "additional_result_filter",
        "format_template_row",
        "url_base",
        "dialect",
        "implicit_select",
        "select",
        "no_such_setting",
    ],
)
def test_settings_that_carry_code_or_paths_are_refused(server: ServerProcess, name: str) -> None:
    """A setting of the request can't smuggle in what a statement may not contain."""
    status, code, _ = ask(server, "SELECT 1", **{name: "1"})
    assert (status, code) == (404, "115")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE crm.note",
        "INSERT INTO crm.note SELECT 'a'; DROP TABLE crm.note",
        "SELECT 1 /* ; */ ; SELECT 2",
    ],
)
def test_stacked_statements_are_refused(server: ServerProcess, sql: str) -> None:
    """One request runs one statement, or none."""
    status, code, _ = ask(server, sql)
    assert (status, code) == (400, "62")
    assert ask(server, "SELECT count() FROM crm.note")[2] == "0\n"


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO crm.note VALUES ('a')",
        "DROP TABLE crm.note",
        "TRUNCATE TABLE crm.note",
        "KILL QUERY WHERE 1",
    ],
)
def test_reader_and_get_cannot_write(server: ServerProcess, sql: str) -> None:
    """The read-only account can't write by POST, and nobody by GET."""
    assert ask(server, sql, "bi")[:2] == (403, "164")
    assert ask(server, sql, "daybook", "GET")[:2] == (403, "164")
    assert ask(server, "SELECT count() FROM crm.note")[2] == "0\n"


def test_wrong_password_and_unknown_user_are_the_same(server: ServerProcess) -> None:
    """Both get 403 and code 516, in words that don't tell which it was."""
    answers = []
    for user, password in (("bi", "wrong"), ("nobody", "wrong"), ("default", "")):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        where = "/?" + urlencode({"user": user, "password": password, "query": "SELECT 1"})
        connection.request("GET", where)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (403, "516")
        answers.append(answer.read().decode().replace(user, "USER", 1))
        connection.close()
    assert len(set(answers)) == 1


def test_caps_of_a_reader_hold_inside_a_statement_too(server: ServerProcess) -> None:
    """A reader may set limits below its caps; above them the cap applies."""
    names = "getSetting('max_memory_usage'), getSetting('max_execution_time')"
    lower = ask(
        server, f"SELECT {names} SETTINGS max_memory_usage = 5000000, max_execution_time = 3", "bi"
    )
    assert lower[2] == "5000000\t3\n"
    higher = ask(
        server,
        f"SELECT {names} SETTINGS max_memory_usage = 0, max_execution_time = 9999",
        "bi",
        max_memory_usage="0",
    )
    assert higher[2] == "2000000000\t30\n"
    assert ask(server, f"SELECT {names}", "bi")[2] == "2000000000\t30\n"


@pytest.mark.parametrize("name", ["DataFrame", "ArrowTable", "CSV INTO OUTFILE 'x'", "NoSuch"])
def test_unknown_output_formats_are_refused(server: ServerProcess, name: str) -> None:
    """A format is one of ClickHouse's, whoever names it."""
    assert ask(server, "SELECT 1", default_format=name)[:2] == (400, "73")


def test_refused_insert_gets_its_answer(server: ServerProcess) -> None:
    """The client reads why, though it was still sending its data."""
    data = "x\n" * 10_000_000
    status, code, body = ask(
        server, f"INSERT INTO FUNCTION null('x String') FORMAT TSV\n{data}", "bi"
    )
    assert (status, code) == (403, "164")
    assert "readonly" in body


@pytest.mark.parametrize("sql", EVERYDAY)
def test_everyday_sql_is_not_refused(server: ServerProcess, sql: str) -> None:
    """The allow-list lets through what analysts write."""
    status, _, body = ask(server, sql, "bi")
    assert (status, "Code:" in body) == (200, False), body
