"""The journal entry: everything a decision can depend on, in one shape."""

from typing import NamedTuple

EVENT, DEFINITION, TICK = "event", "definition", "tick"

ORIGINS = ("live", "import", "replay", "automation", "test")


class Entry(NamedTuple):
    """One record of `journal.v1` (Avro single-object encoded; key `tenant|subject`).

    Args:
        kind: `event`, `definition` or `tick`.
        copy: True for a broadcast copy of reference data or a definition; the copy in the home
            partition of the subject has False and alone counts as the event.
        id: CloudEvents `id`; empty for ticks.
        type: CloudEvents `type`, e.g. `crm.lead.created.v1`; empty for ticks.
        source: CloudEvents `source`.
        tenant: Tenant id; empty for ticks.
        subject: `contact/42`; the unit of ordering.
        time_ms: Event time, UTC, ms since the epoch; for a tick the wall clock.
        recorded_ms: When ingest wrote it, UTC ms.
        origin: `live`, `import`, `replay`, `automation`, `test`.
        actor: Who did it: `user/7`, `workflow/welcome@3`, `system`; may be empty.
        correlation: CloudEvents `correlationid`; may be empty.
        causation: CloudEvents `causationid`; may be empty.
        depth: Length of the automation chain that caused it.
        origin_topic: Where ingest read it; empty for ticks.
        origin_partition: Source partition; -1 for ticks.
        origin_offset: Source offset; -1 for ticks.
        data: The event's own record, single-object encoded; empty for ticks.
    """

    kind: str
    copy: bool
    id: str
    type: str
    source: str
    tenant: str
    subject: str
    time_ms: int
    recorded_ms: int
    origin: str = "live"
    actor: str = ""
    correlation: str = ""
    causation: str = ""
    depth: int = 0
    origin_topic: str = ""
    origin_partition: int = -1
    origin_offset: int = -1
    data: bytes = b""


def journal_key(tenant: str, subject: str) -> bytes:
    """Return the Kafka key of an entry; it decides the home partition (murmur2)."""
    return f"{tenant}|{subject}".encode()


def tick(now_ms: int) -> Entry:
    """Return the entry that lets time pass in one journal partition."""
    return Entry(TICK, copy=False, id="", type="", source="", tenant="", subject="",
                 time_ms=now_ms, recorded_ms=now_ms)  # fmt: skip
