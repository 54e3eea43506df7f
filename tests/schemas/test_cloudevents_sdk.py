"""Events made by the CloudEvents project's own SDK are read alike."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from schemas.cloudevents import AVRO, read, write_binary, write_structured
from schemas.codec import encode_event
from schemas.events import CATALOGUE, Event
from schemas.rfc3339 import to_ms

TIME = datetime(2026, 1, 1, 9, 30, 0, 123000, tzinfo=UTC)
NOW_MS = to_ms(TIME)


def _attributes(cls: type[Event], **more: object) -> dict[str, Any]:
    return {
        "id": "e-ß-1",
        "source": "crm/eu",
        "type": cls.TYPE,
        "time": TIME,
        "tenantid": "acme",
        "actor": "user/7",
        "subject": "contact/42",
        "datacontenttype": "application/json",
    } | more


def _headers(message: kafka.KafkaMessage) -> list[tuple[str, bytes]]:
    return list(message.headers.items())


@pytest.mark.parametrize("cls", CATALOGUE.values())
def test_both_modes_of_the_sdk_give_the_same_event(cls: type[Event]) -> None:
    """Attributes, time and data, for every type."""
    made = CloudEvent(_attributes(cls), dict(cls.EXAMPLE))
    binary, structured = (
        kafka.to_binary(made, JSONFormat()),
        kafka.to_structured(made, JSONFormat()),
    )
    received = read(_headers(binary), binary.value, now_ms=NOW_MS)
    assert received == read(_headers(structured), structured.value, now_ms=NOW_MS)
    assert received.event == cls.model_validate(cls.EXAMPLE)
    assert (received.id, received.source, received.type) == ("e-ß-1", "crm/eu", cls.TYPE)
    assert (received.tenant, received.time_ms, received.actor) == ("acme", NOW_MS, "user/7")
    assert received.subject == "contact/42"


def test_avro_in_the_sdks_structured_mode_is_read() -> None:
    """The SDK writes bytes as base64."""
    cls = CATALOGUE["crm.deal.won.v1"]
    event = cls.model_validate(cls.EXAMPLE)
    raw = encode_event(event)
    made = CloudEvent(_attributes(cls, datacontenttype=AVRO), raw)
    message = kafka.to_structured(made, JSONFormat())
    assert base64.b64encode(raw) in message.value
    assert read(_headers(message), message.value, now_ms=NOW_MS).event == event


def test_the_sdk_reads_what_we_write() -> None:
    """In both modes."""
    cls = CATALOGUE["crm.lead.created.v1"]
    event = cls.model_validate(cls.EXAMPLE)
    headers, value = write_binary(
        event, id="1", source="crm/eu", tenant="acme", time_ms=NOW_MS, actor="user/7", depth=1
    )
    binary = kafka.KafkaMessage(dict(headers), None, value)
    more, whole = write_structured(headers, value)
    structured = kafka.KafkaMessage(dict(more), None, whole)
    for made in (
        kafka.from_kafka(binary, JSONFormat(), CloudEvent),
        kafka.from_kafka(structured, JSONFormat(), CloudEvent),
    ):
        assert made.get_data() == event.wire_data()
        assert made.get_type() == cls.TYPE
        assert made.get_time() == TIME
        assert made.get_extension("tenantid") == "acme"
        assert made.get_extension("depth") == "1"
