"""fold : (state of one partition, journal entries) → effects. A pure function.

It reads no clock, draws no random number, makes no call and never changes the state it is given:
restart, rebalance and replay give the same effects byte for byte, and any cut of the journal into
batches gives the same state.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from schemas.codec import decode_entry, decode_event
from schemas.journal import EVENT, TICK, Entry
from schemas.state.rows import Timer
from streams.domain import agents, campaigns, conversations, deals, leads, messages, tasks, tenants
from streams.domain.batch import Batch
from streams.domain.effects import Effects
from streams.domain.identity import event_mark, is_seen, with_mark
from streams.domain.module import Firing, Module, Step
from streams.domain.state import State
from streams.domain.table import SUBJECTS
from streams.domain.turn import CLOSE_HOUR, Turn

MODULES: tuple[Module, ...] = (
    tenants.MODULE,
    agents.MODULE,
    leads.MODULE,
    deals.MODULE,
    tasks.MODULE,
    conversations.MODULE,
    messages.MODULE,
    campaigns.MODULE,
)
"""Every module; an event folded by several is folded in this order."""


class Record(Protocol):
    """A record of the journal, whatever client read it."""

    @property
    def offset(self) -> int:
        """Offset in its partition."""

    @property
    def value(self) -> bytes:
        """The encoded entry."""


class Fold(Protocol):
    """`fold` itself, a part of it (`streams.domain.selection`), or a smaller one of a test."""

    def __call__(
        self, state: State, records: Sequence[Any], *, partition: int, generation: int = 1
    ) -> Effects:
        """Fold records into effects without changing the state."""


def _steps() -> dict[str, list[Step]]:
    steps: dict[str, list[Step]] = {}
    for module in MODULES:
        for event_type, step in module.steps:
            steps.setdefault(event_type, []).append(step)
    return steps


def _close_hour(turn: Turn, entity: str) -> None:
    turn.close_hour(int(entity))


_STEPS = _steps()
_TIMERS: dict[str, Firing] = {
    CLOSE_HOUR: _close_hour,
    **{name: firing for module in MODULES for name, firing in module.timers.items()},
}


def fold(
    state: State, records: Iterable[Record], *, partition: int, generation: int = 1
) -> Effects:
    """Fold consecutive journal records of one partition.

    Args:
        state: Committed state; not changed.
        records: In offset order; the first follows `state.head.applied`.
        partition: Number of the journal partition; part of derived identities.
        generation: Stamped on what is published.

    Returns:
        What one transaction writes; apply it to the state after the commit.

    Raises:
        CorruptLog: A record isn't a journal entry.
    """
    batch = Batch(state)
    for record in records:
        entry = decode_entry(record.value)
        batch.head.applied = record.offset
        if entry.kind == TICK:
            _tick(batch, entry, record.offset, partition, generation)
        elif _is_new(batch, entry):
            batch.count("entries")
            steps = _STEPS.get(entry.type)
            if steps:
                turn = Turn(
                    batch, entry, offset=record.offset, partition=partition, generation=generation
                )
                event = decode_event(entry.data)
                for step in steps:
                    step(turn, event)
        else:
            batch.repeats.append(record.offset)
    return batch.finish(generation)


def _tick(batch: Batch, entry: Entry, offset: int, partition: int, generation: int) -> None:
    batch.count("ticks")
    head = batch.head
    head.now_ms = max(head.now_ms, entry.time_ms)
    turn: Turn | None = None
    for key, timer in batch.due_timers(head.now_ms):
        if turn is None:
            turn = Turn(batch, entry, offset=offset, partition=partition, generation=generation)
        _fire(turn, key, timer)


def _fire(turn: Turn, key: str, timer: Timer) -> None:
    name, tenant, entity = key.split("|", 2)
    turn.fired(tenant, timer)
    _TIMERS[name](turn, entity)


def _is_new(batch: Batch, entry: Entry) -> bool:
    """Tell whether an entry is to be applied, and remember it.

    Two things repeat: ingest writes an entry again after a crash (then its source offset isn't
    higher than the highest applied of its source partition; exact because each incarnation of
    ingest writes a journal partition in source order), and upstream sends an event again (then its
    subject remembers the identity).
    """
    source = f"{entry.origin_topic}:{entry.origin_partition}"
    sources = batch.head.sources
    if entry.origin_offset <= sources.get(source, -1):
        batch.count("replays")
        return False
    sources[source] = entry.origin_offset
    if entry.kind == EVENT:
        subject = batch.row(SUBJECTS, f"{entry.tenant}|{entry.subject}")
        mark = event_mark(entry.source, entry.id)
        if is_seen(subject.seen, mark):
            batch.count("duplicates")
            return False
        subject.seen = with_mark(subject.seen, mark)
    return True
