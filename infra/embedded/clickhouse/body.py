"""Request bodies: chunks, compression, forms, and the spool an INSERT's data wait in."""

import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from io import BufferedIOBase
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import lz4.frame
from backports import zstd

from schemas.errors import Refused

BAD_REQUEST = 1002
NOT_IMPLEMENTED = 48
TOO_LARGE = 241
MAX_BODY_BYTES = 512 << 20
MAX_FORM_BYTES = 16 << 20
_READ_BYTES = 1 << 20
_MAX_CHUNK_LINE = 1024


class Decompressor(Protocol):
    """What lz4, zstd and zlib agree on."""

    @property
    def eof(self) -> bool:
        """The frame has ended."""

    @property
    def unused_data(self) -> bytes | None:
        """What follows it."""

    def decompress(self, data: bytes, /) -> bytes:
        """Return what these bytes decompress to so far."""


_DECOMPRESSORS: dict[str, Callable[[], Decompressor]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": zstd.ZstdDecompressor,
    "gzip": lambda: zlib.decompressobj(31),
    "deflate": zlib.decompressobj,
}


def read_body(stream: BufferedIOBase, headers: Message) -> Iterator[bytes]:
    """Read the body of one request, still compressed.

    Raises:
        ConnectionError: The client hung up in the middle.
    """
    if "chunked" not in headers.get("Transfer-Encoding", "").lower():
        try:
            length = int(headers.get("Content-Length") or 0)
        except ValueError:
            raise ConnectionError("the length isn't a number") from None
        yield from _read_exactly(stream, length)
        return
    while length := _chunk_length(stream):
        yield from _read_exactly(stream, length)
        stream.readline(_MAX_CHUNK_LINE)
    while stream.readline(_MAX_CHUNK_LINE).strip():
        pass  # trailers


def decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Decompress a body, frame after frame: clickhouse-connect sends one frame per block.

    Args:
        chunks: The compressed body.
        encoding: `Content-Encoding`; empty when it isn't compressed.

    Raises:
        Refused: The encoding is unknown, the data are not what it says or too large.
    """
    if encoding and encoding != "identity" and encoding not in _DECOMPRESSORS:
        raise Refused(BAD_REQUEST, f"Content-Encoding {encoding!r} is unknown")
    size = 0
    for piece in (
        _inflated(chunks, _DECOMPRESSORS[encoding]) if encoding in _DECOMPRESSORS else chunks
    ):
        size += len(piece)
        if size > MAX_BODY_BYTES:
            raise Refused(TOO_LARGE, f"The body is larger than {MAX_BODY_BYTES} bytes")
        yield piece


def _inflated(chunks: Iterable[bytes], new: Callable[[], Decompressor]) -> Iterator[bytes]:
    frame = new()
    started = False
    for chunk in chunks:
        rest = chunk
        while rest:
            started = True
            try:
                piece = frame.decompress(rest)
            except (RuntimeError, zlib.error, zstd.ZstdError) as error:
                raise Refused(BAD_REQUEST, f"The body can't be decompressed: {error}") from error
            rest = (frame.unused_data or b"") if frame.eof else b""
            if frame.eof:
                frame, started = new(), False
            if piece:
                yield piece
    if started:
        raise Refused(BAD_REQUEST, "The compressed body ends in the middle of a frame")


def read_form(chunks: Iterable[bytes], content_type: str) -> dict[str, str]:
    """Read a form's text fields; clickhouse-connect sends long parameters that way.

    Raises:
        Refused: It holds a file (external tables are not supported) or is too large.
    """
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise Refused(TOO_LARGE, f"The form is larger than {MAX_FORM_BYTES} bytes")
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    fields: dict[str, str] = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + bytes(body)).iter_parts():
        if part.get_filename() is not None:
            raise Refused(NOT_IMPLEMENTED, "External tables are not supported")
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = content.decode()
    return fields


class Spool:
    """A file in memory that an INSERT reads its data from.

    The engine sees the data only when all of it has arrived, so half a body never stores anything.
    Where there are no files in memory it is a temporary one.

    Attributes:
        path: Where the engine, in this process, finds it.
    """

    def __init__(self) -> None:
        if sys.platform == "linux":
            self._fd = os.memfd_create("insert")
            self.path = f"/proc/{os.getpid()}/fd/{self._fd}"
        else:
            self._fd, self.path = tempfile.mkstemp(prefix="daybook-insert-")

    def write(self, chunks: Iterable[bytes]) -> None:
        """Append everything."""
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(self._fd, rest) :]

    def head(self, limit: int) -> bytes | None:
        """Return all data, None when there are more bytes than the limit."""
        if os.fstat(self._fd).st_size > limit:
            return None
        return os.pread(self._fd, limit, 0)

    def __enter__(self) -> Self:
        """Open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Free the memory."""
        os.close(self._fd)
        if sys.platform != "linux":
            Path(self.path).unlink()


def _chunk_length(stream: BufferedIOBase) -> int:
    line = stream.readline(_MAX_CHUNK_LINE)
    try:
        return int(line.split(b";")[0], 16)
    except ValueError:
        raise ConnectionError("the body ended early") from None


def _read_exactly(stream: BufferedIOBase, length: int) -> Iterator[bytes]:
    while length > 0:
        chunk = stream.read(min(length, _READ_BYTES))
        if not chunk:
            raise ConnectionError("the body ended early")
        length -= len(chunk)
        yield chunk
