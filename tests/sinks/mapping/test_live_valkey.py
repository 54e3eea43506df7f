"""The layout in Valkey and the conflation between two flushes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.avro import HEADER_BYTES
from schemas.codec import encode_partial
from schemas.derived.metric import MetricKey, MetricPartial
from schemas.released import releases_of
from sinks.mapping.valkey import (
    DELETED,
    HOUR_TTL_S,
    Feed,
    Position,
    calls,
    hash_key,
    is_hourly,
    parse_field,
    place,
    position_key,
)

KEY = b"acme|won_amount|day|86400000|agent|ada"


@given(member=st.text(max_size=12), partition=st.integers(0, 99), bucket=st.integers(0, 2**42))
def test_place_and_reader_agree(member: str, partition: int, bucket: int) -> None:
    """What is written under a place is found by the hash and read back from the field."""
    key = MetricKey("acme", "won_amount", "day", bucket, "agent", member)
    name, field = place(3, partition, key.text().encode())
    assert name == hash_key(3, "acme", "won_amount", "day", "agent")
    assert parse_field(field) == (bucket, member, partition)


def test_hour_hashes_are_told_apart() -> None:
    """Only hour buckets are forgotten."""
    assert is_hourly(hash_key(1, "acme", "m", "hour", ""))
    assert not is_hourly(hash_key(1, "hour", "hour", "day", "hour"))


@pytest.mark.parametrize("position", [Position(0), Position(12, 99)])
def test_position_is_read_back(position: Position) -> None:
    """Positions are text, for people who look into Valkey."""
    assert Position.parse(position.text()) == position


def feed() -> Feed:
    """Return a feed at offset 10."""
    return Feed(Position(10), Position(10))


def test_newest_value_of_a_place_is_written() -> None:
    """Values that were replaced before the flush are never sent."""
    target = feed()
    where = place(1, 0, KEY)
    target.put(10, where, b"old", 5, 1.0)
    target.skip_to(11, 1.5)
    target.put(11, where, b"new", 6, 2.0)
    assert target.values == {where: b"new"}
    assert (target.conflated, target.waiting_since) == (1, 1.0)
    assert target.position == Position(12, 6)


def test_values_are_flushed_soon_and_positions_seldom() -> None:
    """A position that only moved behind markers isn't worth a write each time."""
    target = feed()
    assert not target.due(99.0, 0.1, 1.0)
    target.skip_to(15, 2.0)
    target.skip_to(14, 2.5)
    assert target.position == Position(15)
    assert not target.due(2.9, 0.1, 1.0)
    assert target.due(3.0, 0.1, 1.0)
    target.put(15, place(1, 0, KEY), b"v", 1, 2.9)
    assert target.due(3.0, 0.1, 1.0)
    target.written()
    assert not target.changed
    assert target.values == {}


def test_tombstone_follows_the_topics_order() -> None:
    """A deletion is a value like others: the last one of a place counts."""
    target = feed()
    target.put(10, place(1, 0, KEY), b"v", 5, 0.0)
    target.put(11, place(1, 0, KEY), DELETED, -1, 0.0)
    assert target.values[place(1, 0, KEY)] == DELETED
    assert target.position == Position(12, 5)


def test_position_moves_with_the_last_part() -> None:
    """A crash between two parts of a flush repeats the range instead of losing the rest."""
    target = feed()
    for number, grain in enumerate((b"day", b"hour", b"day")):
        key = b"acme|m|%b|%d||" % (grain, number)
        target.put(10 + number, place(1, 4, key), b"v%d" % number, number, 0.0)
    first, second = calls(target, 1, 4, 2)
    hour, day = b"db:1:acme:m:hour:", b"db:1:acme:m:day:"
    assert first.keys == [position_key(1), hour, day]
    assert first.args == [
        4, b"10:-1", b"10:-1", 1, HOUR_TTL_S, 2, b"1||4", b"v1", 3, b"0||4", b"v0",
    ]  # fmt: skip
    assert second.args[:5] == [4, b"10:-1", b"13:2", 0, HOUR_TTL_S]


def test_position_alone_is_one_call() -> None:
    """A flush without values still moves the position; a first one expects nothing."""
    target = Feed(None, Position(3))
    assert [call.args for call in calls(target, 1, 0, 100)] == [[0, b"", b"3:-1", 0, HOUR_TTL_S]]


def test_script_finds_the_offset_in_every_released_schema() -> None:
    """The script reads generation and offset where every version of a partial begins."""
    for release in releases_of(MetricPartial):
        fields = release.schema["fields"]
        assert [field["name"] for field in fields[:2]] == ["generation", "offset"]
        assert [field["type"] for field in fields[:2]] == ["long", "long"]
    assert (
        encode_partial(MetricPartial(1, 64, 0, 0, 0, 0, []))[HEADER_BYTES:][:3] == b"\x02\x80\x01"
    )
