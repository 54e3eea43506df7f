"""Definitions in Kafka: what is in effect, publishing one, and seeing where it took effect."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from infra.commands.arrival import not_applied, wait
from infra.commands.connect import RETRY_AFTER_S
from infra.commands.definition_files import Definition
from infra.commands.heads import Heads
from infra.commands.log_reader import ends, follow, read
from infra.commands.publishing import Outgoing
from schemas.cloudevents import read as read_event
from schemas.codec import decode_entry
from schemas.definitions.applied import DefinitionApplied
from schemas.errors import InvalidEvent, Unavailable
from schemas.journal import DEFINITION as DEFINITION_KIND
from schemas.topics import DEFINITION, JOURNAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.commands.publishing import Publisher
    from infra.settings import Settings

SOURCE = "daybook/apply"
NAMESPACE = uuid.UUID("b9a0f1b6-8a7c-5c93-9a1d-2f6f2f0e6c55")
DAY_MS = 86_400_000
PATIENCE_S = 60.0


def current(settings: Settings) -> dict[tuple[str, str, str], Definition]:
    """Return (tenant, kind, id) → the newest version of every definition."""
    found: dict[tuple[str, str, str], Definition] = {}
    for record in read(settings, DEFINITION):
        try:
            received = read_event(record.headers, record.value, now_ms=record.timestamp_ms + DAY_MS)
        except InvalidEvent:
            continue  # ingest made a dead letter of it, so it never took effect
        event = received.event
        if isinstance(event, DefinitionApplied):
            found[received.tenant, event.kind, event.id] = Definition(received.tenant, event)
    return found


def outgoing(definition: Definition, now_ms: int) -> Outgoing:
    """Return the event that applies a definition now."""
    name = f"{definition.name}|{definition.event.spec}|{now_ms}"
    return Outgoing(
        definition.tenant, str(uuid.uuid5(NAMESPACE, name)), SOURCE, now_ms, definition.event
    )


def took_effect(
    settings: Settings, publisher: Publisher, events: Sequence[Outgoing]
) -> dict[str, dict[int, int]]:
    """Publish definitions and wait until every journal partition has folded them.

    Returns:
        CloudEvents id → journal partition → offset at which it took effect there.

    Raises:
        Unavailable: that didn't happen within a minute of the last progress.
    """
    before = {partition: end for partition, (_, end) in ends(settings, JOURNAL).items()}
    for event in events:
        publisher.put(event.record())
    publisher.flush()
    found = _journalled(settings, before, [event.id for event in events])
    last = {
        partition: max(places[partition] for places in found.values()) + 1 for partition in before
    }
    with Heads(settings) as heads:
        wait(not_applied(heads, last), "folded", "daybook worker")
    return found


def _journalled(
    settings: Settings, start: Mapping[int, int], ids: Sequence[str]
) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {identity: {} for identity in ids}
    deadline = time.monotonic() + PATIENCE_S
    for record in follow(settings, JOURNAL, start=start, idle_s=PATIENCE_S):
        entry = decode_entry(record.value or b"")
        if entry.kind == DEFINITION_KIND and entry.id in found:
            found[entry.id].setdefault(record.partition, record.offset)
        if all(len(places) == len(start) for places in found.values()):
            return found
        if time.monotonic() > deadline:  # ticks keep coming, so silence is no sign
            break
    raise Unavailable("daybook ingest", RETRY_AFTER_S, "the definition isn't in the journal")
