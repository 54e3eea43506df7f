"""Accepts websockets and gives each its session and link."""

import asyncio
import http
import secrets

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from gateway.protocol.codes import CONNECTION_LIMIT, SHUTDOWN, Close
from gateway.protocol.session import Session
from gateway.protocol.shared import Shared
from gateway.websocket.config import PATH, GatewayConfig
from gateway.websocket.hub import Hub
from gateway.websocket.link import CLOSE_S, Connection, Link, now
from gateway.websocket.origin import client_address, networks
from gateway.websocket.outbox import Outbox
from gateway.websocket.telemetry import HANDSHAKES, TURNED_AWAY, Telemetry

RETRY_AFTER_S = 2
OPEN_S = 5
BACKLOG = 4_096
"""asyncio's 100 loses connections when everybody comes back at once."""
WRITE_BUFFER = 32 * 1024

log = structlog.get_logger(__name__)


class Gateway:
    """The listening server; on the event loop only.

    Args:
        config: See `GatewayConfig`.
        shared: What sessions share.
        hub: Knows the connections.
        telemetry: Counters.
    """

    def __init__(
        self, config: GatewayConfig, shared: Shared, hub: Hub, telemetry: Telemetry
    ) -> None:
        self._config, self._shared, self._hub, self._telemetry = config, shared, hub, telemetry
        self._proxies = networks(config.trusted_proxies)
        self._server: Server | None = None
        self._opening: set[ServerConnection] = set()
        self.draining = False

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        assert self._server is not None  # noqa: S101 - after `start`
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begin to accept.

        Raises:
            OSError: The address is taken.
        """
        config = self._config
        self._server = await serve(
            self._serve,
            config.host,
            config.port,
            create_connection=Connection,
            process_request=self._admit,
            # Programs send no Origin; a browser always does.
            origins=[*config.origins, None],  # type: ignore[list-item]  # any string is one
            compression=None,
            ping_interval=None,  # the protocol has its own
            # A frame a little too large is answered with the protocol's own code, 3501.
            max_size=2 * self._shared.limits.frame.frame_bytes,
            max_queue=8,
            write_limit=WRITE_BUFFER,
            open_timeout=OPEN_S,
            close_timeout=CLOSE_S,
            server_header=None,
            reuse_port=True,
            backlog=BACKLOG,
        )
        log.info("gateway_listens", host=config.host, port=self.port, node=config.node)

    async def stop(self, close: Close = SHUTDOWN) -> None:
        """Accept nobody any more and end every connection.

        Args:
            close: What clients are told.
        """
        self.draining = True
        server = self._server
        if server is None:
            return
        server.close(close_connections=False)
        await self._hub.end_all(close, self._config.drain_s / 2)
        try:
            async with asyncio.timeout(self._config.drain_s / 2 + CLOSE_S):
                await server.wait_closed()
        except TimeoutError:
            log.warning("connections_left", count=len(self._hub))

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path.partition("?")[0] != PATH:
            return _refusal(http.HTTPStatus.NOT_FOUND, f"websockets are at {PATH}\n")
        if len(self._opening) >= self._config.handshakes:
            self._telemetry.count(TURNED_AWAY)
            return _refusal(http.HTTPStatus.SERVICE_UNAVAILABLE, "too many at once\n")
        self._opening.add(connection)
        connection.loop.call_later(OPEN_S, self._opening.discard, connection)
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Connection)  # noqa: S101 - by `create_connection`
        self._opening.discard(connection)
        address = self._address(connection)
        if not self._shared.gate.enter_address(address):
            self._telemetry.count(TURNED_AWAY)
            await connection.close(CONNECTION_LIMIT.code, CONNECTION_LIMIT.reason)
            return
        self._telemetry.count(HANDSHAKES)
        try:
            session = Session(secrets.token_urlsafe(16), self._shared, now())
            link = Link(connection, session, Outbox(self._config.outbox), self._hub)
            with self._hub.holding(link):
                if self.draining:
                    link.carry_out(session.close(SHUTDOWN))
                await link.serve()
        finally:
            self._shared.gate.leave_address(address)

    def _address(self, connection: ServerConnection) -> str:
        peer = connection.remote_address
        request = connection.request
        forwarded = "" if request is None else ", ".join(request.headers.get_all("X-Forwarded-For"))
        return client_address(str(peer[0]) if peer else "", forwarded, self._proxies)


def _refusal(status: http.HTTPStatus, text: str) -> Response:
    headers = Headers({"Content-Type": "text/plain", "Connection": "close"})
    if status is http.HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return Response(status.value, status.phrase, headers, text.encode())
