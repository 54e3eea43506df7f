"""Response bodies: status and headers, compression, chunks, exceptions after the headers."""

import json
import re
import secrets
import zlib
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Protocol

import lz4.frame
from backports import zstd

STATUS = {
    36: 400, 46: 404, 47: 404, 60: 404, 62: 400, 73: 400, 81: 404, 115: 404, 159: 408, 164: 403,
    1002: 400, 202: 503, 241: 413, 497: 403, 516: 403, 48: 501,
}  # fmt: skip
NAMES = {
    36: "BAD_ARGUMENTS", 48: "NOT_IMPLEMENTED", 62: "SYNTAX_ERROR", 73: "UNKNOWN_FORMAT",
    115: "UNKNOWN_SETTING",
    164: "READONLY", 202: "TOO_MANY_SIMULTANEOUS_QUERIES", 241: "MEMORY_LIMIT_EXCEEDED",
    497: "ACCESS_DENIED", 516: "AUTHENTICATION_FAILED", 1002: "UNKNOWN_EXCEPTION",
}  # fmt: skip
UNKNOWN_EXCEPTION = 1002
_COMPRESS_FROM_BYTES = 1000
_CODE = re.compile(r"Code: (\d+)")
# What our question about the syntax tree adds to the engine's message, and wrappers around it.
_NOISE = re.compile(r": In scope SELECT parseQueryToJSON\(.*\)\.(?= \([A-Z_]+\)$)", re.DOTALL)
_BINARY = frozenset({"Arrow", "ArrowStream", "Native", "Parquet", "RowBinary"})


class Compressor(Protocol):
    """What zlib and zstd agree on."""

    def compress(self, data: bytes, /) -> bytes:
        """Return what is ready."""

    def flush(self) -> bytes:
        """Return the rest."""


class _Lz4:
    """An lz4 frame with the interface of zlib."""

    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._begun = b""
        self._begun = self._frame.begin()

    def compress(self, data: bytes, /) -> bytes:
        """Return what is ready."""
        begun, self._begun = self._begun, b""
        return begun + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        """Return the rest."""
        begun, self._begun = self._begun, b""
        return begun + bytes(self._frame.flush())


_COMPRESSORS: Mapping[str, Callable[[], Compressor]] = {
    "lz4": _Lz4,
    "zstd": lambda: zstd.ZstdCompressor(level=1),
    "gzip": lambda: zlib.compressobj(1, zlib.DEFLATED, 31),
    "deflate": lambda: zlib.compressobj(1),
}


def choose_encoding(accepted: str) -> str:
    """Return the first encoding the client accepts and we know, empty for none.

    >>> choose_encoding("br, zstd;q=0.5, gzip")
    'zstd'
    """
    names = (item.split(";")[0].strip() for item in accepted.split(","))
    return next((name for name in names if name in _COMPRESSORS), "")


def failure_text(code: int, message: str) -> str:
    """Return an error in ClickHouse's words."""
    return f"Code: {code}. DB::Exception: {message}. ({NAMES.get(code, 'UNKNOWN_EXCEPTION')})"


def engine_failure(text: str) -> tuple[int, str]:
    """Return code and message of an exception of the engine."""
    found = _CODE.search(text)
    if found is None:
        return UNKNOWN_EXCEPTION, failure_text(UNKNOWN_EXCEPTION, text)
    return int(found.group(1)), _NOISE.sub(".", text[found.start() :].strip())


class Reply:
    """The answer to one request: whole, or begun and sent chunk by chunk.

    Usage: `whole()`, or `begin()`, `send()` … `finish()`. Failures: `fail()` whatever was sent.

    Args:
        connection: The connection to answer on.
        query_id: Sent back to the client.
        encoding: How to compress; empty for not at all.
    """

    def __init__(self, connection: BaseHTTPRequestHandler, query_id: str, encoding: str) -> None:
        self._connection = connection
        self._query_id = query_id
        self._encoding = encoding
        self._compressor: Compressor | None = None
        self._tag = secrets.token_hex(8)
        self.begun = False

    def whole(self, body: bytes, fmt: str, summary: Mapping[str, int]) -> None:
        """Send a complete result."""
        headers = self._headers(fmt, summary)
        if self._encoding and len(body) >= _COMPRESS_FROM_BYTES:
            compressor = _COMPRESSORS[self._encoding]()
            body = compressor.compress(body) + compressor.flush()
            headers["Content-Encoding"] = self._encoding
        self.plain(200, body, headers)

    def plain(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send these bytes in one go."""
        self._start(status, {**headers, "Content-Length": str(len(body))})
        if self._connection.command != "HEAD":
            self._connection.wfile.write(body)
        self._connection.wfile.flush()

    def begin(self, fmt: str) -> None:
        """Send the headers of a streamed result."""
        headers = {**self._headers(fmt, {}), "Transfer-Encoding": "chunked"}
        headers["X-ClickHouse-Exception-Tag"] = self._tag
        if self._encoding:
            self._compressor = _COMPRESSORS[self._encoding]()
            headers["Content-Encoding"] = self._encoding
        self._start(200, headers)

    def send(self, piece: bytes) -> None:
        """Send a piece; blocks while the client doesn't read, which holds the query back.

        Raises:
            OSError: The client has gone, or took nothing for `server.IDLE_S`.
        """
        self._chunk(self._compressor.compress(piece) if self._compressor else piece)

    def finish(self) -> None:
        """End a streamed result."""
        if self._compressor:
            self._chunk(self._compressor.flush())
        self._connection.wfile.write(b"0\r\n\r\n")
        self._connection.wfile.flush()

    def fail(self, code: int, text: str) -> None:
        """Tell the client that it failed.

        Behind the headers ClickHouse (25.11+) marks the exception with a tag announced in them, and
        leaves the body without an end, so that clients that don't know the tag notice too.
        """
        self._connection.close_connection = True
        if not self.begun:
            headers = self._headers("", {})
            headers |= {"X-ClickHouse-Exception-Code": str(code), "Connection": "close"}
            self.plain(STATUS.get(code, 500), text.encode() + b"\n", headers)
            return
        message = text.encode() + b"\n"
        self.send(
            b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n"
            % (self._tag.encode(), message, len(message), self._tag.encode())
        )
        if self._compressor:
            self._chunk(self._compressor.flush())
        self._connection.wfile.flush()

    def _chunk(self, piece: bytes) -> None:
        if piece:
            self._connection.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def _headers(self, fmt: str, summary: Mapping[str, int]) -> dict[str, str]:
        text = "application/octet-stream" if fmt in _BINARY else "text/plain; charset=UTF-8"
        headers = {
            "Content-Type": "application/json; charset=UTF-8" if fmt.startswith("JSON") else text,
            "X-ClickHouse-Server-Display-Name": "daybook",
            "X-ClickHouse-Query-Id": self._query_id,
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Summary": json.dumps({name: str(n) for name, n in summary.items()}),
        }
        return headers | ({"X-ClickHouse-Format": fmt} if fmt else {})

    def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self._connection.send_response(status)
        for name, value in headers.items():
            self._connection.send_header(name, value)
        self._connection.end_headers()
        self.begun = True
