"""The one codec: records to Avro single objects and back, every released version readable.

A single object is `C3 01`, the schema's fingerprint, the body; so each value says what wrote it.
What Daybook wrote itself is trusted: readers check that the bytes are of a known schema and decode
to the end, not that a currency has three letters. Events from outside are checked by
`schemas.cloudevents`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from schemas.avro import HEADER_BYTES, full_name, header_of, schema_of
from schemas.avro_reader import MALFORMED, Reader, reader_of
from schemas.avro_writer import Writer, writer_of
from schemas.derived.effect import Effect, Fact, Notify, Publication
from schemas.derived.metric import MetricPartial
from schemas.errors import ConfigurationError, CorruptLog, InvalidEvent
from schemas.events.event import Event
from schemas.generation import Generation
from schemas.journal import Entry
from schemas.released import EVENTS, releases_of
from schemas.verification import Verification

Record = TypeVar("Record")


class _Writers(dict[type, Writer]):
    """Class → writer, compiled when first asked for."""

    def __missing__(self, record: type) -> Writer:
        header = header_of(schema_of(record))
        if all(header != release.header for release in releases_of(record)):
            raise ConfigurationError(
                "schemas",
                f"{full_name(record)} has no released schema; run `daybook schemas write`",
            )
        writer = self[record] = writer_of(record)
        return writer


class _Readers(dict[bytes, Reader]):
    """Header → reader into one class, compiled when first asked for."""

    def __init__(self, *records: type, plain: bool = False) -> None:
        super().__init__()
        self._records = records
        self._plain = plain

    def __missing__(self, header: bytes) -> Reader:
        for record in self._records:
            for release in releases_of(record):
                if release.header == header:
                    reader = self[header] = reader_of(release.schema, record, plain=self._plain)
                    return reader
        raise KeyError(header)


class _ReadersByClass(dict[type, _Readers]):
    def __missing__(self, record: type) -> _Readers:
        readers = self[record] = _Readers(record)
        return readers


_writers = _Writers()
_readers = _ReadersByClass()
_events = _Readers(*EVENTS)
_plain_events = _Readers(*EVENTS, plain=True)


def encode(record: object) -> bytes:
    """Return a record as a single object of its class's newest schema.

    Raises:
        ConfigurationError: The class was changed and its schema not written (developers only).
        OverflowError: A number needs more than 64 bits.
    """
    return _writers[type(record)](record)


def decode(raw: bytes, record: type[Record]) -> Record:
    """Read a single object of any released version of a class.

    Raises:
        CorruptLog: It is of another class or no single object.
    """
    try:
        value: Record = _readers[record][raw[:HEADER_BYTES]](raw)
    except (KeyError, *MALFORMED) as problem:
        raise CorruptLog(f"{len(raw)} bytes are no {record.__name__}: {problem!r}") from problem
    return value


def _coder(record: type[Record]) -> tuple[Callable[[Record], bytes], Callable[[bytes], Record]]:
    """Return `encode` and `decode` for one class, a look-up shorter each."""
    readers = _readers[record]

    def encode_one(value: Record) -> bytes:
        return _writers[record](value)

    def decode_one(raw: bytes) -> Record:
        try:
            value: Record = readers[raw[:HEADER_BYTES]](raw)
        except (KeyError, *MALFORMED) as problem:
            raise CorruptLog(f"{len(raw)} bytes are no {record.__name__}: {problem!r}") from problem
        return value

    return encode_one, decode_one


encode_entry, decode_entry = _coder(Entry)
encode_partial, decode_partial = _coder(MetricPartial)
encode_effect, decode_effect = _coder(Effect)
encode_fact, decode_fact = _coder(Fact)
encode_notify, decode_notify = _coder(Notify)
encode_publication, decode_publication = _coder(Publication)
encode_generation, decode_generation = _coder(Generation)
encode_verification, decode_verification = _coder(Verification)


def encode_row(row: object) -> bytes:
    """Return a row of the fold's tables as a single object."""
    return _writers[type(row)](row)


def decode_row(record: type[Record], raw: bytes) -> Record:
    """Read a row of any released version; a fresh, mutable instance each time.

    Raises:
        CorruptLog: It is no row of that class.
    """
    return decode(raw, record)


def encode_event(event: Event) -> bytes:
    """Return an event's data as it stands in `Entry.data`."""
    return _writers[type(event)](event)


def decode_event(raw: bytes) -> Event:
    """Read an event's data; the fingerprint says of which class.

    The result equals the event that was encoded. Nothing is validated again.

    Raises:
        InvalidEvent: `not_avro` or `unknown_schema`.
    """
    try:
        event: Event = _events[raw[:HEADER_BYTES]](raw)
    except (KeyError, *MALFORMED) as problem:
        raise _invalid(raw, problem) from problem
    return event


def event_fields(raw: bytes) -> dict[str, Any]:
    """Read an event's data as a plain dictionary by the names of the catalogue.

    Times and dates are `datetime` and `date`; unknown fields are merged in.

    Raises:
        InvalidEvent: `not_avro` or `unknown_schema`.
    """
    try:
        fields: dict[str, Any] = _plain_events[raw[:HEADER_BYTES]](raw)
    except (KeyError, *MALFORMED) as problem:
        raise _invalid(raw, problem) from problem
    return fields


def _invalid(raw: bytes, problem: Exception) -> InvalidEvent:
    if isinstance(problem, KeyError) and raw[:2] == b"\xc3\x01" and len(raw) >= HEADER_BYTES:
        return InvalidEvent("unknown_schema", "data", f"fingerprint {raw[2:HEADER_BYTES].hex()}")
    return InvalidEvent("not_avro", "data", "no Avro single object of a known schema")
