"""Request and response bodies of the embedded ClickHouse server, without an engine or a socket."""

import gzip
import io
import zlib
from collections.abc import Callable
from email.message import Message

import lz4.frame
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from infra.embedded.clickhouse import body as bodies
from infra.embedded.clickhouse.body import Spool, decoded, read_body, read_form
from infra.embedded.clickhouse.execution import MAX_STATEMENT_BYTES, quoted, receive
from infra.embedded.clickhouse.response import choose_encoding, engine_failure, failure_text
from schemas.errors import Refused

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lz4.frame.compress,
    "zstd": zstd.compress,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}


def headers(**fields: str) -> Message:
    """Headers of a request."""
    message = Message()
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    return message


def test_body_has_its_length() -> None:
    """A body with a length ends there; the next request follows."""
    stream = io.BytesIO(b"SELECT 1GET / HTTP/1.1")
    assert b"".join(read_body(stream, headers(Content_Length="8"))) == b"SELECT 1"
    assert stream.read() == b"GET / HTTP/1.1"
    assert list(read_body(stream, headers())) == []


def test_chunks_are_joined() -> None:
    """A chunked body is its chunks, extensions and trailers aside."""
    stream = io.BytesIO(b"3;x=y\r\nSEL\r\n5\r\nECT 1\r\n0\r\nTrailer: x\r\n\r\nnext")
    assert b"".join(read_body(stream, headers(Transfer_Encoding="chunked"))) == b"SELECT 1"
    assert stream.read() == b"next"


@pytest.mark.parametrize("raw", [b"", b"5\r\nSE", b"5\r\nSELEC\r\n", b"zz\r\n", b"5\r\nSELEC\r\nx"])
def test_chunked_body_that_stops_is_a_lost_connection(raw: bytes) -> None:
    """Half a body is never taken for a whole one."""
    with pytest.raises(ConnectionError):
        list(read_body(io.BytesIO(raw), headers(Transfer_Encoding="chunked")))


def test_short_body_is_a_lost_connection() -> None:
    """So it is when the length promised more."""
    with pytest.raises(ConnectionError):
        list(read_body(io.BytesIO(b"SEL"), headers(Content_Length="8")))
    with pytest.raises(ConnectionError):
        list(read_body(io.BytesIO(b"SEL"), headers(Content_Length="eight")))


@given(
    frames=st.lists(st.binary(max_size=300), max_size=4),
    encoding=st.sampled_from(sorted(COMPRESSORS)),
    cut=st.integers(1, 64),
)
def test_frames_following_each_other_are_one_body(
    frames: list[bytes], encoding: str, cut: int
) -> None:
    """However frames are cut into chunks, the body is what they decompress to."""
    raw = b"".join(COMPRESSORS[encoding](frame) for frame in frames)
    chunks = [raw[at : at + cut] for at in range(0, len(raw), cut)]
    assert b"".join(decoded(chunks, encoding)) == b"".join(frames)


@pytest.mark.parametrize("encoding", sorted(COMPRESSORS))
def test_broken_compression_is_refused(encoding: str) -> None:
    """Half a frame, or bytes that are none, are refused."""
    frame = COMPRESSORS[encoding](bytes(range(256)) * 4)
    for raw in (frame[: len(frame) // 2], b"\x00not a frame at all\xff" * 3):
        with pytest.raises(Refused, match="compress"):
            list(decoded([raw], encoding))


def test_unknown_encoding_is_refused() -> None:
    """Data in an unknown encoding are refused, plain ones pass."""
    with pytest.raises(Refused, match="unknown"):
        list(decoded([b"x"], "br"))
    assert list(decoded([b"x"], "identity")) == [b"x"]


def test_body_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body, counted after decompression, can't fill the memory."""
    monkeypatch.setattr(bodies, "MAX_BODY_BYTES", 1000)
    with pytest.raises(Refused, match="larger"):
        list(decoded([zstd.compress(bytes(1001))], "zstd"))


def test_form_fields_are_parameters() -> None:
    """Text fields of a form come back unchanged; a file in it is refused."""
    part = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
    form = part.format("query", "", "SELECT\r\n {x:String}") + part.format("param_x", "", "a\nπ")
    kind = "multipart/form-data; boundary=b"
    fields = read_form([form.encode() + b"--b--\r\n"], kind)
    assert fields == {"query": "SELECT\r\n {x:String}", "param_x": "a\nπ"}
    file = part.format("t", '; filename="t"', "1")
    with pytest.raises(Refused, match="External"):
        read_form([file.encode() + b"--b--\r\n"], kind)


@pytest.mark.parametrize(
    ("query", "chunks", "text", "data"),
    [
        ("", [b"SELECT 1"], "SELECT 1", b""),
        ("SELECT", [b" 1"], "SELECT\n 1", b""),
        ("SELECT 1", [], "SELECT 1\n", b""),
        ("INSERT INTO t FORMAT TSV", [b"1\n", b"2\n"], "INSERT INTO t FORMAT TSV", b"1\n2\n"),
        ("INSERT INTO t", [b"FORMAT TSV\n1\n"], "INSERT INTO t\nFORMAT TSV", b"1\n"),
        ("", [b"INSERT INTO t FOR", b"MAT TSV\n1\n"], "INSERT INTO t FORMAT TSV", b"1\n"),
        ("INSERT INTO t VALUES", [b"(1)"], "INSERT INTO t VALUES", b"(1)"),
        ("INSERT INTO t VALUES (1)", [], "INSERT INTO t VALUES", b" (1)"),
    ],
)
def test_statement_may_come_by_url_body_or_both(
    query: str, chunks: list[bytes], text: str, data: bytes
) -> None:
    """The text is the URL's query followed by the body; an INSERT's data start where it ends."""
    received = receive(query, iter(chunks))
    assert received.text == text
    assert b"".join(received.data) == data
    assert (received.insert is not None) == text.startswith("INSERT")


def test_endless_statement_is_refused() -> None:
    """A statement without data has a limit; an INSERT's data don't count for it."""
    chunk = b" " * (1 << 20)
    with pytest.raises(Refused, match="larger"):
        receive("SELECT", iter([chunk] * (MAX_STATEMENT_BYTES // len(chunk) + 1)))
    received = receive("", iter([b"INSERT INTO t FORMAT TSV\n", *[chunk] * 8]))
    assert sum(len(piece) for piece in received.data) == 8 * len(chunk)


def test_spool_holds_what_was_written() -> None:
    """The file in memory has every byte, and its head only when it is small enough."""
    with Spool() as spool:
        spool.write([b"abc", b"", b"def"])
        assert spool.head(6) == b"abcdef"
        assert spool.head(5) is None
        with open(spool.path, "rb") as file:  # noqa: PTH123 - as the engine opens it
            assert file.read() == b"abcdef"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("", ""), ("br", ""), ("lz4,zstd,gzip", "lz4"), ("br, gzip;q=1.0", "gzip")],
)
def test_encoding_is_the_first_both_know(accepted: str, encoding: str) -> None:
    """The client's order decides among what the server can do."""
    assert choose_encoding(accepted) == encoding


def test_failures_are_in_clickhouse_words() -> None:
    """Clients find code and name where they look for them; our own question is left out."""
    assert failure_text(516, "no") == "Code: 516. DB::Exception: no. (AUTHENTICATION_FAILED)"
    engine = (
        "Code: 62. DB::Exception: Syntax error: failed at position 1: In scope SELECT"
        " parseQueryToJSON('x'). (SYNTAX_ERROR)"
    )
    assert engine_failure(engine) == (
        62,
        "Code: 62. DB::Exception: Syntax error: failed at position 1. (SYNTAX_ERROR)",
    )
    assert engine_failure("gone")[0] == 1002


@given(st.text(max_size=60))
def test_quoting_leaves_no_way_out(text: str) -> None:
    """Inside a literal every quote and backslash is escaped, so it ends where it should."""
    literal = quoted(text)
    inner = literal[1:-1].replace("\\\\", "").replace("\\'", "")
    assert literal[0] == literal[-1] == "'"
    assert "'" not in inner
    assert "\\" not in inner
