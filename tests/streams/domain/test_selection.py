"""Laws of a fold of a part."""

import pytest
from hypothesis import given, settings

from schemas.codec import decode_effect, decode_entry, encode_effect
from schemas.events.deal import DealCreated, DealWon
from schemas.journal import TICK
from streams.domain.effects import Effects
from streams.domain.fold import fold
from streams.domain.selection import Selection, selected
from streams.domain.state import State
from streams.domain.table import HEAD_KEY, TIMERS
from tests.streams.drawn_journals import journals
from tests.streams.journal_builder import Journal

TENANTS = ("acme", "other")
BATCH = 7


def folded(journal: Journal, selection: Selection) -> tuple[State, list[Effects]]:
    """Fold the selected part of a journal in batches."""
    some, state, said = selected(fold, selection), State(), []
    for start in range(0, len(journal.records), BATCH):
        effects = some(state, journal.records[start : start + BATCH], partition=0)
        state.apply(effects)
        said.append(effects)
    return state, said


def rows(state: State, tenant: str) -> dict[bytes, bytes]:
    """Return a tenant's rows; the key of a timer begins with its module."""
    place = {True: 1, False: 0}
    return {
        key: value
        for key, value in state.rows()
        if key != HEAD_KEY
        and key[1:].split(b"|")[place[key[:1] == TIMERS.prefix]] == tenant.encode()
    }


def buckets(said: list[Effects], tenant: str) -> list[tuple[bytes, bytes | None]]:
    """Return what is published of a tenant's metric buckets, in order."""
    start = f"{tenant}|".encode()
    return [metric for effects in said for metric in effects.metrics if metric[0].startswith(start)]


def unplaced(said: list[Effects], tenant: str) -> list[bytes]:
    """Return a tenant's effects in order without their places among others (seq, index, id)."""
    effects = (decode_effect(raw) for batch in said for _, _, raw in batch.effects)
    return [
        encode_effect(effect._replace(seq=0, index=0, id=""))
        for effect in effects
        if effect.tenant == tenant
    ]


def of_entries(journal: Journal, said: list[Effects], tenant: str) -> list[bytes]:
    """Return a tenant's effects that entries (not ticks) caused, identity and all, in order."""
    effects = (decode_effect(raw) for batch in said for _, _, raw in batch.effects)
    return [
        encode_effect(effect._replace(seq=0))
        for effect in effects
        if effect.tenant == tenant
        and decode_entry(journal.records[effect.cause_offset].value).kind != TICK
    ]


@given(journals(TENANTS))
@settings(max_examples=60)
def test_fold_of_one_tenant_says_what_the_whole_fold_says_of_it(journal: Journal) -> None:
    """Rows, metric buckets, effects and the identities of effects are equal byte for byte."""
    whole, all_said = folded(journal, Selection())
    part, said = folded(journal, Selection("acme"))
    assert rows(part, "acme") == rows(whole, "acme")
    assert buckets(said, "acme") == buckets(all_said, "acme")
    assert unplaced(said, "acme") == unplaced(all_said, "acme")
    assert of_entries(journal, said, "acme") == of_entries(journal, all_said, "acme")


@given(journals(TENANTS))
@settings(max_examples=30)
def test_fold_of_one_tenant_says_nothing_of_another(journal: Journal) -> None:
    """No row, no bucket, no effect; numbers stay dense among what is written."""
    part, said = folded(journal, Selection("acme"))
    assert rows(part, "other") == {}
    assert buckets(said, "other") == []
    effects = [decode_effect(raw) for batch in said for _, _, raw in batch.effects]
    assert {effect.tenant for effect in effects} <= {"acme"}
    assert [effect.seq for effect in effects] == list(range(len(effects)))


@given(journals(TENANTS))
@settings(max_examples=30)
def test_head_of_a_part_stands_where_that_of_the_whole_does(journal: Journal) -> None:
    """Position, fold time and source high-waters: reading goes on at the same entry."""
    whole, part = folded(journal, Selection())[0].head, folded(journal, Selection("acme"))[0].head
    assert (part.applied, part.now_ms, part.sources) == (whole.applied, whole.now_ms, whole.sources)


@given(journals())
@settings(max_examples=30)
def test_selected_metrics_change_only_what_is_published(journal: Journal) -> None:
    """State and effects are the whole fold's; other metrics aren't published."""
    names = frozenset({"deals_won", "leads_created"})
    whole, all_said = folded(journal, Selection())
    part, said = folded(journal, Selection(metrics=names))
    assert dict(part.rows()) == dict(whole.rows())
    assert [batch.effects for batch in said] == [batch.effects for batch in all_said]
    assert [batch.metrics for batch in said] == [
        [metric for metric in batch.metrics if metric[0].split(b"|")[1].decode() in names]
        for batch in all_said
    ]


def test_nothing_selected_is_the_fold_itself() -> None:
    """A whole fold pays nothing for the choice."""
    assert selected(fold, Selection()) is fold


@pytest.mark.parametrize("tenant", ["acme", "other"])
def test_both_parts_of_a_choice_hold_together(tenant: str) -> None:
    """One tenant's one metric."""
    journal = Journal()
    for each in TENANTS:
        journal.event(DealCreated(deal_id="d"), "2026-03-02", tenant=each)
        journal.event(DealWon(deal_id="d", amount_minor=9), "2026-03-03", tenant=each)
    _, said = folded(journal, Selection(tenant, frozenset({"won_amount"})))
    published = {tuple(key.split(b"|")[:2]) for batch in said for key, _ in batch.metrics}
    assert published == {(tenant.encode(), b"won_amount")}
