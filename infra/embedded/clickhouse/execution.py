"""One request from its statement to its answer: receive, plan, run."""

import secrets
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain

from chdb.state.sqlitelike import Connection

from infra.embedded.clickhouse.accounts import Account
from infra.embedded.clickhouse.body import Spool
from infra.embedded.clickhouse.engine import Engine
from infra.embedded.clickhouse.limits import READONLY
from infra.embedded.clickhouse.planning import SYNTAX_ERROR, Plan, attach_spool, plan_statement
from infra.embedded.clickhouse.response import Reply
from infra.embedded.clickhouse.results import send_result
from infra.embedded.clickhouse.review import DEFAULT_DATABASE, Asker, check_database
from infra.embedded.clickhouse.statement import Insert, split_insert
from schemas.errors import Refused

MAX_HEAD_BYTES = 256 << 10
MAX_STATEMENT_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for.

    Args:
        account: Who asks.
        query: The statement, or its beginning, from the URL or a form.
        body: The rest of it and data.
        parameters: All parameters of the URL and the form.
        default_format: Output format when the statement names none.
        may_write: Not a GET.
        client: The connection, to notice when the client goes.
    """

    account: Account
    query: str
    body: Iterator[bytes]
    parameters: Mapping[str, str]
    default_format: str
    may_write: bool
    client: socket.socket


@dataclass(frozen=True, slots=True)
class Received:
    """A request's statement and, behind an INSERT, its data."""

    text: str
    insert: Insert | None
    data: Iterable[bytes]


def execute(engine: Engine, request: Request, reply: Reply) -> None:
    """Answer one request.

    Raises:
        Refused: It isn't allowed.
        RuntimeError: The engine failed.
        OSError: The client has gone.
    """
    received = receive(request.query, request.body)
    asker = _asker(engine, request)
    with ExitStack() as stack:
        handle = stack.enter_context(engine.handle())
        if asker.database != DEFAULT_DATABASE:
            handle.query(f"USE {quoted(asker.database, '`')}")
        takes_data = received.insert is not None
        plan = plan_statement(
            handle, received.text, asker, request.parameters, takes_data=takes_data
        )
        if plan.verdict.writes and not request.may_write:
            raise Refused(READONLY, "GET is read-only: use POST")
        if received.insert is not None:
            spool = stack.enter_context(Spool())
            spool.write(received.data)
            attach_spool(handle, plan, received.insert, spool, engine.catalogue)
        if plan.settings:
            changes = ", ".join(f"{name} = {quoted(v)}" for name, v in plan.settings.items())
            handle.query(f"SET {changes}")
        stack.enter_context(engine.slot(writes=plan.verdict.writes))
        _run(engine, handle, plan, request, reply)


def receive(query: str, body: Iterator[bytes]) -> Received:
    """Find the statement and the data of a request.

    The text is the query followed by the body, as in ClickHouse; an INSERT's data begin in either.

    Raises:
        Refused: A statement without data of more than `MAX_STATEMENT_BYTES`.
    """
    head = query.encode()
    if insert := split_insert(head):
        return Received(insert.head, insert, chain((head[insert.data_at :],), body))
    head += b"\n" if head else b""
    for chunk in body:
        head += chunk
        if len(head) >= MAX_HEAD_BYTES:
            break
    if insert := split_insert(head):
        return Received(insert.head, insert, chain((head[insert.data_at :],), body))
    for chunk in body:
        head += chunk
        if len(head) > MAX_STATEMENT_BYTES:
            raise Refused(SYNTAX_ERROR, f"The statement is larger than {MAX_STATEMENT_BYTES} bytes")
    return Received(head.decode(), None, ())


def quoted(text: str, quote: str = "'") -> str:
    r"""Return a SQL string literal, or a name between backticks.

    >>> quoted("it's")
    "'it\\'s'"
    """
    return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


def _asker(engine: Engine, request: Request) -> Asker:
    mine = request.account.databases
    parameters = request.parameters
    asker = Asker(
        account=request.account,
        catalogue=engine.catalogue,
        database=parameters.get("database") or (mine[0] if mine else DEFAULT_DATABASE),
        databases=engine.databases() if mine is not None else frozenset(),
        parameters=_placeholders(parameters),
        in_session="session_id" in parameters,
    )
    check_database(asker.database, asker)
    return asker


def _placeholders(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the values for `{name:Type}` in the statement."""
    return {name[6:]: value for name, value in parameters.items() if name.startswith("param_")}


def _run(engine: Engine, handle: Connection, plan: Plan, request: Request, reply: Reply) -> None:
    tag = secrets.token_hex(12)
    sql = f"/*{tag}*/ {plan.sql}"
    params = _placeholders(request.parameters)
    if not plan.verdict.writes:
        fmt = plan.verdict.format or request.default_format
        with engine.watched(tag, request.client):
            send_result(handle, plan, sql, fmt, params, reply)
        return
    # A write is never cancelled: whether it happened must not depend on the client's patience.
    began = time.perf_counter_ns()
    done = handle.query(sql, "TabSeparated", params=params)
    summary = {"written_rows": done.rows_written(), "written_bytes": done.bytes_written()}
    summary["elapsed_ns"] = time.perf_counter_ns() - began
    body = b"" if plan.kind == "InsertQuery" else bytes(done.bytes() or b"")
    reply.whole(body, "TabSeparated" if body else "", summary)
