"""One reconciliation: every view read, one offline fold per partition, a second where they differ.

The first pass goes on from the nearest snapshot and leaves one; the second, over partitions in
which something differs, begins at 0 and names the entries behind each difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from infra.commands.connect import clickhouse, valkey
from infra.commands.settling import settle
from infra.generations.registry import generation_of, resolved
from infra.offline.journal import Journal
from infra.offline.reaching import begin, go_on
from infra.offline.store import Snapshots
from infra.verification import views
from infra.verification.comparing import (
    CLICKHOUSE,
    FOLD,
    TABLE,
    VALKEY,
    Comparison,
    Differing,
    Scope,
    differing_groups,
    grain_of,
)
from infra.verification.findings import Finding, Result, of_part, of_row
from infra.verification.sums import Sum, hash_of, text_of
from infra.verification.taking import keep, nearest
from infra.verification.tally import CLOSED_HOURS, DAY_MS, Group, metric_row_of
from infra.verification.tracing import EntryRef, Trace, identity_of
from sinks.mapping.tables import METRIC_TABLE
from streams.domain.table import HOURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import redis
    from clickhouse_connect.driver.client import Client

    from infra.offline.reaching import Report
    from infra.settings import Settings
    from infra.verification.comparing import Parts
    from streams.domain.state import State

Stored = Mapping[int, tuple[int, int]]
"""Identity of a row → (hash, journal offset behind it)."""


class Reconciliation(NamedTuple):
    """What a run leaves.

    Args:
        result: What was found.
        snapshots: Files written by it.
    """

    result: Result
    snapshots: Sequence[Path]


def reconcile(settings: Settings, scope: Scope, report: Report) -> Reconciliation:
    """Compare the worker's tables, ClickHouse, Valkey and an offline fold; traffic may go on.

    Raises:
        CorruptLog: the journal doesn't reach back to where a fold must begin.
        NotMigrated: ClickHouse has no tables yet.
        Unavailable: a service doesn't answer or a process stands still.
    """
    settings = resolved(settings)
    cuts = settle(settings, report=report)
    with (
        Journal(settings) as journal,
        closing(clickhouse(settings)) as warehouse,
        closing(valkey(settings)) as cache,
    ):
        run = _Run(settings, scope, cuts, journal, warehouse, cache, report)
        return run.all_partitions()


class _Run:
    def __init__(
        self,
        settings: Settings,
        scope: Scope,
        cuts: Mapping[int, int],
        journal: Journal,
        warehouse: Client,
        cache: redis.Redis,
        report: Report,
    ) -> None:
        self._settings, self._scope, self._cuts = settings, scope, cuts
        self._journal, self._warehouse, self._cache = journal, warehouse, cache
        self._report = report
        self._generation = generation_of(settings)
        self._snapshots = Snapshots.open(settings, self._generation, journal.id)
        self._result = Result(self._generation, cuts)
        self._written: list[Path] = []
        # What is added to a group's sum when the rows turn out equal, one by one: a repeat from
        # beyond a subject's memory collapsed in ClickHouse only.
        self._forgotten: dict[tuple[int, Group], Sum] = {}

    def all_partitions(self) -> Reconciliation:
        shown = views.in_valkey(self._cache, self._generation, self._scope)
        facts = views.fact_sums(self._warehouse, self._generation, self._cuts, self._scope)
        for partition in self._cuts:
            self._partition(partition, shown.get(partition, {}), facts.get(partition, {}))
        return Reconciliation(self._result, self._written)

    def _partition(self, partition: int, shown: Parts, facts: Mapping[Group, Sum]) -> None:
        end = self._cuts[partition]
        held = {
            TABLE: views.in_table(self._settings, self._generation, partition, self._scope),
            CLICKHOUSE: views.in_clickhouse(
                self._warehouse, self._generation, partition, self._scope
            ),
            VALKEY: shown,
        }
        # Asked after the views were read: none of them stands beyond it.
        last = self._journal.bounds()[partition][1]
        compared = Comparison(partition, self._generation, end, self._scope, held)
        it, tally = nearest(self._snapshots, partition, end, [compared])
        self._result.begun_at[partition] = it.next_offset
        self._result.folded += last - it.next_offset
        go_on(self._journal, it, end, report=self._report)
        taken = keep(self._snapshots, it, tally)
        if taken is not None:
            self._written.append(taken.path)
        compared.at_end(it.state)
        groups = self._groups(partition, tally.sums, {**facts, **compared.closed_in_clickhouse})
        go_on(
            self._journal, it, last, stops=compared.stops(),
            at_stop=lambda fold: compared.at_stop(fold.next_offset), report=self._report,
        )  # fmt: skip
        differing = compared.finish()
        for view, sums in compared.sums.items():
            self._result.add_sums(view, sums)
        if differing or groups:
            self._result.findings += self._trace(partition, differing, groups)

    def _groups(
        self, partition: int, folded: Mapping[Group, Sum], stored: Mapping[Group, Sum]
    ) -> list[Group]:
        """Add facts to the result; return the groups that differ."""
        mine = {group: each for group, each in folded.items() if self._scope.holds(group)}
        for group, each in mine.items():
            self._result.add_fact(FOLD, group, each)
        for group, each in stored.items():
            self._result.add_fact(CLICKHOUSE, group, each)
        differing = list(differing_groups(mine, stored))
        for group, one, other in differing:
            more = Sum(*one).plus(-other.rows, -other.hash)
            self._forgotten[partition, group] = more
        return [group for group, *_ in differing]

    def _trace(
        self, partition: int, differing: Sequence[Differing], groups: Sequence[Group]
    ) -> Iterator[Finding]:
        keys = {each.key for each in differing}
        trace = Trace(partition, self._generation, keys, groups)
        it = begin(partition, None, generation=self._generation, watchers=[trace])
        go_on(self._journal, it, self._cuts[partition], report=self._report)
        for each in differing:
            yield of_part(each, partition, trace.behind[each.key])
        for group in groups:
            found = list(self._rows(partition, group, trace, it.state))
            yield from found
            if not found:
                self._result.add_fact(FOLD, group, self._forgotten[partition, group])

    def _rows(self, partition: int, group: Group, trace: Trace, state: State) -> Iterator[Finding]:
        """Yield the rows of a group that differ; a repeat the fold forgot is found equal here."""
        if group.scope == CLOSED_HOURS:
            stored = self._closed_hours(partition, group, state)
        else:
            stored = views.fact_rows(
                self._warehouse, self._generation, partition, self._cuts, group
            )
        folded = trace.rows[group]
        for identity in sorted({*stored, *folded}):
            if identity not in stored:
                where, difference = folded[identity].cause, "missing"
            elif identity not in folded:
                where, difference = self._entry(partition, stored[identity][1]), "extra"
            elif stored[identity][0] != folded[identity].hash:
                where, difference = folded[identity].cause, "changed"
            else:
                continue
            name = f"of entry {where.offset}" if group.scope == CLOSED_HOURS else f"{identity}"
            yield of_row(CLICKHOUSE, group, partition, name, where, difference=difference)

    def _closed_hours(self, partition: int, group: Group, state: State) -> Stored:
        day = Scope(group.tenant, group.day * DAY_MS, (group.day + 1) * DAY_MS)
        parts = views.in_clickhouse(self._warehouse, self._generation, partition, day)
        found: dict[int, tuple[int, int]] = {}
        for key, raw in parts.items():
            row = metric_row_of(key, raw, self._generation)
            closed = grain_of(key) == b"hour" and key not in state.tables[HOURS.prefix]
            if (
                row is not None
                and closed
                and row[1] == group.kind
                and row[-1] < self._cuts[partition]
            ):
                hashed = hash_of(text_of(row, METRIC_TABLE, partition))
                found[identity_of(group, row)] = (hashed, row[-1])
        return found

    def _entry(self, partition: int, offset: int) -> EntryRef:
        from infra.verification.tracing import entry_ref

        for batch in self._journal.batches(partition, offset, offset + 1):
            return entry_ref(batch[0])
        return EntryRef(offset, "", "", 0)
