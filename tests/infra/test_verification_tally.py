"""Laws of order-independent sums, and of what is counted on the way of a fold."""

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.offline.folding import JournalRecord, OfflineFold
from infra.verification.sums import MODULUS, Sum, hash_of, text_of
from infra.verification.tally import CLOSED_HOURS, EFFECTS, EVENTS, Group, Tally
from schemas.events.deal import DealCreated
from schemas.events.lead import LeadCreated
from sinks.mapping.tables import EFFECT_TABLE, METRIC_TABLE
from tests.streams.domain.sample import sample
from tests.streams.journal_builder import Journal

ROW = ("acme", "won_amount", "day", 0, "", "", 2, 700, 300, 400, [1, 2, -3, 4], 9)
texts = st.lists(st.text(max_size=5), max_size=8)


def total(rows: list[str]) -> Sum:
    """Add up the hashes of rows."""
    found = Sum()
    for row in rows:
        found = found.plus(1, hash_of(row))
    return found


def tallied(journal: Journal, *edges: int, tally: Tally | None = None) -> Tally:
    """Fold a journal in batches between `edges` and count."""
    tally = Tally(0, 1) if tally is None else tally
    it = OfflineFold(0, generation=1, watchers=[tally])
    records = [JournalRecord(*record) for record in journal.records]
    for start, end in pairwise(sorted({0, *edges, len(records)})):
        it.take(records[start:end])
    return tally


@given(texts, st.randoms())
def test_the_order_of_rows_does_not_matter(rows: list[str], order: random.Random) -> None:
    """Any permutation has the same sum, and taking rows out undoes adding them."""
    shuffled = list(rows)
    order.shuffle(shuffled)
    assert total(shuffled) == total(rows)
    left = total(rows)
    for row in shuffled:
        left = left.plus(-1, -hash_of(row))
    assert left == Sum()
    assert 0 <= total(rows).hash < MODULUS


@given(texts, st.text(max_size=5), st.integers(0, 7))
def test_any_changed_row_changes_the_sum(rows: list[str], other: str, at: int) -> None:
    """A row more, less or different is seen, however many rows there are."""
    assert total([*rows, other]) != total(rows)
    if rows and rows[at % len(rows)] != other:
        changed = list(rows)
        changed[at % len(rows)] = other
        assert total(changed) != total(rows)


@given(st.integers(0, len(ROW) - 1))
def test_every_column_counts(at: int) -> None:
    """Another value in any column, or another partition, is another row."""
    value = ROW[at]
    other = [1] if isinstance(value, list) else f"{value}x" if isinstance(value, str) else 77
    changed = (*ROW[:at], other, *ROW[at + 1 :])
    assert text_of(changed, METRIC_TABLE, 3) != text_of(ROW, METRIC_TABLE, 3)
    assert text_of(ROW, METRIC_TABLE, 4) != text_of(ROW, METRIC_TABLE, 3)


def test_neighbouring_columns_do_not_run_together() -> None:
    """`ab` and `c` are not `a` and `bc`."""
    one, other = ("ab", "c", *ROW[2:]), ("a", "bc", *ROW[2:])
    assert text_of(one, METRIC_TABLE, 0) != text_of(other, METRIC_TABLE, 0)


def test_where_an_effect_stands_in_kafka_is_not_counted() -> None:
    """The fold can't know it; everything else of an effect counts."""
    columns = [column.name for column in EFFECT_TABLE.columns]
    row = tuple(range(len(columns)))
    assert text_of(row, EFFECT_TABLE, 0).split("\x1f") == [*map(str, row[:-1]), "0"]
    assert columns[-1] == "_offset"


@given(st.lists(st.integers(1, len(sample().records) - 1), max_size=3))
@settings(max_examples=15, deadline=None)
def test_counts_do_not_depend_on_batches_or_on_a_stop_between(edges: list[int]) -> None:
    """However the journal is cut, and through the rows of a snapshot: equal sums."""
    journal = sample()
    whole = tallied(journal)
    assert tallied(journal, *edges).sums == whole.sums
    assert Tally(0, 1, whole.rows().items()).sums == whole.sums
    assert {group.scope for group in whole.sums} >= {EVENTS, EFFECTS}


def test_a_repeat_counts_no_event_twice() -> None:
    """Neither one sent again nor one written again by ingest: ClickHouse collapses both."""
    journal = Journal().event(DealCreated(deal_id="d"), "2026-03-02", event_id="x")
    once = dict(tallied(journal).sums)
    journal.event(DealCreated(deal_id="d"), "2026-03-02", event_id="x")
    journal.event(DealCreated(deal_id="d"), "2026-03-02", event_id="x", origin_offset=0)
    assert tallied(journal).sums == once
    assert once[Group(EVENTS, "acme", "crm.deal.created.v1", 20_514)].rows == 1


def test_the_last_value_of_a_closed_hour_is_counted() -> None:
    """Whether it closes in the batch that made it or later; while it is open it isn't counted."""
    journal = Journal().tick("2026-03-02T10:00")
    journal.event(LeadCreated(lead_id="l"), "2026-03-02T10:20")
    assert not any(group.scope == CLOSED_HOURS for group in tallied(journal).sums)
    journal.tick("2026-04-07T10:00")
    group = Group(CLOSED_HOURS, "acme", "leads_created", 20_514)
    one, two = tallied(journal), tallied(journal, 2)
    assert one.sums[group] == two.sums[group]
    assert one.sums[group].rows == 1


def test_a_group_is_read_back_from_its_text() -> None:
    """The kind may hold dots and bars; scope and tenant never do."""
    group = Group(EFFECTS, "acme", "fact.deal|won", -3)
    assert Group.parse(group.text()) == group
