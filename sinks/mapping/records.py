"""Record → row: a pure function of the record, so that a range read again gives the same block."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from schemas.codec import (
    decode_effect,
    decode_entry,
    decode_fact,
    decode_notify,
    decode_partial,
    decode_publication,
    event_fields,
)
from schemas.derived.effect import FACT, PUBLICATION, Effect, Fact
from schemas.derived.metric import MetricKey, split_published
from schemas.journal import EVENT
from schemas.topics import EFFECT, JOURNAL, METRIC

Row = tuple[Any, ...]
"""Values in the order of the table's columns."""
Mapper = Callable[[bytes | None, bytes | None, int], Row | None]
"""(key, value, offset) → row, or None for a record that gives none."""

TIME_MIN_MS, TIME_MAX_MS = -2_208_988_800_000, 10_413_791_999_999
"""1900-01-01 … 2299-12-31, what DateTime64 holds on every server we support."""
CONTACT = "contact/"
NO_FACT = Fact("", "", value=0, origin="")


def clamp_ms(time_ms: int) -> int:
    """Return the nearest time ClickHouse can hold, so that a nonsense year stops nothing."""
    return min(max(time_ms, TIME_MIN_MS), TIME_MAX_MS)


def json_text(value: Any) -> str:
    """Return compact JSON; falls back to the standard library for integers beyond 64 bits."""
    try:
        return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        return json.dumps(value, separators=(",", ":"), default=str)


def event_row(value: bytes | None, offset: int) -> Row | None:
    """Return the `fct_event` row of one journal entry.

    Args:
        value: The entry, single-object encoded.
        offset: Its journal offset.

    Returns:
        None for ticks, definitions and broadcast copies: the copy in the home partition of its
        subject alone counts as the event.

    Raises:
        schemas.errors.CorruptLog: the value isn't an entry.
    """
    entry = decode_entry(value or b"")
    if entry.kind != EVENT or entry.copy:
        return None
    fields = event_fields(entry.data)
    subject = entry.subject
    is_contact = subject.startswith(CONTACT)
    return (
        entry.tenant,
        entry.id,
        entry.type,
        clamp_ms(entry.time_ms),
        clamp_ms(entry.recorded_ms),
        subject,
        subject[len(CONTACT) :] if is_contact else _text(fields, "contact_id"),
        _text(fields, "deal_id"),
        _text(fields, "agent_id", "owner_id", "assignee_id"),
        _text(fields, "campaign_id"),
        _text(fields, "channel"),
        _integer(fields, "amount_minor", "to_minor"),
        _text(fields, "currency"),
        entry.origin,
        entry.source,
        entry.actor,
        entry.correlation,
        entry.causation,
        entry.depth,
        json_text(fields),
        offset,
    )


def _text(fields: Mapping[str, Any], *names: str) -> str:
    """Return the first of these fields that is a text; empty when none is.

    A field that an event's type doesn't name is upstream's own and may hold anything; `props`
    keeps it as it came.
    """
    for name in names:
        value = fields.get(name)
        if value and type(value) is str:
            return value
    return ""


def _integer(fields: Mapping[str, Any], *names: str) -> int:
    """Return the first of these fields that is an integer; 0 when none is."""
    for name in names:
        value = fields.get(name)
        if type(value) is int:
            return value
    return 0


def effect_row(value: bytes | None, offset: int, generation: int) -> Row | None:
    """Return the `fct_effect` row of one effect; None when another generation wrote it.

    Raises:
        schemas.errors.CorruptLog: the value isn't an effect.
    """
    effect = decode_effect(value or b"")
    if effect.generation != generation:
        return None
    fact = decode_fact(effect.data) if effect.kind == FACT else NO_FACT
    return (
        effect.tenant,
        effect.kind,
        effect.name,
        effect.id,
        effect.seq,
        effect.subject,
        clamp_ms(effect.time_ms),
        effect.cause_offset,
        effect.index,
        fact.entity,
        clamp_ms(fact.started_ms),
        clamp_ms(fact.ended_ms),
        fact.duration_ms,
        fact.amount_minor,
        fact.currency,
        fact.value,
        fact.stage,
        fact.outcome,
        fact.agent,
        fact.team,
        fact.region,
        fact.product,
        fact.campaign,
        fact.lead_source,
        fact.channel,
        fact.origin,
        fact.late,
        "" if effect.kind == FACT else json_text(_body(effect)),
        offset,
    )


def _body(effect: Effect) -> Mapping[str, Any]:
    """Return the data of what isn't a fact; of a kind we don't know, its bytes."""
    if effect.name == "notify":
        return decode_notify(effect.data)._asdict()
    if effect.kind == PUBLICATION:
        return decode_publication(effect.data)._asdict()
    return {"data": base64.b64encode(effect.data).decode()}


def metric_row(key: bytes | None, value: bytes | None, generation: int) -> Row | None:
    """Return the `agg_metric` row of one partial.

    Returns:
        None for another generation's, and for a tombstone (an hour bucket was closed: ClickHouse
        keeps its history).

    Raises:
        schemas.errors.CorruptLog: the key isn't a bucket's or the value isn't a partial.
    """
    writer, row_key = split_published(key or b"")
    if value is None or writer != generation:
        return None
    partial = decode_partial(value)
    tenant, metric, grain, bucket_ms, dimension, member = MetricKey.parse(row_key.decode())
    return (
        tenant,
        metric,
        grain,
        clamp_ms(bucket_ms),
        dimension,
        member,
        partial.count,
        partial.sum,
        partial.min,
        partial.max,
        partial.sketch,
        partial.offset,
    )


def mapper(topic: str, generation: int) -> Mapper:
    """Return the function that maps records of `topic` for one generation of the fold."""
    mappers: dict[str, Mapper] = {
        JOURNAL: lambda _key, value, offset: event_row(value, offset),
        EFFECT: lambda _key, value, offset: effect_row(value, offset, generation),
        METRIC: lambda key, value, _offset: metric_row(key, value, generation),
    }
    return mappers[topic]


def newest(rows: list[Row], key: tuple[int, ...]) -> list[Row]:
    """Return the last row of each key, in the order of their last appearance.

    Within one batch only the newest absolute value matters; a pure function of the range.
    """
    last: dict[Row, Row] = {}
    for row in rows:
        identity = tuple(row[index] for index in key)
        last.pop(identity, None)
        last[identity] = row
    return list(last.values())
