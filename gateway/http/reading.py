"""Events in a request's body: checked by the code ingest checks Kafka's records with. Pure.

Source: CloudEvents HTTP protocol binding 1.0.2; JSON event format 1.0.2.
"""

from typing import NamedTuple

from pydantic_core import from_json, to_json

from gateway.http.ports import Outgoing
from schemas.cloudevents import STRUCTURED, read
from schemas.definitions.applied import DefinitionApplied
from schemas.errors import InvalidEvent
from schemas.topics import topic_of

BATCH = "application/cloudevents-batch+json"
MAX_EVENTS = 500
MAX_NAME = 200
"""Of `id` and `source` this much is repeated in the answer, characters."""
FOREIGN_TENANT = "foreign_tenant"

_HEADERS = (("content-type", STRUCTURED.encode()),)


class Offered(NamedTuple):
    """One event of a request.

    Args:
        id: Of the event, as given; empty when it has none.
        source: Same.
        record: What is to be written; None when the event is refused.
        refusal: Why it is; None when it is taken.
    """

    id: str
    source: str
    record: Outgoing | None = None
    refusal: InvalidEvent | None = None


def documents(body: bytes, *, batch: bool) -> list[object]:
    """Return the events of a body, unchecked.

    Args:
        body: JSON; an array when it is a batch.
        batch: Whether the content-type says so.

    Raises:
        InvalidEvent: It isn't JSON (`not_json`), no array of 1 … 500 events (`bad_batch`).
    """
    try:
        parsed: object = from_json(body, allow_inf_nan=False)
    except ValueError as problem:
        # The parser's message names line and column, never the text itself.
        raise InvalidEvent("not_json", "", str(problem)) from problem
    if not batch:
        return [parsed]
    if not isinstance(parsed, list) or not 0 < len(parsed) <= MAX_EVENTS:
        raise InvalidEvent("bad_batch", "", f"a batch is an array of 1 to {MAX_EVENTS} events")
    return parsed


def offered(document: object, tenant: str, *, now_ms: int) -> Offered:
    """Check one event and return its record, or why there is none.

    Args:
        document: An event as parsed JSON.
        tenant: Of the caller: events are of no other.
        now_ms: Wall clock, UTC ms; an event may not be more than a day ahead of it.
    """
    named = document if isinstance(document, dict) else {}
    id_, source = _text(named.get("id")), _text(named.get("source"))
    try:
        return Offered(id_, source, record=_record(document, tenant, now_ms))
    except InvalidEvent as refusal:
        return Offered(id_, source, refusal=refusal)


def _text(value: object) -> str:
    return value[:MAX_NAME] if isinstance(value, str) else ""


def _record(document: object, tenant: str, now_ms: int) -> Outgoing:
    try:
        value = to_json(document)
    except ValueError:
        raise InvalidEvent("not_json", "", "it can't be written as UTF-8") from None
    received = read(_HEADERS, value, now_ms=now_ms)
    if received.tenant != tenant:
        raise InvalidEvent(FOREIGN_TENANT, "tenantid", "should be the tenant of the token")
    if isinstance(received.event, DefinitionApplied):
        raise InvalidEvent("unknown_type", "type", "definitions come in by `daybook apply`")
    key = f"{received.tenant}|{received.subject}".encode()
    return Outgoing(topic_of(received.type), key, value, _HEADERS)
