"""Figures and histories from ClickHouse's report views, as a port.

Values reach a query as parameters only. ClickHouse ends a query after `QUERY_S`, and the client
stops waiting soon after.
"""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from gateway.http.ports import Figure, Happening, Place, Series
from schemas.errors import ConfigurationError, Unavailable

QUERY_S = 5
WAIT_S = QUERY_S + 2
CONNECT_S = 5
RETRY_AFTER_S = 1.0

_SERIES = """
SELECT toUnixTimestamp(bucket) * 1000, member, count, value, unit
FROM crm_report.v_metric
WHERE tenant = {tenant:String} AND metric = {metric:String} AND grain = {grain:String}
  AND dimension = {dimension:String}
  AND toUnixTimestamp(bucket) * 1000 >= {start_ms:Int64}
  AND toUnixTimestamp(bucket) * 1000 < {end_ms:Int64}
ORDER BY bucket, member
LIMIT {limit:UInt32}
"""
_TIMELINE = """
SELECT toUnixTimestamp64Milli(ts) AS ts_ms, event_id, source, type, subject, actor, origin, props
FROM crm_report.v_event
WHERE tenant = {tenant:String} AND contact_id = {contact:String}
  AND (toUnixTimestamp64Milli(ts), event_id, source)
    < ({ts_ms:Int64}, {event_id:String}, {source:String})
ORDER BY ts_ms DESC, event_id DESC, source DESC
LIMIT {limit:UInt32}
"""


class Warehouse:
    """ClickHouse, connected at the first question.

    Args:
        url: `http[s]://user:password@host:port`.

    Raises:
        ConfigurationError: `url` isn't one.
    """

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        if self._url.scheme not in {"http", "https"} or not self._url.hostname:
            raise ConfigurationError("clickhouse_url", "must be http[s]://user:password@host:port")
        self._lock = threading.Lock()
        self._client: Client | None = None

    async def figures(self, asked: Series, *, limit: int) -> list[Figure]:
        """Return the buckets of a series; see `gateway.http.ports.Reports`."""
        rows = await self._rows(_SERIES, {**asked._asdict(), "limit": limit})
        return [Figure(*row) for row in rows]

    async def timeline(
        self, tenant: str, contact: str, before: Place, *, limit: int
    ) -> list[Happening]:
        """Return what happened to a contact; see `gateway.http.ports.Reports`."""
        given = {"tenant": tenant, "contact": contact, **before._asdict(), "limit": limit}
        rows = await self._rows(_TIMELINE, given)
        return [Happening(Place(*row[:3]), *row[3:]) for row in rows]

    async def _rows(self, query: str, given: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        return await asyncio.to_thread(self._ask, query, given)

    def _ask(self, query: str, given: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        try:
            answer = self._connected().query(
                query, parameters=dict(given), settings={"max_execution_time": QUERY_S}
            )
        except ClickHouseError as problem:
            first = (str(problem).splitlines() or [""])[0][:160]
            raise Unavailable("ClickHouse", RETRY_AFTER_S, first) from None
        rows: Sequence[Sequence[Any]] = answer.result_rows
        return rows

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = clickhouse_connect.get_client(
                    interface=self._url.scheme,
                    host=self._url.hostname,
                    port=self._url.port or (8443 if self._url.scheme == "https" else 8123),
                    username=unquote(self._url.username or "default"),
                    password=unquote(self._url.password or ""),
                    connect_timeout=CONNECT_S,
                    send_receive_timeout=WAIT_S,
                    # Threads share the client; a session would refuse the second one.
                    autogenerate_session_id=False,
                )
            return self._client
