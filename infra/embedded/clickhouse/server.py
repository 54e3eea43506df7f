"""The HTTP side: one thread per connection, routes, failures to status codes."""

import base64
import binascii
import json
import socket
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qsl, urlsplit

import structlog

from infra.embedded.clickhouse.accounts import Account, Accounts
from infra.embedded.clickhouse.body import decoded, read_body, read_form
from infra.embedded.clickhouse.engine import Engine
from infra.embedded.clickhouse.execution import Request, execute
from infra.embedded.clickhouse.response import (
    Reply,
    choose_encoding,
    engine_failure,
    failure_text,
)
from schemas.errors import Refused

MAX_CONNECTIONS = 256
# Seconds a client may neither send nor read.
IDLE_S = 75
_LINGER_S = 5.0
_LINGER_BYTES = 1 << 20
# Not x-www-form-urlencoded: curl calls every body that, and ClickHouse takes it for the statement.
_FORM = "multipart/form-data"

log = structlog.get_logger(__name__)


class Connection(BaseHTTPRequestHandler):
    """One client's connection; requests come one after the other."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and a small body leave in one write; unbuffered costs 40 ms a query
    disable_nagle_algorithm = True
    timeout = IDLE_S

    def version_string(self) -> str:
        """Name the server, not the Python it runs on."""
        return "daybook-clickhouse"

    def do_GET(self) -> None:
        """Answer a GET: reads only."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer a HEAD: as GET, without the body."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Log nothing: one line per query is the client's business, and SQL holds personal data."""

    def _answer(self) -> None:
        url = urlsplit(self.path)
        parameters = dict(parse_qsl(url.query, keep_blank_values=True))
        query_id = _header_safe(parameters.get("query_id") or str(uuid.uuid4()))
        wants = parameters.get("enable_http_compression") == "1"
        encoding = choose_encoding(self.headers.get("Accept-Encoding", "")) if wants else ""
        reply = Reply(self, query_id, encoding)
        try:
            if not self._answer_openly(url.path, parameters, reply):
                self._answer_query(parameters, reply)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Refused as refusal:
            self._fail(reply, refusal.code, failure_text(refusal.code, refusal.message))
        except (RuntimeError, UnicodeDecodeError) as error:
            self._fail(reply, *engine_failure(str(error)))
        except Exception:
            log.exception("request_failed")
            self._fail(reply, 1002, failure_text(1002, "Internal error, see the server's log"))

    def _answer_openly(self, path: str, parameters: dict[str, str], reply: Reply) -> bool:
        """Answer what needs no account; False when it isn't that."""
        if path == "/ping" or (path == "/" and not parameters and self.command != "POST"):
            reply.plain(200, b"Ok.\n", {"Content-Type": "text/plain; charset=UTF-8"})
            return True
        if path == "/stats":
            body = json.dumps(self._server.engine.stats()).encode()
            reply.plain(200, body, {"Content-Type": "application/json"})
            return True
        return False

    def _answer_query(self, parameters: dict[str, str], reply: Reply) -> None:
        account = self._log_in(parameters)
        posted = self.command == "POST"
        body = read_body(self.rfile, self.headers) if posted else iter(())
        body = decoded(body, self.headers.get("Content-Encoding", "").lower())
        content_type = self.headers.get("Content-Type", "")
        if posted and content_type.startswith(_FORM):
            parameters, body = parameters | read_form(body, content_type), iter(())
        if database := self.headers.get("X-ClickHouse-Database"):
            parameters.setdefault("database", database)
        request = Request(
            account=account,
            query=parameters.get("query", ""),
            body=body,
            parameters=parameters,
            default_format=self.headers.get("X-ClickHouse-Format")
            or parameters.get("default_format", "TabSeparated"),
            may_write=posted,
            client=self.connection,
        )
        execute(self._server.engine, request, reply)
        for _ in body:
            pass  # what a statement without use for it left; the next request follows it

    def _log_in(self, parameters: dict[str, str]) -> Account:
        user, password = parameters.get("user", "default"), parameters.get("password", "")
        authorization = self.headers.get("Authorization", "")
        if authorization.startswith("Basic "):
            try:
                text = base64.b64decode(authorization[6:], validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                text = ":"
            user, _, password = text.partition(":")
        user = self.headers.get("X-ClickHouse-User", user)
        password = self.headers.get("X-ClickHouse-Key", password)
        return self._server.accounts.authenticate(_header_safe(user), password)

    def _fail(self, reply: Reply, code: int, text: str) -> None:
        self._server.engine.counters.failures += 1
        self.close_connection = True
        try:
            reply.fail(code, text)
            self._linger()
        except OSError:
            log.debug("client_gone_before_its_answer")

    def _linger(self) -> None:
        """Take what the client still sends: closing on unread data would destroy the answer."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(_LINGER_S)
        until = time.monotonic() + _LINGER_S
        while self.connection.recv(_LINGER_BYTES) and time.monotonic() < until:
            pass

    @property
    def _server(self) -> "Server":
        return cast("Server", self.server)


class Server(ThreadingHTTPServer):
    """The listening socket.

    Usage: `serve_forever()`; `shutdown()` from another thread, then `engine.close()`.

    Args:
        address: Host and port; port 0 takes a free one.
        engine: What answers.
        accounts: Who may ask.
    """

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], engine: Engine, accounts: Accounts) -> None:
        self.engine = engine
        self.accounts = accounts
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, Connection)

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Serve a connection in its own thread, or hang up when there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Serve it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what escaped a connection; a client that went away isn't worth it."""
        log.debug("connection_broken", client=str(client_address), request=str(request))


def _header_safe(text: str) -> str:
    """Keep a client's text from ending a header line."""
    return "".join(sign for sign in text if sign.isprintable())[:200]
