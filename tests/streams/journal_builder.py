"""Builds journals for tests of the fold, and reads what the fold said."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from schemas.codec import (
    decode_effect,
    decode_fact,
    decode_notify,
    decode_partial,
    decode_publication,
    encode_entry,
    encode_event,
)
from schemas.definitions.applied import DefinitionApplied
from schemas.derived.effect import Effect, Fact
from schemas.derived.metric import MetricKey, MetricPartial
from schemas.events import Event
from schemas.journal import DEFINITION, EVENT, Entry, tick
from streams.domain.effects import Effects
from streams.domain.fold import fold
from streams.domain.state import State


def ms(text: str) -> int:
    """Return an ISO time (UTC when it has no zone) as ms since the epoch."""
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


class Record(NamedTuple):
    """A journal record."""

    offset: int
    value: bytes


@dataclass
class Journal:
    """A journal of one partition; every method appends one record and returns self."""

    tenant: str = "acme"
    records: list[Record] = field(default_factory=list)

    def entry(self, entry: Entry) -> "Journal":
        """Append an entry as it is."""
        self.records.append(Record(len(self.records), encode_entry(entry)))
        return self

    def event(
        self,
        event: Event,
        at: str,
        *,
        event_id: str | None = None,
        tenant: str | None = None,
        origin: str = "live",
        origin_offset: int | None = None,
    ) -> "Journal":
        """Append an event that happened `at`; without an id it is a new one."""
        offset = len(self.records)
        kind = DEFINITION if isinstance(event, DefinitionApplied) else EVENT
        return self.entry(
            Entry(
                kind,
                copy=False,
                id=event_id or f"e{offset}",
                type=event.TYPE,
                source="crm",
                tenant=tenant or self.tenant,
                subject=event.derived_subject() or "",
                time_ms=ms(at),
                recorded_ms=ms(at),
                origin=origin,
                origin_topic="upstream",
                origin_partition=0,
                origin_offset=offset if origin_offset is None else origin_offset,
                data=encode_event(event),
            )
        )

    def settings(self, at: str = "2026-01-01T00:00", **spec: object) -> "Journal":
        """Append the tenant's settings."""
        applied = DefinitionApplied(kind="settings", id="default", spec=json.dumps(spec))
        return self.event(applied, at)

    def tick(self, at: str) -> "Journal":
        """Let time pass."""
        return self.entry(tick(ms(at)))

    def fold(self, cuts: tuple[int, ...] = ()) -> "Folded":
        """Fold everything, cut into batches at these offsets."""
        state, said = State(), []
        edges = sorted({0, *cuts, len(self.records)})
        for start, end in pairwise(edges):
            effects = fold(state, self.records[start:end], partition=0)
            state.apply(effects)
            said.append(effects)
        return Folded(state, said)


@dataclass
class Folded:
    """A state, and the effects of each batch that led to it."""

    state: State
    batches: list[Effects]

    @property
    def effects(self) -> list[Effect]:
        """Return every effect in order."""
        return [decode_effect(value) for batch in self.batches for _, _, value in batch.effects]

    def facts(self, name: str | None = None) -> list[Fact]:
        """Return the facts, of one name or all."""
        return [
            decode_fact(effect.data)
            for effect in self.effects
            if effect.kind == "fact" and name in (None, effect.name)
        ]

    def notifications(self) -> list[Any]:
        """Return the `notify` actions."""
        return [decode_notify(e.data) for e in self.effects if e.kind == "action"]

    def publications(self) -> list[tuple[str, dict[str, Any]]]:
        """Return (channel, data) of the publications."""
        said = [decode_publication(e.data) for e in self.effects if e.kind == "publication"]
        return [(publication.channel, json.loads(publication.json)) for publication in said]

    def counts(self) -> dict[str, int]:
        """Return the telemetry of all batches."""
        total: dict[str, int] = defaultdict(int)
        for batch in self.batches:
            for name, count in batch.counts.items():
                total[name] += count
        return dict(total)

    def buckets(self) -> dict[MetricKey, MetricPartial]:
        """Return every metric bucket of the state."""
        return {
            MetricKey.parse(key.decode()): decode_partial(value)
            for prefix in (b"m", b"h")
            for key, value in self.state.tables[prefix].items()
        }

    def total(self, metric: str, by: str = "", member: str = "", tenant: str = "acme") -> int:
        """Return the all-time sum of a metric; 0 when it has no bucket."""
        found = self.buckets().get(MetricKey(tenant, metric, "all", 0, by, member))
        return found.sum if found else 0

    def day(self, metric: str, at: str, by: str = "", member: str = "") -> int:
        """Return the sum of a metric on the (UTC) day that starts `at`."""
        found = self.buckets().get(MetricKey("acme", metric, "day", ms(at), by, member))
        return found.sum if found else 0
