"""Our codec beside fastavro, doing the same: from record objects to the same bytes and back."""

import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

import fastavro

from benchmarks import mix
from benchmarks.figures import Run, Section
from benchmarks.rounds import Variant, interleave
from benchmarks.scale import Scale
from benchmarks.window import OwnWindow
from schemas import codec
from schemas.avro import EXTRA, HEADER_BYTES, header_of, schema_of
from schemas.derived.effect import Effect
from schemas.derived.metric import MetricPartial
from schemas.events.event import Event
from schemas.journal import EVENT, Entry
from streams.domain.fold import fold
from streams.domain.state import State

SAMPLES = 1_000
"""Different records of each kind, taken in turn."""


@dataclass(frozen=True, slots=True)
class Coder:
    """A way to write and read one kind of record."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Samples:
    """Records of the mix, by kind."""

    entries: list[Entry]
    events: list[Event]
    effects: list[Effect]
    partials: list[MetricPartial]


def samples(start_ms: int, count: int = SAMPLES) -> Samples:
    """Return up to `count` records of each kind, as they occur."""
    # Lives take seconds of simulated time: their later events are in a longer journal only.
    (log,) = mix.journal(count * 6, mix.plan(start_ms), partitions=1)
    effects = fold(State(), log, partition=0)
    entries = [codec.decode_entry(kept.value) for kept in log[-count:]]
    return Samples(
        entries=entries,
        events=[codec.decode_event(entry.data) for entry in entries if entry.kind == EVENT],
        effects=[codec.decode_effect(value) for _, _, value in effects.effects][-count:],
        partials=[codec.decode_partial(value) for _, value in effects.metrics if value][-count:],
    )


def tuple_coder(record: type[Any]) -> Coder:
    """Return fastavro for a named tuple, with our header."""
    schema = fastavro.parse_schema(schema_of(record))
    header = header_of(schema_of(record))

    def encode(value: Any) -> bytes:
        out = io.BytesIO()
        out.write(header)
        fastavro.schemaless_writer(out, schema, value._asdict())
        return out.getvalue()

    def decode(raw: bytes) -> Any:
        body = io.BytesIO(raw)
        body.seek(HEADER_BYTES)
        fields: dict[str, Any] = fastavro.schemaless_reader(body, schema, schema)  # type: ignore[assignment]  # a record is a dict
        return record(*fields.values())

    return Coder(encode, decode)


def event_coder(classes: Iterable[type[Event]]) -> Coder:
    """Return fastavro for events of several classes; the header decides."""
    by_class: dict[type[Event], tuple[bytes, Any]] = {}
    by_header: dict[bytes, tuple[type[Event], Any]] = {}
    for cls in classes:
        source = schema_of(cls)
        header, schema = header_of(source), fastavro.parse_schema(source)
        by_class[cls] = (header, schema)
        by_header[header] = (cls, schema)

    def encode(event: Event) -> bytes:
        header, schema = by_class[type(event)]
        out = io.BytesIO()
        out.write(header)
        fields = event.model_dump(by_alias=True)
        fields[EXTRA] = json.dumps(event.model_extra or {})
        fastavro.schemaless_writer(out, schema, fields)
        return out.getvalue()

    def decode(raw: bytes) -> Event:
        cls, schema = by_header[raw[:HEADER_BYTES]]
        body = io.BytesIO(raw)
        body.seek(HEADER_BYTES)
        fields: dict[str, Any] = fastavro.schemaless_reader(body, schema, schema)  # type: ignore[assignment]  # a record is a dict
        # The quickest way: `model_construct` takes a third longer and leaves nested records as
        # dictionaries.
        return cls.model_validate(_with_unknown(fields))

    return Coder(encode, decode)


def _with_unknown(fields: dict[str, Any]) -> dict[str, Any]:
    """Merge `extra` in, here and in nested records."""
    extra = fields.pop(EXTRA)
    for name, value in fields.items():
        if type(value) is dict:
            fields[name] = _with_unknown(value)
        elif type(value) is list and value and type(value[0]) is dict:
            fields[name] = [_with_unknown(each) for each in value]
    return fields if extra == "{}" else fields | json.loads(extra)


def pairs(found: Samples) -> dict[str, tuple[Sequence[Any], Coder, Coder]]:
    """Return kind → (records, ours, fastavro)."""
    return {
        "entry": (
            found.entries,
            Coder(codec.encode_entry, codec.decode_entry),
            tuple_coder(Entry),
        ),
        "event": (
            found.events,
            Coder(codec.encode_event, codec.decode_event),
            event_coder({type(event) for event in found.events}),
        ),
        "effect": (
            found.effects,
            Coder(codec.encode_effect, codec.decode_effect),
            tuple_coder(Effect),
        ),
        "partial": (
            found.partials,
            Coder(codec.encode_partial, codec.decode_partial),
            tuple_coder(MetricPartial),
        ),
    }


def disagreements(found: Samples) -> list[str]:
    """Return where the two don't write the same bytes or don't read the same record."""
    wrong = []
    for kind, (records, ours, peer) in pairs(found).items():
        for record in records:
            raw = ours.encode(record)
            if peer.encode(record) != raw:
                wrong.append(f"{kind}: fastavro writes {record} differently")
            if not peer.decode(raw) == ours.decode(raw) == record:
                wrong.append(f"{kind}: {record} reads differently")
    return wrong


def _timed(call: Callable[[Any], object], values: Sequence[Any], count: int) -> Run:
    window = OwnWindow()
    for value in islice(cycle(values), count):
        call(value)
    return window.close(count)


def _variants(found: Samples, count: int) -> dict[str, Variant]:
    variants: dict[str, Variant] = {}
    for kind, (records, ours, peer) in pairs(found).items():
        raws = [ours.encode(record) for record in records]
        for name, coder in (("Daybook", ours), ("fastavro", peer)):
            variants[f"{kind} encode, {name}"] = _bound(coder.encode, records, count)
        for name, coder in (("Daybook", ours), ("fastavro", peer)):
            variants[f"{kind} decode, {name}"] = _bound(coder.decode, raws, count)
    return variants


def _bound(call: Callable[[Any], object], values: Sequence[Any], count: int) -> Variant:
    return lambda: _timed(call, values, count)


def measure(scale: Scale, start_ms: int) -> Section:
    """Measure both codecs.

    Args:
        scale: How much.
        start_ms: Time of the first event, UTC ms.

    Raises:
        RuntimeError: They don't do the same, so comparing them means nothing.
    """
    found = samples(start_ms)
    if wrong := disagreements(found):
        raise RuntimeError(f"{len(wrong)} differences, the first: {wrong[0]}")
    count = scale.codec_records
    return Section(
        name="codec",
        title="Codec",
        unit="records",
        notes=(
            (
                "Same schemas, same bytes (checked before measuring), same objects: named tuples, "
                "and frozen pydantic models for events, which fastavro's side makes and takes "
                "apart by pydantic's `model_validate` and `model_dump`: it knows dictionaries only."
            ),
            f"{SAMPLES:,} different records of each kind as they occur in the simulator's traffic.",
        ),
        rates=tuple(
            replace(rate, group=rate.variant.partition(",")[0])
            for rate in interleave(_variants(found, count), scale.rounds, warm_up=True)
        ),
    )
