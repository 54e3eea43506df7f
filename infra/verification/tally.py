"""What a state forgets, counted on the way: facts, and the last values of closed hours. Pure.

A fold that goes on from a snapshot never sees what came before it; its tally does, because sums
add up. So a reconciliation of all history costs the fold of what is new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from infra.verification.sums import Sum, hash_of, text_of
from sinks.mapping.records import effect_row, event_row, metric_row
from sinks.mapping.tables import EFFECT_TABLE, EVENT_TABLE, METRIC_TABLE
from streams.domain.table import HOURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from infra.offline.folding import JournalRecord
    from sinks.mapping.records import Row
    from sinks.mapping.tables import Table
    from streams.domain.effects import Effects
    from streams.domain.state import State

EVENTS, EFFECTS, CLOSED_HOURS = "events", "effects", "closed hours"
TABLES: dict[str, Table] = {
    EVENTS: EVENT_TABLE,
    EFFECTS: EFFECT_TABLE,
    CLOSED_HOURS: METRIC_TABLE,
}
DAY_MS = 86_400_000


class Group(NamedTuple):
    """Rows that are counted together.

    Args:
        scope: `events`, `effects` or `closed hours`.
        tenant: Tenant id.
        kind: Type of the events, `kind.name` of the effects, name of the metric.
        day: Of the row's time, UTC, days since the epoch.
    """

    scope: str
    tenant: str
    kind: str
    day: int

    def text(self) -> str:
        """Return the group's key in a snapshot."""
        return "|".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> Group:
        """Read `text()` back."""
        scope, tenant, rest = text.split("|", 2)
        kind, day = rest.rsplit("|", 1)
        return cls(scope, tenant, kind, int(day))


class Counted(NamedTuple):
    """One row on its way into a tally.

    Args:
        group: Where it is counted.
        row: As the sink inserts it.
        cause: Journal offset of the entry behind it.
    """

    group: Group
    row: Row
    cause: int


def events(records: Iterable[JournalRecord], repeats: Sequence[int]) -> Iterator[Counted]:
    """Yield the rows of journal entries as `fct_event` keeps them: a repeat gives none."""
    known = set(repeats)
    for record in records:
        row = None if record.offset in known else event_row(record.value, record.offset)
        if row is not None:
            yield Counted(Group(EVENTS, row[0], row[2], row[3] // DAY_MS), row, record.offset)


def effects(said: Effects, generation: int) -> Iterator[Counted]:
    """Yield the rows of effects as `fct_effect` keeps them; their place in Kafka is unknown."""
    for _, _, value in said.effects:
        row = effect_row(value, 0, generation)
        if row is not None:
            group = Group(EFFECTS, row[0], f"{row[1]}.{row[2]}", row[6] // DAY_MS)
            yield Counted(group, row, row[7])


def closed_hours(state: State, said: Effects, generation: int) -> Iterator[Counted]:
    """Yield the last rows of the hour buckets that a batch closed, as `agg_metric` keeps them."""
    last = {key: value for key, value in said.metrics if value is not None}
    open_before = state.tables[HOURS.prefix]
    for key, value in said.metrics:
        if value is None:
            kept = last.get(key) or open_before.get(key)
            row = None if kept is None else metric_row_of(key, kept, generation)
            if row is not None:
                yield Counted(Group(CLOSED_HOURS, row[0], row[1], row[3] // DAY_MS), row, row[11])


def metric_row_of(key: bytes, value: bytes, generation: int) -> Row | None:
    """Return the `agg_metric` row of a bucket by the key it has in the state."""
    from schemas.derived.metric import published_key

    return metric_row(published_key(generation, key), value, generation)


class Tally:
    """Sums of everything a fold said, by group; it watches an offline fold of one partition.

    Args:
        partition: Of the journal.
        generation: Of the fold.
        rows: Of a snapshot, to go on from.
    """

    def __init__(
        self, partition: int, generation: int, rows: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        self._partition, self._generation = partition, generation
        self.sums = {Group.parse(key.decode()): Sum.unpack(value) for key, value in rows}

    def watch(self, records: Sequence[JournalRecord], state: State, effects_: Effects) -> None:
        """Count what a batch said."""
        for rows in (
            events(records, effects_.repeats),
            effects(effects_, self._generation),
            closed_hours(state, effects_, self._generation),
        ):
            for group, row, _ in rows:
                hashed = hash_of(text_of(row, TABLES[group.scope], self._partition))
                self.sums[group] = self.sums.get(group, Sum()).plus(1, hashed)

    def rows(self) -> dict[bytes, bytes]:
        """Return the sums as rows of a snapshot."""
        return {group.text().encode(): each.pack() for group, each in self.sums.items()}
