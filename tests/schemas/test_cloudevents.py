"""Reading and writing CloudEvents: modes, attributes, and a reason for everything refused."""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.cloudevents import AVRO, read, to_entry, write_binary, write_structured
from schemas.codec import decode_event, encode_event
from schemas.definitions.applied import DefinitionApplied
from schemas.events import DealWon, Event
from schemas.journal import Entry
from schemas.released import EVENTS
from tests.schemas.strategies import data_of
from tests.schemas.wire_events import NOW_MS, Headers, binary, members, read_now, refused_as

DEAL = DealWon(deal_id="d-1", amount_minor=100, currency="EUR")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), cls=st.sampled_from(EVENTS), avro=st.booleans())
def test_what_is_written_is_read(data: st.DataObject, cls: type[Event], *, avro: bool) -> None:
    """Every type, in JSON and Avro, binary and structured, gives the same event and entry."""
    event = cls.model_validate(data.draw(data_of(cls)))
    headers, value = write_binary(
        event,
        id="e-1",
        source="crm/eu",
        tenant="acme",
        time_ms=NOW_MS,
        origin="import",
        actor="user/7",
        correlation="c-1",
        causation="e-0",
        depth=2,
        avro=avro,
    )
    received = read(headers, value, now_ms=NOW_MS)
    assert received.event == event
    assert decode_event(received.data) == event
    entry = to_entry(received, recorded_ms=NOW_MS + 5, topic="crm.x.v1", partition=3, offset=9)
    assert entry == Entry(
        kind="definition" if cls is DefinitionApplied else "event",
        copy=False,
        id="e-1",
        type=cls.TYPE,
        source="crm/eu",
        tenant="acme",
        subject=event.derived_subject() or "activity/e-1",
        time_ms=NOW_MS,
        recorded_ms=NOW_MS + 5,
        origin="import",
        actor="user/7",
        correlation="c-1",
        causation="e-0",
        depth=2,
        origin_topic="crm.x.v1",
        origin_partition=3,
        origin_offset=9,
        data=encode_event(event),
    )
    if not avro:
        assert read(*write_structured(headers, value), now_ms=NOW_MS) == received


def test_a_given_subject_wins() -> None:
    """Upstream may know better than the data what an event is about."""
    assert read_now(binary(), {"deal_id": "d-1"}).subject == "deal/d-1"
    given = binary(ce_subject="account/acme|1")
    assert read_now(given, {"deal_id": "d-1"}).subject == "account/acme|1"


def test_absent_attributes_have_their_documented_meaning() -> None:
    """An event is live unless it says otherwise; an empty attribute is an absent one."""
    received = read_now(binary(ce_subject="", ce_origin="", ce_actor=""), {"deal_id": "d-1"})
    assert (received.subject, received.origin, received.actor) == ("deal/d-1", "live", "")
    assert (received.depth, received.correlation, received.traceparent) == (0, "", "")


def test_extensions_and_headers_we_do_not_know_are_let_pass() -> None:
    """Tracing headers may even repeat."""
    headers = [*binary(ce_colour="red"), ("trace", b"\xff"), ("trace", b"2"), ("ce_colour", b"x")]
    assert read_now(headers, {"deal_id": "d-1"}).event == DealWon(deal_id="d-1")


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "Application/JSON", "application/vnd.crm+json", None],
)
def test_json_goes_by_several_names(content_type: str | None) -> None:
    """And is assumed when nothing is said."""
    headers = binary(**{"content-type": content_type})
    assert read_now(headers, {"deal_id": "d-1"}).event == DealWon(deal_id="d-1")


@pytest.mark.parametrize(
    "headers",
    [
        [("content-type", b"application/cloudevents+json; charset=utf-8")],
        [("Content-Type", b"application/cloudevents+json"), ("ce_id", b"ignored")],
        [("content-type", b"application/json")],
        [],
    ],
)
def test_structured_mode_is_known_by_content_type_or_by_having_no_attributes(
    headers: Headers,
) -> None:
    """Then headers say nothing about the event."""
    received = read_now(headers, members(sequence=5, depth=1))
    assert received.event == DEAL
    assert (received.id, received.sequence, received.depth) == ("e-1", "5", 1)


def test_structured_data_may_be_base64() -> None:
    """JSON or Avro, by `datacontenttype`."""
    avro = base64.b64encode(encode_event(DEAL)).decode()
    whole = members(datacontenttype=AVRO, data_base64=avro)
    assert read_now([], whole).event == DEAL
    text = base64.b64encode(b'{"deal_id": "d-1", "amount_minor": 100, "currency": "EUR"}').decode()
    assert read_now([], members(data=None, data_base64=text)).event == DEAL


def test_a_time_up_to_a_day_ahead_is_accepted() -> None:
    """Clocks differ; above that it is a fault upstream. Exactly a day is still accepted."""
    good, bad = "2026-01-02T00:00:00.000Z", "2026-01-02T00:00:00.001Z"
    assert read_now(binary(ce_time=good), {"deal_id": "d"}).time_ms == NOW_MS + 86_400_000
    assert refused_as(binary(ce_time=bad), {"deal_id": "d"}) == ("time_in_future", "time")
