"""Any record of any topic as plain data a person (or jq) can read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from schemas import codec
from schemas.cloudevents import read as read_event
from schemas.derived.effect import ACTION, FACT, PUBLICATION
from schemas.derived.metric import MetricKey, split_published
from schemas.derived.push import read_push
from schemas.errors import CorruptLog, InvalidEvent
from schemas.state.rows import Head
from schemas.topics import (
    DEAD_LETTER,
    DEFINITION,
    EFFECT,
    GENERATION,
    JOURNAL,
    METRIC,
    PUSH,
    UPSTREAM,
    VERIFICATION,
)

if TYPE_CHECKING:
    from infra.commands.log_reader import LogRecord

HEAD_KEY = b"!head"
DAY_MS = 86_400_000


def decode(record: LogRecord) -> dict[str, Any]:
    """Return a record as JSON-ready data: coordinates, tenant where there is one, what it says.

    A record that can't be read gives `problem` instead: showing it is the point of looking.
    """
    shown: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
    }
    try:
        shown |= _decode_value(record)
    except (InvalidEvent, CorruptLog) as error:
        shown["problem"] = str(error)
    return shown


def instant(ms: int) -> str:
    """Return a time for people: UTC, ISO 8601, milliseconds.

    >>> instant(0)
    '1970-01-01T00:00:00.000Z'
    """
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _decode_value(record: LogRecord) -> dict[str, Any]:
    if record.topic in UPSTREAM or record.topic == DEFINITION:
        return _upstream(record)
    readers = {
        JOURNAL: _entry,
        METRIC: _metric,
        EFFECT: _effect,
        GENERATION: _generation,
        VERIFICATION: _verification,
        DEAD_LETTER: _letter,
        PUSH: _push,
    }
    return readers.get(record.topic, _row)(record)


def _letter(record: LogRecord) -> dict[str, Any]:
    return {"headers": {n: v.decode(errors="replace") for n, v in record.headers}}


def _push(record: LogRecord) -> dict[str, Any]:
    push = read_push(record.key, record.value, [*record.headers])
    return {
        "tenant": push.tenant,
        "channel": push.channel,
        "id": push.id,
        "time": instant(push.at_ms),
        "data": json.loads(push.data),
    }


def _upstream(record: LogRecord) -> dict[str, Any]:
    received = read_event(record.headers, record.value, now_ms=record.timestamp_ms + DAY_MS)
    return {
        "tenant": received.tenant,
        "type": received.type,
        "id": received.id,
        "source": received.source,
        "time": instant(received.time_ms),
        "subject": received.subject,
        "origin": received.origin,
        "data": received.event.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def _entry(record: LogRecord) -> dict[str, Any]:
    entry = codec.decode_entry(record.value or b"")
    if not entry.type:
        return {"kind": entry.kind, "time": instant(entry.time_ms)}
    fields = {k: v for k, v in codec.event_fields(entry.data).items() if v is not None}
    return {
        "kind": entry.kind,
        "copy": entry.copy,
        "tenant": entry.tenant,
        "type": entry.type,
        "id": entry.id,
        "source": entry.source,
        "subject": entry.subject,
        "time": instant(entry.time_ms),
        "recorded": instant(entry.recorded_ms),
        "origin": entry.origin,
        "actor": entry.actor,
        "from": f"{entry.origin_topic}:{entry.origin_partition}:{entry.origin_offset}",
        "data": fields,
    }


def _metric(record: LogRecord) -> dict[str, Any]:
    generation, row_key = split_published(record.key or b"")
    text = row_key.decode(errors="replace")
    try:
        key = MetricKey.parse(text)
        bucket = instant(key.bucket_ms) if key.bucket_ms else None
    except (ValueError, OverflowError):
        raise CorruptLog(f"the key {text!r} is none of a metric") from None
    shown = {
        "generation": generation,
        "tenant": key.tenant,
        "metric": key.metric,
        "grain": key.grain,
        "bucket": bucket,
        "dimension": key.dimension,
        "member": key.member,
    }
    if record.value is None:
        return {**shown, "closed": True}
    partial = codec.decode_partial(record.value)._asdict()
    partial["journal_offset"] = partial.pop("offset")
    return shown | partial


def _effect(record: LogRecord) -> dict[str, Any]:
    effect = codec.decode_effect(record.value or b"")
    readers = {
        FACT: codec.decode_fact,
        ACTION: codec.decode_notify,
        PUBLICATION: codec.decode_publication,
    }
    reader: Any = readers.get(effect.kind)
    shown = effect._asdict()
    shown["time"] = instant(shown.pop("time_ms"))
    shown["data"] = reader(effect.data)._asdict() if reader else effect.data.hex()
    return shown


def _generation(record: LogRecord) -> dict[str, Any]:
    shown = codec.decode_generation(record.value or b"")._asdict()
    return {"time": instant(shown.pop("at_ms")), **shown}


def _verification(record: LogRecord) -> dict[str, Any]:
    shown = codec.decode_verification(record.value or b"")._asdict()
    times = {name: instant(shown.pop(f"{name}_ms")) for name in ("started", "ended")}
    findings = [json.loads(text) for text in shown.pop("findings")]
    return {**times, **shown, "findings": findings}


def _row(record: LogRecord) -> dict[str, Any]:
    key = record.key or b""
    if key == HEAD_KEY and record.value is not None:
        head = codec.decode_row(Head, record.value)
        return {"row": "head", "applied": head.applied, "now": instant(head.now_ms),
                "seq": head.seq, "sources": head.sources}  # fmt: skip
    return {
        "row": key[:1].decode(errors="replace"),
        "key": key[1:].decode(errors="replace"),
        "bytes": None if record.value is None else len(record.value),
    }
