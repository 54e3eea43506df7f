"""The codec: single objects of every class, and what happens to other bytes."""

import copy
import pickle
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.avro import header_of, schema_of
from schemas.derived.effect import Effect, Fact, Notify, Publication
from schemas.derived.metric import MetricPartial
from schemas.errors import ConfigurationError, CorruptLog, InvalidEvent
from schemas.events import CATALOGUE, DealWon, Event, LeadStatusChanged
from schemas.journal import Entry, tick
from schemas.released import EVENTS, ROWS, Release
from schemas.state.rows import Deal, Head, Lead
from tests.schemas.strategies import data_of, records_of


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), cls=st.sampled_from(EVENTS))
def test_an_event_survives_the_journal(data: st.DataObject, cls: type[Event]) -> None:
    """Encoded, decoded and written as JSON again, it equals what was validated."""
    event = cls.model_validate(data.draw(data_of(cls)))
    again = codec.decode_event(codec.encode_event(event))
    assert again == event
    assert type(again) is cls
    assert cls.model_validate(again.wire_data()) == event
    assert again.derived_subject() == event.derived_subject()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), cls=st.sampled_from(EVENTS))
def test_fields_for_sinks_make_the_same_event(data: st.DataObject, cls: type[Event]) -> None:
    """`event_fields` gives the names of the catalogue and everything unknown beside them."""
    event = cls.model_validate(data.draw(data_of(cls)))
    fields = codec.event_fields(codec.encode_event(event))
    assert cls.model_validate(fields) == event
    assert set(fields) >= set(event.model_extra or {})


def test_fields_for_sinks_use_the_names_of_the_wire() -> None:
    """`from`, not `from_`; an unknown field named `extra` is a field like others."""
    event = LeadStatusChanged.model_validate({"lead_id": "l", "from": "a", "to": "b", "extra": 1})
    assert codec.event_fields(codec.encode_event(event)) == {
        "contact_id": None,
        "lead_id": "l",
        "from": "a",
        "to": "b",
        "reason": None,
        "extra": 1,
    }


def test_a_decoded_event_is_a_whole_model() -> None:
    """Built without validation, it still copies, pickles, dumps and stays frozen."""
    event = codec.decode_event(codec.encode_event(DealWon.model_validate(DealWon.EXAMPLE)))
    assert isinstance(event, DealWon)
    assert copy.deepcopy(event) == event == pickle.loads(pickle.dumps(event))  # noqa: S301 - ours
    assert event.model_copy(update={"deal_id": "x"}).deal_id == "x"
    assert DealWon.model_validate_json(event.model_dump_json()) == event
    assert "DealWon(" in repr(event)
    other = codec.decode_event(codec.encode_event(DealWon(deal_id="y")))
    assert other.model_extra == {}
    assert other.model_extra is not event.model_extra


def test_unknown_fields_that_json_has_no_number_for_become_null() -> None:
    """Built past validation, infinity must not make an entry nobody can read."""
    event = DealWon.model_construct(deal_id="d", odd=float("inf"))
    assert codec.event_fields(codec.encode_event(event))["odd"] is None


@given(records_of(Entry))
def test_an_entry_survives(entry: Entry) -> None:
    """Whatever its fields hold."""
    assert codec.decode_entry(codec.encode_entry(entry)) == entry


def test_a_tick_survives() -> None:
    """The smallest entry."""
    assert codec.decode_entry(codec.encode_entry(tick(5))) == tick(5)


@settings(max_examples=40, deadline=None)
@given(
    records_of(MetricPartial),
    records_of(Effect),
    records_of(Fact),
    records_of(Notify),
    records_of(Publication),
)
def test_outputs_survive(
    partial: MetricPartial, effect: Effect, fact: Fact, notify: Notify, publication: Publication
) -> None:
    """Each by its own pair of functions."""
    assert codec.decode_partial(codec.encode_partial(partial)) == partial
    assert codec.decode_effect(codec.encode_effect(effect)) == effect
    assert codec.decode_fact(codec.encode_fact(fact)) == fact
    assert codec.decode_notify(codec.encode_notify(notify)) == notify
    assert codec.decode_publication(codec.encode_publication(publication)) == publication


@settings(max_examples=40, deadline=None)
@given(data=st.data(), row=st.sampled_from(ROWS))
def test_rows_survive_as_fresh_copies(data: st.DataObject, row: type[object]) -> None:
    """The fold changes a working copy; the next reader of the same bytes must not see that."""
    value = data.draw(records_of(row))
    raw = codec.encode_row(value)
    first, second = codec.decode_row(row, raw), codec.decode_row(row, raw)
    assert first == second == value
    assert first is not second
    assert codec.encode(value) == raw


def test_rows_do_not_share_their_containers() -> None:
    """A map in one copy is not the map in another."""
    raw = codec.encode_row(Head(sources={"a": 1}))
    codec.decode_row(Head, raw).sources["b"] = 2
    assert codec.decode_row(Head, raw).sources == {"a": 1}


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"\xc3\x01", b"\xc3\x01" + bytes(8), codec.encode_row(Lead())]
)
def test_other_bytes_in_our_own_topics_are_a_corrupt_log(raw: bytes) -> None:
    """What we wrote ourselves can't be wrong by accident: stop."""
    with pytest.raises(CorruptLog):
        codec.decode_entry(raw)
    with pytest.raises(CorruptLog):
        codec.decode_row(Deal, raw)


def test_a_cut_row_is_a_corrupt_log() -> None:
    """Half a row is never a row."""
    raw = codec.encode_row(Deal(stage="won"))
    with pytest.raises(CorruptLog, match="Deal"):
        codec.decode_row(Deal, raw[:-1])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not_avro"),
        (b"\xc3\x01short", "not_avro"),
        (b'{"deal_id": "d"}', "not_avro"),
        (b"\xc3\x01" + b"\x07" * 9, "unknown_schema"),
        (codec.encode_row(Deal()), "unknown_schema"),
        (codec.encode_event(DealWon(deal_id="d"))[:-1], "not_avro"),
    ],
)
def test_other_bytes_as_an_event_are_an_invalid_event(raw: bytes, reason: str) -> None:
    """Event data may come from outside: it is refused with a reason, not a crash."""
    for read in (codec.decode_event, codec.event_fields):
        with pytest.raises(InvalidEvent) as caught:
            read(raw)
        assert caught.value.reason == reason
        assert caught.value.path == "data"


@dataclass
class RowToday:
    """A row that got a field."""

    stage: str = ""
    new: int = 7


def test_rows_of_every_released_version_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A changelog outlives a deploy: what the version before wrote is a row of today."""
    today = schema_of(RowToday)
    before = today | {"fields": today["fields"][:1]}
    versions = [Release("r", n, s, header_of(s)) for n, s in enumerate((before, today), start=1)]
    monkeypatch.setattr(codec, "releases_of", lambda _: tuple(versions))
    assert codec.decode_row(RowToday, header_of(before) + b"\x06won") == RowToday("won", 7)
    written = codec.encode_row(RowToday("won", 8))
    assert written.startswith(header_of(today))
    assert codec.decode_row(RowToday, written) == RowToday("won", 8)


@dataclass
class Unreleased:
    """A class somebody forgot to release."""

    n: int = 0


def test_what_was_never_released_is_never_written() -> None:
    """Bytes of an uncommitted schema could never be read again."""
    with pytest.raises(ConfigurationError, match="schemas write"):
        codec.encode(Unreleased())


def test_numbers_beyond_64_bits_are_refused() -> None:
    """A sum that overflowed must not be written as another number."""
    with pytest.raises(OverflowError):
        codec.encode_partial(MetricPartial(1, 0, 1, 2**63, 0, 0, []))


def test_every_type_decodes_to_its_own_class() -> None:
    """The fingerprint alone tells them apart."""
    for cls in CATALOGUE.values():
        event = cls.model_validate(cls.EXAMPLE)
        assert type(codec.decode_event(codec.encode_event(event))) is cls
