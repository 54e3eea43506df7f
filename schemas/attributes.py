"""CloudEvents attributes as Daybook needs them: which, how long, in what form."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from schemas import rfc3339
from schemas.errors import InvalidEvent
from schemas.journal import ORIGINS
from schemas.topics import DAY_MS

SPECVERSION = "1.0"
EARLIEST_MS = DAY_MS
"""1970-01-02: what is earlier is a clock that was never set, and no zone has a day before 1970."""

MAX_AHEAD_MS = DAY_MS
"""An event further in the future is a dead letter (`time_in_future`)."""

REQUIRED: Final = ("specversion", "id", "source", "type", "tenantid", "time")
OPTIONAL: Final = (
    "subject",
    "origin",
    "actor",
    "correlationid",
    "causationid",
    "depth",
    "partitionkey",
    "sequence",
    "traceparent",
)
KNOWN: Final = frozenset((*REQUIRED, *OPTIONAL, "datacontenttype"))

TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{1,512}")
_SUBJECT = re.compile(r"[a-z][a-z_]{0,31}/[^\x00-\x1f\x7f]{1,460}")
_DEPTH = re.compile(r"[0-9]{1,4}", re.ASCII)

Headers = Sequence[tuple[str, bytes]]


class Attributes(NamedTuple):
    """Attributes of one event, checked; text ones are empty when absent.

    Args:
        id: With `source` unique.
        source: The upstream system.
        type: CloudEvents `type`; not checked against the catalogue here.
        tenant: `tenantid`.
        time_ms: Event time, UTC ms.
        subject: As given; empty when it is to be derived.
        origin: One of `schemas.journal.ORIGINS`.
        actor: Who did it.
        correlation: `correlationid`.
        causation: `causationid`.
        depth: Length of the automation chain that caused it.
        partition_key: `partitionkey`; of no effect, ordering is by subject.
        sequence: As given.
        traceparent: W3C trace context.
    """

    id: str
    source: str
    type: str
    tenant: str
    time_ms: int
    subject: str = ""
    origin: str = "live"
    actor: str = ""
    correlation: str = ""
    causation: str = ""
    depth: int = 0
    partition_key: str = ""
    sequence: str = ""
    traceparent: str = ""


def of_headers(headers: Headers) -> dict[str, str]:
    """Return attribute → text of Kafka headers (`ce_*`, and `content-type`), unchecked.

    Raises:
        InvalidEvent: An attribute we know is given twice or isn't UTF-8.
    """
    found: dict[str, str] = {}
    for key, value in headers:
        name = key.lower()
        if name == "content-type":
            name = "datacontenttype"
        elif name.startswith("ce_") and name != "ce_datacontenttype":
            name = name[3:]
        else:
            continue
        if name not in KNOWN or value is None:
            continue
        if name in found:
            raise InvalidEvent("invalid_attribute", name, "is given twice")
        try:
            found[name] = value.decode()
        except UnicodeDecodeError as problem:
            raise InvalidEvent("invalid_attribute", name, "is not UTF-8") from problem
    return found


def of_members(members: Mapping[str, object]) -> dict[str, str]:
    """Return attribute → text of a structured event's JSON members, unchecked.

    Raises:
        InvalidEvent: An attribute we know is neither text nor a whole number.
    """
    found: dict[str, str] = {}
    for name in KNOWN:
        value = members.get(name)
        if isinstance(value, str):
            found[name] = value
        elif isinstance(value, int) and not isinstance(value, bool):
            found[name] = str(value)
        elif value is not None:
            raise InvalidEvent("invalid_attribute", name, "should be text")
    return found


def check(found: Mapping[str, str], *, now_ms: int) -> Attributes:
    """Check attributes.

    Args:
        found: Attribute → text.
        now_ms: The reader's clock, UTC ms; only to refuse events from the future.

    Raises:
        InvalidEvent: `missing_attribute`, `invalid_attribute`, `bad_tenant` or `time_in_future`.
    """
    for name in REQUIRED:
        if not found.get(name):
            raise InvalidEvent("missing_attribute", name, "is absent or empty")
    if found["specversion"] != SPECVERSION:
        raise InvalidEvent("invalid_attribute", "specversion", f"should be {SPECVERSION}")
    if not TENANT.fullmatch(found["tenantid"]):
        raise InvalidEvent("bad_tenant", "tenantid", f"should match {TENANT.pattern}")
    subject = _optional(found, "subject", _SUBJECT.fullmatch, "should look like contact/42")
    depth = _optional(found, "depth", _DEPTH.fullmatch, "should be a small number")
    origin = _optional(found, "origin", ORIGINS.__contains__, f"should be one of {ORIGINS}")
    return Attributes(
        id=_text(found, "id"),
        source=_text(found, "source"),
        type=_text(found, "type"),
        tenant=found["tenantid"],
        time_ms=_time_ms(found["time"], now_ms),
        subject=subject,
        origin=origin or "live",
        actor=_text(found, "actor"),
        correlation=_text(found, "correlationid"),
        causation=_text(found, "causationid"),
        depth=int(depth or 0),
        partition_key=_text(found, "partitionkey"),
        sequence=_text(found, "sequence"),
        traceparent=_text(found, "traceparent"),
    )


def _text(found: Mapping[str, str], name: str) -> str:
    return _optional(found, name, _TEXT.fullmatch, "should have 1 to 512 characters, no control")


def _optional(
    found: Mapping[str, str], name: str, fits: Callable[[str], object], problem: str
) -> str:
    """Return an attribute, or nothing when it is absent or empty."""
    value = found.get(name)
    if not value:
        return ""
    if not fits(value):
        raise InvalidEvent("invalid_attribute", name, problem)
    return value


def _time_ms(text: str, now_ms: int) -> int:
    try:
        time_ms = rfc3339.to_ms(rfc3339.parse(text))
    except ValueError as problem:
        raise InvalidEvent("invalid_attribute", "time", str(problem)) from problem
    if time_ms < EARLIEST_MS:
        raise InvalidEvent("invalid_attribute", "time", "is before 1970-01-02")
    if time_ms > now_ms + MAX_AHEAD_MS:
        raise InvalidEvent("time_in_future", "time", "is more than 24 h ahead")
    return time_ms
