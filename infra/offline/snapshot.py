"""A snapshot: the state of one partition at one offset, as bytes that say what they are. Pure.

    daybook-snapshot 1
    {"origin": {"app": …, "generation": …, "partition": …, "journal": …, "code": …}, "offset": …, …}
    <zstd: sections of (key length, value length, key, value), little-endian 32-bit lengths>

Rows are sorted, so the same state gives the same bytes however it was reached.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from schemas.errors import DaybookError
from streams.domain.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAGIC = b"daybook-snapshot 1\n"
_LENGTHS = struct.Struct("<II")

Rows = list[tuple[bytes, bytes]]


class NoSnapshot(DaybookError):  # noqa: N818 - named by what the caller does next
    """These bytes are no snapshot that can be used; fold from another one or the beginning."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a snapshot is of.

    Args:
        app: Id of the installation.
        generation: Of the fold.
        partition: Journal partition.
        journal: Kafka's id of the journal topic: one that was created again has another.
        code: Fingerprint of the code that folded; see `infra.offline.code`.
    """

    app: str
    generation: int
    partition: int
    journal: str
    code: str


@dataclass(frozen=True, slots=True)
class Header:
    """The second line of the file.

    Args:
        origin: What it is of.
        offset: Entries below it are folded.
        taken_ms: When, UTC ms; for people.
        sections: Name → rows, in the order of the body.
        size: Bytes of the body before compression.
        checksum: BLAKE2b-128 of the header without it and the compressed body, hexadecimal.
    """

    origin: Origin
    offset: int
    taken_ms: int
    sections: Mapping[str, int]
    size: int
    checksum: str = ""

    def text(self) -> bytes:
        """Return the line, without its end."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state, and what was counted on the way to it.

    Args:
        header: What it is of.
        state: Changelog rows, as `State.load` takes them.
        tally: Rows of `infra.verification.tally`; what a state forgets (closed hours, facts).
    """

    header: Header
    state: Rows
    tally: Rows

    def load(self) -> State:
        """Return the state."""
        return State.load(self.state)


def dump(
    origin: Origin, state: State, tally: Mapping[bytes, bytes], *, taken_ms: int
) -> tuple[Header, bytes]:
    """Return the header and the bytes of the file; arguments are those of `Header`."""
    import pyarrow as pa

    sections = {"state": sorted(state.rows()), "tally": sorted(tally.items())}
    body = b"".join(
        part
        for rows in sections.values()
        for key, value in rows
        for part in (_LENGTHS.pack(len(key), len(value)), key, value)
    )
    packed = pa.compress(body, codec="zstd", asbytes=True)
    header = Header(
        origin,
        state.head.applied + 1,
        taken_ms,
        {name: len(rows) for name, rows in sections.items()},
        len(body),
    )
    header = dataclasses.replace(header, checksum=_checksum(header, packed))
    return header, MAGIC + header.text() + b"\n" + packed


def read_header(raw: bytes) -> Header:
    """Read the header from the first bytes of a file (4 KB are plenty).

    Raises:
        NoSnapshot: it is no snapshot, or one of another format.
    """
    if not raw.startswith(MAGIC):
        raise NoSnapshot("it doesn't begin like a snapshot of this format")
    line, found, _ = raw[len(MAGIC) :].partition(b"\n")
    try:
        fields = json.loads(line) if found else {}
        return Header(Origin(**fields.pop("origin")), **fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NoSnapshot("its header can't be read") from None


def load(raw: bytes) -> Snapshot:
    """Read a whole file.

    Raises:
        NoSnapshot: it isn't one, or it was cut short or changed.
    """
    import pyarrow as pa

    header = read_header(raw)
    packed = raw[raw.index(b"\n", len(MAGIC)) + 1 :]
    if _checksum(dataclasses.replace(header, checksum=""), packed) != header.checksum:
        raise NoSnapshot("its checksum is wrong")
    body = pa.decompress(packed, decompressed_size=header.size, codec="zstd", asbytes=True)
    rows = _rows(body)
    state = [next(rows) for _ in range(header.sections["state"])]
    return Snapshot(header, state, list(rows))


def _rows(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(body):
        key, value = _LENGTHS.unpack_from(body, at)
        at += _LENGTHS.size
        yield body[at : at + key], body[at + key : at + key + value]
        at += key + value


def _checksum(header: Header, packed: bytes) -> str:
    return blake2b(header.text() + packed, digest_size=16).hexdigest()


def newest(headers: Sequence[Header], at_most: int) -> Header | None:
    """Return the snapshot to begin with: the newest that isn't beyond an offset."""
    usable = [header for header in headers if header.offset <= at_most]
    return max(usable, key=lambda header: header.offset, default=None)
