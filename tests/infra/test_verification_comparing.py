"""Laws of comparing views of the same buckets, and of naming the entries behind a difference."""

from functools import cache

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from infra.offline.folding import JournalRecord, OfflineFold, split
from infra.verification.comparing import (
    CLICKHOUSE,
    FOLD,
    TABLE,
    VALKEY,
    Comparison,
    Differing,
    Parts,
    Scope,
    differing_groups,
)
from infra.verification.sums import Sum
from infra.verification.tally import CLOSED_HOURS, EVENTS, Group, Tally
from infra.verification.tracing import MOST, Trace
from schemas.codec import decode_partial, encode_partial
from schemas.events.deal import DealCreated
from schemas.events.lead import LeadCreated
from streams.domain.effects import Effects
from streams.domain.state import State
from streams.domain.table import HOURS, METRICS
from tests.streams.domain.sample import sample
from tests.streams.journal_builder import Journal

RECORDS = [JournalRecord(*record) for record in sample().records]
LENGTH = len(RECORDS)
WHOLE = Scope()


class Published:
    """The newest value ever said of every bucket: what ClickHouse keeps."""

    def __init__(self) -> None:
        self.parts: Parts = {}

    def watch(self, records: object, state: State, effects: Effects) -> None:
        """Keep what a batch said."""
        _ = records, state
        self.parts |= {key: value for key, value in effects.metrics if value is not None}


@cache
def views_at(offset: int) -> tuple[Parts, Parts]:
    """Return what the table (and Valkey) and ClickHouse hold when they stand at an offset."""
    kept = Published()
    it = OfflineFold(0, generation=1, watchers=[kept])
    for batch in split([RECORDS[:offset]], range(0, offset, 10)):
        it.take(batch)
    tables = it.state.tables
    return dict(tables[METRICS.prefix]) | dict(tables[HOURS.prefix]), kept.parts


def compared(
    views: dict[str, Parts], end: int, last: int = LENGTH, scope: Scope = WHOLE
) -> tuple[Comparison, list[Differing], list[tuple[Group, Sum, Sum]]]:
    """Compare views with the fold at `end`; every view stands before `last`."""
    comparison, tally = Comparison(0, 1, end, scope, views), Tally(0, 1)
    it = OfflineFold(0, generation=1, watchers=[tally, comparison])
    it.take(RECORDS[:end])
    comparison.at_end(it.state)
    sums = {group: each for group, each in tally.sums.items() if group.scope == CLOSED_HOURS}
    groups = list(differing_groups(sums, comparison.closed_in_clickhouse))
    rest = RECORDS[end:last]
    for batch in split([rest] if rest else [], comparison.stops()):
        it.take(batch)
        comparison.at_stop(it.next_offset)
    return comparison, comparison.finish(), groups


offsets = st.integers(1, LENGTH)
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking: the journal is fixed, so an example can't get simpler."""


@given(offsets, offsets, offsets, offsets)
@settings(max_examples=15, deadline=None, phases=QUICK)
def test_views_that_stand_at_different_offsets_agree(a: int, b: int, c: int, d: int) -> None:
    """Whatever the traffic between the cut and the reading of each view: nothing differs."""
    end, *ahead = sorted((a, b, c, d))
    table, warehouse, cache_ = (views_at(offset) for offset in ahead)
    views = {TABLE: table[0], CLICKHOUSE: warehouse[1], VALKEY: cache_[0]}
    comparison, found, groups = compared(views, end)
    assert found == []
    assert groups == []
    for view in (TABLE, CLICKHOUSE, VALKEY):
        assert comparison.sums.get(view) == comparison.sums.get(FOLD)


@given(offsets, st.sampled_from([TABLE, CLICKHOUSE, VALKEY]), st.data())
@settings(max_examples=20, deadline=None, phases=QUICK)
def test_one_changed_or_lost_value_is_found_and_nothing_else(
    end: int, view: str, data: st.DataObject
) -> None:
    """In any view, whether it stands at the cut or beyond it."""
    last = data.draw(st.integers(end, LENGTH))
    table, warehouse = views_at(last)
    views = {TABLE: dict(table), CLICKHOUSE: dict(warehouse), VALKEY: dict(table)}
    open_keys = sorted(set(views[view]) & set(views_at(end)[0]))
    if not open_keys:
        return
    key = data.draw(st.sampled_from(open_keys))
    if data.draw(st.booleans()):
        value = decode_partial(views[view][key])
        views[view][key] = encode_partial(value._replace(sum=value.sum + 1))
    else:
        del views[view][key]
    comparison, found, groups = compared(views, end, last)
    assert [(each.view, each.key) for each in found] == [(view, key)]
    assert groups == []
    assert comparison.sums.get(view) != comparison.sums.get(FOLD)


def test_an_invented_value_is_found() -> None:
    """A bucket that no fold ever had is one too many."""
    table, warehouse = views_at(LENGTH)
    invented = b"acme|deals_won|day|86400000|agent|nobody"
    value = next(iter(table.values()))
    views = {TABLE: table, CLICKHOUSE: warehouse, VALKEY: {**table, invented: value}}
    _, found, _ = compared(views, LENGTH)
    assert [(each.view, each.key, each.folded) for each in found] == [(VALKEY, invented, None)]


@pytest.mark.parametrize("lose", [True, False])
def test_a_changed_closed_hour_is_found_by_its_day(*, lose: bool) -> None:
    """ClickHouse alone keeps closed hours; their sum by metric and day tells."""
    table, warehouse = views_at(LENGTH)
    key = min(set(warehouse) - set(table))
    changed = dict(warehouse)
    if lose:
        del changed[key]
    else:
        value = decode_partial(changed[key])
        changed[key] = encode_partial(value._replace(count=value.count + 1))
    views = {TABLE: table, CLICKHOUSE: changed, VALKEY: table}
    _, found, groups = compared(views, LENGTH)
    assert found == []
    ((group, _, _),) = groups
    tenant, metric, _, bucket_ms, _, _ = key.decode().split("|", 5)
    assert group == Group(CLOSED_HOURS, tenant, metric, int(bucket_ms) // 86_400_000)


def test_a_scope_leaves_out_other_tenants_and_days() -> None:
    """The all-time bucket belongs to every period."""
    scope = Scope("acme", 86_400_000, 2 * 86_400_000)
    inside = [b"acme|m|all|0||", b"acme|m|day|86400000||", b"acme|m|hour|90000000|agent|a|b"]
    outside = [b"other|m|all|0||", b"acme|m|day|0||", b"acme|m|day|172800000||"]
    assert [scope.holds_key(key) for key in inside] == [True] * 3
    assert [scope.holds_key(key) for key in outside] == [False] * 3
    assert scope.holds(Group(EVENTS, "acme", "x", 1))
    assert not scope.holds(Group(EVENTS, "acme", "x", 2))


def traced(journal: Journal, keys: list[bytes], groups: list[Group], batch: int) -> Trace:
    """Fold a whole journal in batches and trace."""
    records = [JournalRecord(*record) for record in journal.records]
    trace = Trace(0, 1, keys, groups)
    it = OfflineFold(0, generation=1, watchers=[trace])
    for start in range(0, len(records), batch):
        it.take(records[start : start + batch])
    return trace


@pytest.mark.parametrize("batch", [1, 3, 500])
def test_the_entries_behind_a_bucket_are_those_whose_facts_it_counts(batch: int) -> None:
    """Whatever the batches: that tenant's leads of that day, and nobody else's."""
    journal = Journal().tick("2026-03-02T09:00")
    for number in range(4):
        journal.event(LeadCreated(lead_id=f"l{number}"), f"2026-03-0{2 + number % 2}T10:00")
        journal.event(DealCreated(deal_id=f"d{number}"), "2026-03-02T10:00")
        journal.event(LeadCreated(lead_id=f"l{number}"), "2026-03-02T10:00", tenant="other")
    key = b"acme|leads_created|day|1772409600000||"
    behind = traced(journal, [key], [], batch).behind[key]
    assert [(entry.offset, entry.id) for entry in behind.entries] == [(1, "e1"), (7, "e7")]
    assert {entry.type for entry in behind.entries} == {"crm.lead.created.v1"}
    assert behind.total == 2


def test_the_newest_of_many_entries_are_named_and_all_are_counted() -> None:
    """A bucket of a million entries doesn't fill the screen."""
    journal = Journal()
    for number in range(MOST + 5):
        journal.event(LeadCreated(lead_id=f"l{number}"), "2026-03-02T10:00")
    key = b"acme|leads_created|all|0||"
    behind = traced(journal, [key], [], 7).behind[key]
    assert behind.total == MOST + 5
    assert [entry.offset for entry in behind.entries] == list(range(5, MOST + 5))


def test_a_repeat_that_the_subject_forgot_is_one_row_for_clickhouse() -> None:
    """65 events later the fold counts it again; the table's own key does not."""
    journal = Journal().event(DealCreated(deal_id="d"), "2026-03-02", event_id="again")
    for number in range(65):
        journal.event(DealCreated(deal_id="d"), "2026-03-02", event_id=f"x{number}")
    journal.event(DealCreated(deal_id="d"), "2026-03-02", event_id="again")
    group = Group(EVENTS, "acme", "crm.deal.created.v1", 20_514)
    rows = traced(journal, [], [group], 10).rows[group]
    assert sorted(rows) == list(range(66))
