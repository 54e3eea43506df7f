"""Which journal entries are behind a difference: a second pass over one partition. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from infra.verification.sums import hash_of, text_of
from infra.verification.tally import (
    EFFECTS,
    EVENTS,
    TABLES,
    Counted,
    Group,
    closed_hours,
    effects,
    events,
)
from schemas.codec import decode_effect, decode_entry, decode_fact, decode_row
from schemas.derived.effect import FACT
from schemas.state.rows import TenantSettings
from streams.domain.metrics.record import observations
from streams.domain.table import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from infra.offline.folding import JournalRecord
    from streams.domain.effects import Effects
    from streams.domain.state import State

MOST = 20
"""Entries named per difference; the newest are."""


class EntryRef(NamedTuple):
    """One journal entry, as a person looks it up.

    Args:
        offset: In its partition.
        id: CloudEvents id; empty for a tick.
        type: CloudEvents type; `tick` for a tick.
        time_ms: Event time, UTC ms.
    """

    offset: int
    id: str
    type: str
    time_ms: int


@dataclass(slots=True)
class Behind:
    """The entries behind one bucket or row.

    Args:
        entries: The newest, in order.
        total: How many there are.
    """

    entries: list[EntryRef] = field(default_factory=list)
    total: int = 0

    def add(self, entry: EntryRef) -> None:
        """Note one; several effects of one entry count once."""
        if self.entries and self.entries[-1].offset == entry.offset:
            return
        self.total += 1
        self.entries.append(entry)
        del self.entries[:-MOST]


class FoldedRow(NamedTuple):
    """One row of a group as the fold has it."""

    hash: int
    cause: EntryRef


class Trace:
    """Watches the fold of a whole partition for what two views disagree about.

    Args:
        partition: Of the journal.
        generation: Of the fold.
        keys: Buckets in question.
        groups: Groups in question.
    """

    def __init__(
        self, partition: int, generation: int, keys: Collection[bytes], groups: Collection[Group]
    ) -> None:
        self._partition, self._generation = partition, generation
        self.behind = {key: Behind() for key in keys}
        self.rows: dict[Group, dict[int, FoldedRow]] = {group: {} for group in groups}
        self._first: dict[tuple[object, ...], int] = {}
        self._tenants = {key.split(b"|", 1)[0].decode() for key in keys}

    def watch(self, records: Sequence[JournalRecord], state: State, effects_: Effects) -> None:
        """Note the entries of a batch that touch what is in question."""
        first = records[0].offset
        if self.behind:
            for key, cause in self._touched(state, effects_):
                self.behind[key].add(entry_ref(records[cause - first]))
        if self.rows:
            for counted in self._counted(records, state, effects_):
                if counted.group in self.rows:
                    self._note(counted, records, first)

    def _counted(
        self, records: Sequence[JournalRecord], state: State, said: Effects
    ) -> Iterator[Counted]:
        # All of them: ClickHouse knows repeats by their own key, and forever.
        yield from events(records, ())
        yield from effects(said, self._generation)
        yield from closed_hours(state, said, self._generation)

    def _note(self, counted: Counted, records: Sequence[JournalRecord], first: int) -> None:
        group, row, cause = counted
        if group.scope == EVENTS:
            key = tuple(row[index] for index in TABLES[EVENTS].key)
            if self._first.setdefault(key, cause) != cause:
                return
        hashed = hash_of(text_of(row, TABLES[group.scope], self._partition))
        at = cause - first
        # An hour closes long after the entry that changed it last.
        where = entry_ref(records[at]) if at >= 0 else EntryRef(cause, "", "", 0)
        self.rows[group][identity_of(group, row)] = FoldedRow(hashed, where)

    def _touched(self, state: State, said: Effects) -> Iterator[tuple[bytes, int]]:
        for _, kind, raw in said.effects:
            if kind != FACT:
                continue
            effect = decode_effect(raw)
            if effect.tenant not in self._tenants:
                continue
            fact = decode_fact(effect.data)
            for settings in _settings(effect.tenant, state, said):
                for start, members, *_ in observations(effect.tenant, fact, settings):
                    for member in members:
                        key = f"{start}{member}".encode()
                        if key in self.behind:
                            yield key, effect.cause_offset


def identity_of(group: Group, row: tuple[object, ...]) -> int:
    """Return what tells a row from the others of its group: offset, number, or its own text."""
    if group.scope == EVENTS:
        return int(str(row[-1]))
    if group.scope == EFFECTS:
        return int(str(row[TABLES[EFFECTS].sequence]))
    return hash_of("|".join(map(str, row[:6])))


def entry_ref(record: JournalRecord) -> EntryRef:
    """Return what a person needs to look an entry up."""
    entry = decode_entry(record.value)
    return EntryRef(record.offset, entry.id, entry.type or entry.kind, entry.time_ms)


def _settings(tenant: str, state: State, said: Effects) -> Iterator[TenantSettings]:
    """Yield the settings that were in effect at some time during a batch."""
    yield state.find(SETTINGS, tenant.encode()) or TenantSettings()
    changed = SETTINGS.prefix + tenant.encode()
    for key, value in said.rows:
        if key == changed and value is not None:
            yield decode_row(TenantSettings, value)
