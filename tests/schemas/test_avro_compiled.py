"""Compiled readers and writers against fastavro: same bytes, same values, same resolution."""

import copy
import io
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.avro import HEADER_BYTES, header_of, schema_of
from schemas.avro_reader import MALFORMED, reader_of
from schemas.avro_writer import writer_of
from schemas.events import CATALOGUE, ContactUpdated, Event, LeadCreated
from schemas.journal import Entry
from schemas.released import EVENTS, RECORDS
from schemas.state.rows import Head
from schemas.wire import RecentLongs, read_long, write_long
from tests.schemas.strategies import INT64, data_of, records_of

PLAIN_RECORDS = [record for record in RECORDS if not issubclass(record, Event)]


def _fastavro_bytes(schema: dict[str, Any], value: object) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, copy.deepcopy(schema), value)
    return header_of(schema) + out.getvalue()


def _fastavro_value(
    raw: bytes, writer: dict[str, Any], reader: dict[str, Any] | None = None
) -> Any:
    body = io.BytesIO(raw[HEADER_BYTES:])
    value = fastavro.schemaless_reader(
        body, copy.deepcopy(writer), copy.deepcopy(reader) if reader else None
    )
    assert not body.read()
    return value


@pytest.mark.parametrize("record", PLAIN_RECORDS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_named_tuples_and_rows_have_fastavros_bytes(record: type, data: st.DataObject) -> None:
    """What others read with any Avro library is what was written."""
    value = data.draw(records_of(record))
    schema = schema_of(record)
    raw = writer_of(record)(value)
    plain = reader_of(schema, record, plain=True)(raw)
    assert _fastavro_value(raw, schema) == plain
    assert reader_of(schema, record)(raw) == value
    if "sources" not in plain:  # of equal maps we write the keys in order, fastavro as inserted
        assert _fastavro_bytes(schema, plain) == raw


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), cls=st.sampled_from(EVENTS))
def test_events_have_fastavros_bytes(data: st.DataObject, cls: type[Event]) -> None:
    """Nested records, optionals, times and dates included."""
    raw = writer_of(cls)(cls.model_validate(data.draw(data_of(cls))))
    schema = schema_of(cls)
    assert _fastavro_bytes(schema, _fastavro_value(raw, schema)) == raw


class Older(NamedTuple):
    """What was written once."""

    kept: str
    became_optional: int
    dropped: list[str]
    dropped_too: dict[str, bytes]
    last: bool


class Newer(NamedTuple):
    """What is read today: fields moved, dropped, new; one became optional."""

    last: bool
    became_optional: int | None
    kept: str
    new_list: list[str] = []  # noqa: RUF012 - an Avro default
    new_number: int = -7
    new_optional: str | None = None


@settings(max_examples=50, deadline=None)
@given(records_of(Older))
def test_an_older_schema_is_resolved_as_fastavro_does(value: Older) -> None:
    """By name: what is new gets its default, what is gone is skipped."""
    writer, reader = schema_of(Older), schema_of(Newer)
    reader["name"] = writer["name"]
    raw = writer_of(Older)(value)
    read = reader_of(writer, Newer)(raw)
    assert read == Newer(**_fastavro_value(raw, writer, reader))
    assert read.new_list is not reader_of(writer, Newer)(raw).new_list


@dataclass
class Outer:
    """A record whose inner record is gone today."""

    gone: Older
    stays: int


@dataclass
class OuterToday:
    """The same without it."""

    stays: int
    since: dict[str, int] = field(default_factory=dict)


@settings(max_examples=25, deadline=None)
@given(records_of(Older), INT64)
def test_a_dropped_record_is_skipped(gone: Older, stays: int) -> None:
    """Even a whole nested record nobody has a class for any more."""
    raw = writer_of(Outer)(Outer(gone, stays))
    assert reader_of(schema_of(Outer), OuterToday)(raw) == OuterToday(stays)


def test_a_required_field_the_writer_lacked_is_refused_when_compiling() -> None:
    """Such a change never gets past the compatibility check; if it did, nothing is guessed."""
    with pytest.raises(TypeError, match="gone"):
        reader_of(schema_of(OuterToday), Outer)


class Point(NamedTuple):
    """A record used in several places."""

    x: int
    y: float


@dataclass
class Drawing:
    """Named again, in a list, a map and an optional: defined once, referred to by name."""

    at: Point
    to: Point
    through: list[Point]
    named: dict[str, Point]
    label: Point | None = None


@settings(max_examples=25, deadline=None)
@given(st.lists(st.builds(Point, INT64, st.floats(allow_nan=False)), min_size=3, max_size=5))
def test_a_record_used_again_is_referred_to_by_name(points: list[Point]) -> None:
    """In fastavro's bytes too."""
    first, second, *rest = points
    drawing = Drawing(first, second, rest, {"a": first, "b": second}, second)
    schema = schema_of(Drawing)
    raw = writer_of(Drawing)(drawing)
    plain = reader_of(schema, Drawing, plain=True)(raw)
    assert reader_of(schema, Drawing)(raw) == drawing
    assert _fastavro_value(raw, schema) == plain
    assert _fastavro_bytes(schema, plain) == raw


def test_blocks_with_a_byte_count_are_read() -> None:
    """The specification lets others write arrays and maps in sized blocks, and in several."""
    raw = (
        header_of(schema_of(Head))
        + bytes(3)
        + (write_long(-1) + write_long(3) + b"\x02a\x02")
        + (write_long(1) + b"\x02b\x04")
        + b"\x00"
    )
    assert reader_of(schema_of(Head), Head)(raw) == Head(0, 0, 0, {"a": 1, "b": 2})


def test_equal_maps_have_equal_bytes() -> None:
    """A changelog row must not depend on the order in which its keys came."""
    write = writer_of(Head)
    assert write(Head(0, 0, 0, {"a": 1, "b": 2})) == write(Head(0, 0, 0, {"b": 2, "a": 1}))


@given(INT64)
def test_longs_survive(number: int) -> None:
    """Any 64-bit number, whatever its length."""
    raw = write_long(number)
    assert read_long(raw + b"\xff", 0) == (number, len(raw))
    assert RecentLongs(b"\x02")[number] == b"\x02" + raw


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**70])
def test_longer_numbers_are_refused(number: int) -> None:
    """Never cut silently."""
    with pytest.raises(OverflowError):
        write_long(number)


@pytest.mark.parametrize("raw", [b"\xff" * 10 + b"\x01", b"\xff" * 9 + b"\x02"])
def test_longer_encodings_are_refused(raw: bytes) -> None:
    """Not ten bytes with more than 64 bits, not eleven."""
    with pytest.raises(ValueError, match="64 bits"):
        read_long(raw, 0)


def test_remembered_longs_are_bounded() -> None:
    """Forgetting changes nothing but the time it takes."""
    longs = RecentLongs()
    for number in range(20_000):
        assert longs[number] == write_long(number)
    assert len(longs) < 10_000


_SAMPLES = [
    writer_of(cls)(cls.model_validate(cls.EXAMPLE))
    for cls in (LeadCreated, ContactUpdated, CATALOGUE["crm.campaign.spend_recorded.v1"])
]
_READERS = {
    header_of(schema_of(cls)): reader_of(schema_of(cls), cls)
    for cls in (LeadCreated, ContactUpdated, CATALOGUE["crm.campaign.spend_recorded.v1"])
}


@given(st.sampled_from(_SAMPLES), st.data())
def test_damaged_bytes_give_a_value_or_a_known_error(raw: bytes, data: st.DataObject) -> None:
    """Whatever stands in a log, a reader ends, with one of the errors it documents."""
    at = data.draw(st.integers(HEADER_BYTES, len(raw) - 1))
    damaged = raw[:at] + data.draw(st.binary(max_size=12)) + raw[at + 1 :]
    try:
        _READERS[raw[:HEADER_BYTES]](damaged)
    except MALFORMED:
        return


@given(st.sampled_from(_SAMPLES), st.data())
def test_cut_bytes_are_never_a_value(raw: bytes, data: st.DataObject) -> None:
    """Half a record is an error, as is one with bytes left over."""
    cut = raw[: data.draw(st.integers(HEADER_BYTES, len(raw) - 1))]
    for wrong in (cut, raw + b"\x00"):
        with pytest.raises(MALFORMED):
            _READERS[raw[:HEADER_BYTES]](wrong)


def test_entry_has_no_field_of_a_logical_type() -> None:
    """Internal times are plain longs: converting them would cost more than the rest."""
    assert all(isinstance(entry["type"], str) for entry in schema_of(Entry)["fields"])
