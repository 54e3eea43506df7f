"""CloudEvents 1.0 on Kafka: from a record to a checked event and a journal entry, and back.

Source: CloudEvents specification 1.0.2, Kafka protocol binding 1.0.2, JSON event format 1.0.2;
what Daybook adds is in docs (events).
"""

import binascii
from base64 import b64decode
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from schemas import attributes, rfc3339
from schemas.attributes import SPECVERSION, Attributes, Headers
from schemas.codec import decode_event, encode_event, event_fields
from schemas.definitions.applied import DefinitionApplied
from schemas.errors import InvalidEvent
from schemas.events import CATALOGUE
from schemas.events.event import Event
from schemas.journal import DEFINITION, EVENT, Entry
from schemas.topics import MAX_EVENT_BYTES

JSON = "application/json"
AVRO = "application/avro"
STRUCTURED = "application/cloudevents+json"

_MAX_PATH = 200


class Received(NamedTuple):
    """One event from outside, checked: the fields of `Attributes`, then the data.

    Args:
        id: And the following: see `schemas.attributes.Attributes`.
        subject: As given, else derived from the data, else `<noun>/<id of the event>`.
        event: The data.
        data: The data as the journal keeps it (Avro single object).
    """

    id: str
    source: str
    type: str
    tenant: str
    time_ms: int
    subject: str
    origin: str
    actor: str
    correlation: str
    causation: str
    depth: int
    partition_key: str
    sequence: str
    traceparent: str
    event: Event
    data: bytes


def read(headers: Headers, value: bytes | None, *, now_ms: int) -> Received:
    """Read one Kafka record as an event of the catalogue, or a definition.

    Both content modes. Without a `content-type` and without `ce_*` headers, a JSON object with
    `specversion` is structured; data without a content-type is JSON.

    Args:
        headers: As Kafka gives them; a header may repeat, an attribute may not.
        value: The record's value; None is a tombstone.
        now_ms: The reader's clock, UTC ms; only to refuse events from the future.

    Raises:
        InvalidEvent: With a reason of `schemas.errors.REASONS` and a dotted path.
    """
    if not value:
        raise InvalidEvent("not_json", "", "has no value")
    if len(value) > MAX_EVENT_BYTES:
        raise InvalidEvent("too_large", "", f"has {len(value)} bytes, above {MAX_EVENT_BYTES}")
    found = attributes.of_headers(headers)
    media_type = _media_type(found.get("datacontenttype", ""))
    if _is_structured(media_type, found):
        return _structured(value, now_ms)
    checked = attributes.check(found, now_ms=now_ms)
    cls = _class_of(checked.type)
    if media_type == AVRO:
        return _received(checked, _avro_event(cls, value))
    if not _is_json(media_type):
        raise InvalidEvent("unsupported_content_type", "datacontenttype", "is no JSON, no Avro")
    return _received(checked, _json_event(cls, _json(value, "data")))


def to_entry(
    received: Received, *, recorded_ms: int, topic: str, partition: int, offset: int
) -> Entry:
    """Return the journal entry of a received event, as its home partition gets it.

    Args:
        received: From `read`.
        recorded_ms: Clock of ingest, UTC ms.
        topic: Where it was read.
        partition: Same.
        offset: Same.
    """
    return Entry(
        kind=DEFINITION if isinstance(received.event, DefinitionApplied) else EVENT,
        copy=False,
        id=received.id,
        type=received.type,
        source=received.source,
        tenant=received.tenant,
        subject=received.subject,
        time_ms=received.time_ms,
        recorded_ms=recorded_ms,
        origin=received.origin,
        actor=received.actor,
        correlation=received.correlation,
        causation=received.causation,
        depth=received.depth,
        origin_topic=topic,
        origin_partition=partition,
        origin_offset=offset,
        data=received.data,
    )


def write_binary(  # noqa: PLR0913 - one argument per attribute, by name
    event: Event,
    *,
    id: str,  # noqa: A002 - the attribute's name
    source: str,
    tenant: str,
    time_ms: int,
    subject: str | None = None,
    origin: str = "live",
    actor: str = "",
    correlation: str = "",
    causation: str = "",
    depth: int = 0,
    avro: bool = False,
) -> tuple[list[tuple[str, bytes]], bytes]:
    """Return headers and value of a record in binary content mode.

    Args:
        event: The data; its class gives the type.
        id: With `source` unique: the same pair again is a duplicate.
        source: The system that says so.
        tenant: Tenant id.
        time_ms: Event time, UTC ms.
        subject: Only when it differs from the derived one.
        origin: One of `schemas.journal.ORIGINS`.
        actor: Who did it; empty when unknown.
        correlation: Or empty.
        causation: Id of the event that caused it, or empty.
        depth: Length of the automation chain that caused it.
        avro: Write Avro single-object encoding instead of JSON.
    """
    given = {
        "specversion": SPECVERSION,
        "id": id,
        "source": source,
        "type": event.TYPE,
        "tenantid": tenant,
        "time": rfc3339.text_of(time_ms),
        "subject": subject,
        "origin": origin if origin != "live" else None,
        "actor": actor,
        "correlationid": correlation,
        "causationid": causation,
        "depth": str(depth) if depth else None,
    }
    headers = [(f"ce_{name}", text.encode()) for name, text in given.items() if text]
    headers.append(("content-type", (AVRO if avro else JSON).encode()))
    return headers, encode_event(event) if avro else to_json(event.wire_data())


def write_structured(headers: Headers, value: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """Return the structured form of a record in binary content mode, with JSON data.

    Args:
        headers: From `write_binary`.
        value: Same.
    """
    members: dict[str, object] = dict(attributes.of_headers(headers))
    members["data"] = from_json(value)
    return [("content-type", STRUCTURED.encode())], to_json(members)


def _is_structured(media_type: str, found: dict[str, str]) -> bool:
    """Tell the content mode; the first two lines are the binding's rule, the rest is leniency."""
    if media_type.startswith("application/cloudevents"):
        if media_type != STRUCTURED:
            raise InvalidEvent("unsupported_content_type", "datacontenttype", f"not {STRUCTURED}")
        return True
    return found.keys() <= {"datacontenttype"} and _is_json(media_type)


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_json(media_type: str) -> bool:
    return media_type in ("", JSON, "text/json") or media_type.endswith("+json")


def _structured(value: bytes, now_ms: int) -> Received:
    members = _json(value, "")
    if not isinstance(members, dict):
        raise InvalidEvent("missing_attribute", "specversion", "is no JSON object")
    found = attributes.of_members(members)
    checked = attributes.check(found, now_ms=now_ms)
    cls = _class_of(checked.type)
    media_type = _media_type(found.get("datacontenttype", ""))
    if "data_base64" in members:
        raw = _base64(members["data_base64"])
        if media_type == AVRO:
            return _received(checked, _avro_event(cls, raw))
        members["data"] = _json(raw, "data")
    if not _is_json(media_type):
        raise InvalidEvent("unsupported_content_type", "datacontenttype", "is no JSON, no Avro")
    if "data" not in members:
        raise InvalidEvent("missing_field", "data", "is absent")
    return _received(checked, _json_event(cls, members["data"]))


def _base64(text: object) -> bytes:
    try:
        if isinstance(text, str):
            return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise InvalidEvent("invalid_field", "data_base64", "is no base64") from problem
    raise InvalidEvent("invalid_field", "data_base64", "should be text")


def _class_of(type_: str) -> type[Event]:
    cls = DefinitionApplied if type_ == DefinitionApplied.TYPE else CATALOGUE.get(type_)
    if cls is None:
        raise InvalidEvent("unknown_type", "type", "is in no version of the catalogue")
    return cls


def _json(value: bytes, path: str) -> object:
    try:
        parsed: object = from_json(value, allow_inf_nan=False)
    except ValueError as problem:
        # The parser's message names line and column, never the text itself.
        raise InvalidEvent("not_json", path, str(problem)) from problem
    return parsed


def _json_event(cls: type[Event], data: object) -> Event:
    if not isinstance(data, dict):
        raise InvalidEvent("invalid_field", "data", "should be a JSON object")
    try:
        return cls.model_validate(data)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        raise _invalid_field(first) from problem


def _avro_event(cls: type[Event], raw: bytes) -> Event:
    """Read Avro from outside: types are right when it decodes, values may still not be."""
    if type(decode_event(raw)) is not cls:
        raise InvalidEvent("invalid_attribute", "type", "the data is of another type")
    return _json_event(cls, event_fields(raw))


def _invalid_field(first: ErrorDetails) -> InvalidEvent:
    """Return the first problem pydantic found as ours."""
    where = first.get("ctx", {}).get("where")
    path = ".".join(map(str, ("data", *first["loc"], *([where] if where else []))))
    reason = "missing_field" if first["type"] == "missing" else "invalid_field"
    return InvalidEvent(reason, path[:_MAX_PATH], first["msg"].removeprefix("Value error, "))


def _received(checked: Attributes, event: Event) -> Received:
    subject = checked.subject or event.derived_subject()
    if subject is None:
        subject = f"{checked.type.split('.')[1]}/{checked.id}"
    data = encode_event(event)
    if len(data) > MAX_EVENT_BYTES:
        raise InvalidEvent("too_large", "data", f"has {len(data)} bytes as Avro")
    return Received(*checked._replace(subject=subject), event, data)
