"""The one owner of a data directory: fresh handles, slots for readers and writers, cancellation.

The engine is in-process: one process per directory, one user with all rights, no `fork()` after it
is open. A handle is a session; SET and USE stick to it, so every request gets a fresh one (0.2 ms).
"""

import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import chdb
import structlog
from chdb.state.sqlitelike import Connection

from infra.embedded.clickhouse.catalogue import Catalogue, FunctionRow, build_catalogue
from infra.embedded.clickhouse.statement import Node
from schemas.errors import ConfigurationError, Refused

TOO_MANY_QUERIES = 202
READERS = 8
WRITERS = 8
SLOT_WAIT_S = 30.0
CLOSE_WAIT_S = 12.0  # the supervisor waits 15 before SIGKILL
WATCH_INTERVAL_S = 0.2

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"})

log = structlog.get_logger(__name__)

# The first insert of a process is slower than the rest (threads, codecs, the parser's tables).
_WARM_UP = (
    "CREATE DATABASE IF NOT EXISTS daybook_warm_up",
    "CREATE OR REPLACE TABLE daybook_warm_up.t (a UInt8, s LowCardinality(String)) ORDER BY a",
    "INSERT INTO daybook_warm_up.t VALUES (1, lower('X'))",
    "SELECT count(), uniqExact(s) FROM daybook_warm_up.t",
    "DROP DATABASE daybook_warm_up SYNC",
)


@dataclass(slots=True)
class Counters:
    """What `/stats` shows; numbers only.

    Args:
        handles: Handles open now.
        readers: Reading statements running now.
        writers: Writing statements running now.
        statements: Statements run since the start.
        failures: Requests answered with an error since the start.
        cancelled: Reads cancelled because their client had gone.
    """

    handles: int = 0
    readers: int = 0
    writers: int = 0
    statements: int = 0
    failures: int = 0
    cancelled: int = 0


class Engine:
    """One open data directory.

    Usage: construct it in the main thread before any other thread starts; `close()` at the end.

    Args:
        path: The data directory; made when absent.

    Raises:
        ConfigurationError: The directory belongs to another process or wasn't made by this server.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path = str(path)
        self._lock = threading.Lock()
        self._slots = {
            False: threading.BoundedSemaphore(READERS),
            True: threading.BoundedSemaphore(WRITERS),
        }
        self._running: dict[str, socket.socket] = {}
        self._closing = threading.Event()
        self.counters = Counters()
        try:
            self._root = chdb.connect(self._path)
        except Exception as error:
            raise ConfigurationError("--data", f"{path} can't be opened: {error}") from error
        self._prepare()
        self.catalogue = self._read_catalogue()
        self._watcher = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._watcher.start()

    @contextmanager
    def handle(self) -> Iterator[Connection]:
        """Lend a fresh handle, closed at the end whatever happened to it."""
        with self._counted("handles"):
            handle = chdb.connect(self._path)
            try:
                yield handle
            finally:
                handle.close()

    @contextmanager
    def slot(self, *, writes: bool) -> Iterator[None]:
        """Wait for a slot; readers and writers have their own, so queries can't block inserts.

        Raises:
            Refused: Code 202, none became free in `SLOT_WAIT_S`.
        """
        if not self._slots[writes].acquire(timeout=SLOT_WAIT_S):
            raise Refused(TOO_MANY_QUERIES, "Too many simultaneous queries")
        try:
            self.counters.statements += 1
            with self._counted("writers" if writes else "readers"):
                yield
        finally:
            self._slots[writes].release()

    @contextmanager
    def watched(self, tag: str, client: socket.socket) -> Iterator[None]:
        """Cancel the query that begins with `/*tag*/` when its client hangs up.

        Between two chunks a broken pipe tells; before the first one nothing else would.
        """
        with self._lock:
            self._running[tag] = client
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(tag, None)

    def databases(self) -> frozenset[str]:
        """Return the names of all databases."""
        with self.handle() as handle:
            return frozenset(
                str(row[0]) for row in _rows(handle, "SELECT name FROM system.databases")
            )

    def close(self) -> None:
        """Cancel reads, wait for inserts, close the engine; nothing may be accepted any more.

        An insert that takes longer than `CLOSE_WAIT_S` is cut as by a crash: all of it or nothing.
        """
        self._closing.set()
        self._watcher.join()
        with self._lock:
            reads = list(self._running)
        for tag in reads:
            self._kill(tag)
        until = time.monotonic() + CLOSE_WAIT_S
        for _ in range(WRITERS):
            self._slots[True].acquire(timeout=max(0.0, until - time.monotonic()))
        self._root.close()

    def _prepare(self) -> None:
        """Replace the `default` database, make `crm`, warm up.

        `default` is an overlay on the working directory: there ``SELECT * FROM `/etc/passwd` ``
        reads the file. The engine makes it anew at each start, so nothing may live in it.
        """
        tables = _rows(self._root, "SELECT name FROM system.tables WHERE database = 'default'")
        if tables:
            problem = (
                f"holds tables in `default` ({len(tables)}): it is not this server's directory"
            )
            raise ConfigurationError("--data", problem)
        for sql in ("DROP DATABASE default SYNC", "CREATE DATABASE default ENGINE = Atomic"):
            self._root.query(sql)
        for sql in ("CREATE DATABASE IF NOT EXISTS crm", *_WARM_UP):
            self._root.query(sql)

    def _read_catalogue(self) -> Catalogue:
        columns = "name, is_aggregate, case_insensitive, alias_to, categories"
        functions = [
            FunctionRow(str(name), bool(aggregate), bool(any_case), str(alias), str(category))
            for name, aggregate, any_case, alias, category in _rows(
                self._root,
                f"SELECT {columns} FROM system.functions",  # noqa: S608 - ours
            )
        ]
        suffixes = _rows(self._root, "SELECT name FROM system.aggregate_function_combinators")
        settings = _rows(self._root, "SELECT name, type FROM system.settings")
        of_tables = _rows(self._root, "SELECT name, type FROM system.merge_tree_settings")
        return build_catalogue(
            functions,
            (str(row[0]) for row in suffixes),
            ((str(name), str(kind)) for name, kind in settings),
            ((str(name), str(kind)) for name, kind in of_tables),
        )

    @contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        with self._lock:
            setattr(self.counters, name, getattr(self.counters, name) + 1)
        try:
            yield
        finally:
            with self._lock:
                setattr(self.counters, name, getattr(self.counters, name) - 1)

    def _watch(self) -> None:
        while not self._closing.wait(WATCH_INTERVAL_S):
            with self._lock:
                gone = [tag for tag, client in self._running.items() if _has_gone(client)]
                for tag in gone:
                    del self._running[tag]
            for tag in gone:
                self._kill(tag)

    def _kill(self, tag: str) -> None:
        sql = f"KILL QUERY WHERE startsWith(query, '/*{tag}*/') ASYNC"  # tags are ours: hex digits
        try:
            with self.handle() as handle:
                handle.query(sql)
        except RuntimeError as error:
            log.warning("query_not_cancelled", problem=str(error))
            return
        self.counters.cancelled += 1

    def stats(self) -> dict[str, int]:
        """Return the counters and the number of threads."""
        return {**asdict(self.counters), "threads": threading.active_count()}


def parse(handle: Connection, sql: str) -> Node:
    """Return the syntax tree of one statement by the engine's own parser.

    Raises:
        chdb.ChdbError: It isn't one statement, or has no tree (see `statement.is_listing`).
    """
    found = handle.query(
        "SELECT parseQueryToJSON({sql:String})", "RawBLOB", params={"sql": _escaped(sql)}
    )
    return cast("Node", json.loads(found.bytes()))


def write_out(handle: Connection, tree: Node) -> str:
    """Return the SQL of a syntax tree."""
    params = {"tree": _escaped(json.dumps(tree))}
    found = handle.query("SELECT formatQueryFromJSON({tree:String})", "RawBLOB", params=params)
    return cast("bytes", found.bytes()).decode()


def _escaped(text: str) -> str:
    """Return the value of a placeholder as the engine reads it: like a field of TabSeparated."""
    return text.translate(_ESCAPES)


def _rows(handle: Connection, sql: str) -> list[list[object]]:
    text = cast("bytes", handle.query(sql, "JSONCompactEachRow").bytes())
    return [json.loads(line) for line in text.splitlines()]


def _has_gone(client: socket.socket) -> bool:
    try:
        readable, _, _ = select.select([client], [], [], 0)
        return bool(readable) and client.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True
