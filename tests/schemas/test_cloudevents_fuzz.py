"""Whatever arrives: a value or a refusal, nothing else."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.attributes import KNOWN
from schemas.cloudevents import AVRO, read
from schemas.codec import encode_event
from schemas.errors import REASONS, InvalidEvent
from schemas.events import Event
from schemas.released import EVENTS
from tests.schemas.wire_events import NOW_MS, Headers, binary, read_now

_HEADER_NAMES = st.sampled_from([f"ce_{name}" for name in sorted(KNOWN)] + ["content-type", "x"])
_HEADER_VALUES = (
    st.binary(max_size=30)
    | st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace"))
    | st.sampled_from([AVRO.encode(), b"1.0", b"acme", b"application/cloudevents+json"])
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def _ends_with(action: Callable[[], Any]) -> None:
    """Run; only a value or a documented refusal may come out."""
    try:
        action()
    except InvalidEvent as refused:
        assert refused.reason in REASONS  # noqa: PT017 - a value is as good


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(_HEADER_NAMES, _HEADER_VALUES), max_size=12), st.binary() | st.none())
def test_any_headers_and_bytes_end_in_a_value_or_a_refusal(
    headers: Headers, value: bytes | None
) -> None:
    """Ingest must never stop because of what somebody sent."""
    _ends_with(lambda: read(headers, value, now_ms=NOW_MS))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), cls=st.sampled_from(EVENTS))
def test_any_json_as_data_ends_in_a_value_or_a_refusal(
    data: st.DataObject, cls: type[Event]
) -> None:
    """With good attributes, and with any value in any field."""
    fields = st.sampled_from([field.alias or name for name, field in cls.model_fields.items()])
    given_data = dict(cls.EXAMPLE) | data.draw(st.dictionaries(fields, _JSON, max_size=3))
    headers = binary(ce_type=cls.TYPE)
    _ends_with(lambda: read_now(headers, given_data))
    _ends_with(lambda: read_now(headers, data.draw(_JSON)))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), cls=st.sampled_from(EVENTS))
def test_damaged_avro_ends_in_a_value_or_a_refusal(data: st.DataObject, cls: type[Event]) -> None:
    """A value that comes out of damaged bytes is a valid one all the same."""
    raw = encode_event(cls.model_validate(cls.EXAMPLE))
    at = data.draw(st.integers(0, len(raw) - 1))
    damaged = raw[:at] + data.draw(st.binary(max_size=10)) + raw[at + 1 :]
    headers = binary(**{"ce_type": cls.TYPE, "content-type": AVRO})
    _ends_with(lambda: cls.model_validate(read_now(headers, damaged).event.wire_data()))
