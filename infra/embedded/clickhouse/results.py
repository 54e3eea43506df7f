"""Results of reading statements: streamed where the format allows it, whole where it doesn't.

The engine makes one complete document per chunk. Documents of some formats can simply follow each
other; Arrow streams can once their inner schemas and ends are cut out; the others come whole.
"""

import json
import struct
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, cast

from chdb.state.sqlitelike import Connection

from infra.embedded.clickhouse.engine import write_out
from infra.embedded.clickhouse.planning import Plan
from infra.embedded.clickhouse.response import Reply
from schemas.errors import Refused

UNKNOWN_FORMAT = 73
# Chunks of these can follow each other, in lower case.
STREAMED = frozenset({
    "arrowstream", "csv", "jsoncompacteachrow", "jsoneachrow", "native", "rowbinary",
    "tabseparated", "tsv",
})  # fmt: skip
# Names the Python binding takes for objects of its own.
_NO_FORMATS = frozenset({"arrowtable", "dataframe", "datastore"})
# A result up to this size is sent whole, so that a failure in it is a clean answer.
WHOLE_BYTES = 1 << 20
_VARINT_MORE = 0x80
_ARROW_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def send_result(
    handle: Connection,
    plan: Plan,
    sql: str,
    fmt: str,
    params: Mapping[str, str],
    reply: Reply,
) -> None:
    """Run a reading statement and send its result.

    Args:
        handle: Ready to run it.
        plan: The statement.
        sql: Its text as it runs.
        fmt: The output format.
        params: Values of its placeholders.
        reply: Where to send it.

    Raises:
        Refused: The format isn't one of ClickHouse's.
        RuntimeError: The engine failed; when the reply has begun, part of the result is out.
        OSError: The client has gone; the query is cancelled.
    """
    if fmt.lower() in _NO_FORMATS:
        raise Refused(UNKNOWN_FORMAT, f"Unknown format {fmt}")
    began = time.perf_counter_ns()
    if fmt.lower() in STREAMED and plan.kind.startswith("Select"):
        with closing(_documents(handle, sql, fmt, params)) as documents:
            joined = fmt.lower() == "arrowstream"
            held = _send(_joined_arrow(documents) if joined else documents, fmt, reply)
        if reply.begun:
            reply.finish()
            return
        summary = {}
    else:
        found = handle.query(sql, fmt, params=dict(params))
        held = bytes(found.bytes() or b"")
        summary = {"read_rows": found.storage_rows_read(), "result_rows": found.rows_read()}
    if not held and fmt.lower() == "native" and plan.tree:
        held = _empty_native(handle, plan, params)
    summary["elapsed_ns"] = time.perf_counter_ns() - began
    reply.whole(held, fmt, summary)


def _send(pieces: Iterable[bytes], fmt: str, reply: Reply) -> bytes:
    """Stream a result, or return it when it is small."""
    held = bytearray()
    for piece in pieces:
        if reply.begun:
            reply.send(piece)
            continue
        held += piece
        if len(held) > WHOLE_BYTES:
            reply.begin(fmt)
            reply.send(bytes(held))
    return bytes(held)


def _documents(
    handle: Connection, sql: str, fmt: str, params: Mapping[str, str]
) -> Generator[bytes]:
    stream: Any = handle.send_query(sql, fmt, params=dict(params))
    try:
        while (chunk := stream.fetch()) is not None:
            yield bytes(chunk.bytes())
    finally:
        stream.cancel()


def _joined_arrow(documents: Iterator[bytes]) -> Iterator[bytes]:
    """Join Arrow streams into one: the schema of the first, the batches of all, one end.

    Source: Arrow columnar format, "IPC Streaming Format": each message is a continuation marker,
    the length of its metadata, the metadata; a schema has no body.
    """
    first = True
    for document in documents:
        end = len(document) - len(_ARROW_END) if document.endswith(_ARROW_END) else len(document)
        schema = 8 + struct.unpack_from("<i", document, 4)[0]
        yield document[0 if first else schema : end]
        first = False
    if not first:
        yield _ARROW_END


def _empty_native(handle: Connection, plan: Plan, params: Mapping[str, str]) -> bytes:
    """Return a block without rows: clients want names and types, the engine sends nothing."""
    tree = {key: node for key, node in (plan.tree or {}).items() if key != "format_ast"}
    if plan.kind.startswith("Select"):
        question = f"DESCRIBE TABLE ({write_out(handle, tree)})"
        answer = handle.query(question, "JSONCompactEachRow", params=dict(params)).bytes()
        columns = [json.loads(line)[:2] for line in cast("bytes", answer).splitlines()]
    else:
        answer = handle.query(write_out(handle, tree), "JSONCompact", params=dict(params)).bytes()
        columns = [[column["name"], column["type"]] for column in json.loads(answer)["meta"]]
    block = _varint(len(columns)) + _varint(0)
    return block + b"".join(_text(name) + _text(kind) for name, kind in columns)


def _text(value: str) -> bytes:
    raw = value.encode()
    return _varint(len(raw)) + raw


def _varint(number: int) -> bytes:
    r"""Encode as LEB128.

    >>> _varint(300)
    b'\xac\x02'
    """
    out = bytearray()
    while number >= _VARINT_MORE:
        out.append(number % _VARINT_MORE | _VARINT_MORE)
        number >>= 7
    return bytes(out) + bytes([number])
