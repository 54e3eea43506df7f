"""ClickHouse over HTTP, with the repeats that are safe."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, Error, OperationalError

from schemas.errors import ConfigurationError
from sinks.mapping.ledger import Fenced
from sinks.mapping.statements import FENCED
from sinks.retry import Backoff, persist

T = TypeVar("T")
CODE = re.compile(r"\bCode: (\d+)")
TRANSIENT_CODES = {
    "159": "TIMEOUT_EXCEEDED",
    "173": "CANNOT_ALLOCATE_MEMORY",
    "202": "TOO_MANY_SIMULTANEOUS_QUERIES",
    "209": "SOCKET_TIMEOUT",
    "210": "NETWORK_ERROR",
    "236": "ABORTED",
    "241": "MEMORY_LIMIT_EXCEEDED",
    "242": "TABLE_IS_READ_ONLY",
    "243": "NOT_ENOUGH_SPACE",
    "252": "TOO_MANY_PARTS",
    "285": "TOO_FEW_LIVE_REPLICAS",
    "319": "UNKNOWN_STATUS_OF_INSERT",
    "394": "QUERY_WAS_CANCELLED",
    "425": "SYSTEM_ERROR",
    "745": "SERVER_OVERLOADED",
    "999": "KEEPER_EXCEPTION",
}
"""Server errors after which the same statement may succeed."""


def connect(url: str, *, timeout_s: float = 60) -> Client:
    """Return a client of the server at `url`.

    Raises:
        ConfigurationError: `url` isn't `http[s]://user:password@host:port`.
        clickhouse_connect.driver.exceptions.Error: the server didn't answer.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError("clickhouse_url", "must be http[s]://user:password@host:port")
    return clickhouse_connect.get_client(
        host=parts.hostname,
        port=parts.port or (8443 if parts.scheme == "https" else 8123),
        interface=parts.scheme,
        username=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        compress=False,
        connect_timeout=5,
        send_receive_timeout=timeout_s,
        # Threads share the client; a session would make the server refuse the second one.
        autogenerate_session_id=False,
    )


def transient(error: Exception) -> bool:
    """Whether the same call may succeed later; a wrong statement or password never does."""
    if isinstance(error, DatabaseError) and not isinstance(error, OperationalError):
        code = CODE.search(str(error))
        return code is not None and code[1] in TRANSIENT_CODES
    return isinstance(error, (Error, OSError))


class ClickHouse:
    """A client that waits for its server.

    Every call is repeated until it succeeds, so callers use it for what may run twice: reads,
    ledger rows (their key makes them idempotent) and inserts with a token.

    Args:
        url: Of the server.
        backoff: How patiently.
        failed: Told of every failed attempt.
        stopped: Whether the process was asked to end.
    """

    def __init__(
        self,
        url: str,
        backoff: Backoff,
        failed: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._url, self._backoff = url, backoff
        self._failed, self._stopped = failed, stopped
        self._client: Client | None = None

    def run(
        self, sql: str, data: bytes | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Run one statement, with `data` as its body.

        Raises:
            Fenced: the guard of an insert threw.
            Unavailable: the server stayed away.
        """
        self._persist(lambda client: client.command(sql, data=data, settings=dict(settings or {})))

    def rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """Return the rows of a query."""
        return self._persist(lambda client: client.query(sql)).result_rows

    def _persist(self, call: Callable[[Client], T]) -> T:
        def attempt() -> T:
            if self._client is None:
                self._client = connect(self._url)
            return call(self._client)

        try:
            return persist(
                attempt,
                service="clickhouse",
                transient=transient,
                backoff=self._backoff,
                failed=self._failed,
                stopped=self._stopped,
            )
        except DatabaseError as error:
            if FENCED in str(error):
                raise Fenced(
                    "the insert was refused: another process has claimed the lane"
                ) from error
            raise
