"""Lanes: when a batch is cut, what order they insist on, what they owe the ledger."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CorruptLog
from sinks.mapping.lanes import Lane, Policy
from sinks.mapping.ledger import Pending, Standing
from sinks.mapping.records import Row
from sinks.mapping.statements import LaneKey
from sinks.mapping.tables import EFFECT_TABLE, EVENT_TABLE, METRIC_TABLE, Table

POLICY = Policy(rows=3, size=100, flush_s=1.0, close_s=0.3, position_s=10.0)


def row(offset: int) -> Row:
    """Return an event row of one offset."""
    return (*("",) * 20, offset)


def effect(seq: int) -> Row:
    """Return an effect row of one sequence number."""
    return (*("",) * 4, seq, *("",) * 24)


def lane(table: Table = EVENT_TABLE, start: int = 10, pending: Pending | None = None) -> Lane:
    """Return a lane at `start` that expects effect 5 next."""
    stand = Standing(7, "me", start, pending, next_seq=5)
    return Lane(LaneKey("journal.v1", 2, 1), "id", table, stand, start, 0.0)


def feed(target: Lane, *offsets: int, now: float = 0.0) -> None:
    """Give a lane records that have rows."""
    for offset in offsets:
        target.accept(offset, b"v%d" % offset, row(offset), now)


def test_batch_is_due_after_its_rows_its_bytes_or_its_time() -> None:
    """Whichever comes first closes a batch; without rows nothing does."""
    target = lane()
    assert not target.due(POLICY, 99.0)
    feed(target, 10, now=5.0)
    assert not target.due(POLICY, 5.9)
    assert target.due(POLICY, 6.0)
    feed(target, 11, 12, now=5.0)
    assert target.due(POLICY, 5.0)
    assert target.complete(POLICY)
    large = lane()
    large.accept(10, b"x" * 100, row(10), 5.0)
    assert large.due(POLICY, 5.0)


def test_busy_lane_is_not_cut_and_stops_the_poller_two_batches_ahead() -> None:
    """While the writer is busy the batch grows, up to twice its size."""
    target = lane()
    feed(target, 10, 11, 12)
    assert [r[-1] for r in target.cut().rows] == [10, 11, 12]
    feed(target, *range(13, 19))
    assert not target.due(POLICY, 99.0)
    assert not target.complete(POLICY)
    assert not target.ahead(POLICY)
    feed(target, 19)
    assert target.ahead(POLICY)
    target.busy = False
    assert not target.ahead(POLICY)


def test_records_without_rows_belong_to_the_range_but_not_to_the_rows() -> None:
    """A tick moves the end and the checksum, it gives no row and starts no clock."""
    target = lane()
    target.accept(10, b"tick", None, 1.0)
    feed(target, 11, now=7.0)
    batch = target.cut()
    assert (batch.start, batch.end, len(batch.rows), batch.opened) == (10, 12, 1, 7.0)
    assert batch.crc == crc32(b"tickv11")


def test_hole_in_a_dense_topic_is_corrupt() -> None:
    """Journal offsets have no holes, so a missing one is a lost entry."""
    with pytest.raises(CorruptLog, match="hole, offset 10 expected, 11 read"):
        feed(lane(), 11)


def test_offset_that_goes_back_is_corrupt() -> None:
    """A record that was read already must not be read as new."""
    target = lane(EFFECT_TABLE)
    with pytest.raises(CorruptLog, match="went back from 10 to 9"):
        target.accept(9, b"", None, 0.0)


def test_effects_are_dense_by_number_not_by_offset() -> None:
    """Offsets of a transactional topic have holes; the sequence number proves nothing is lost."""
    target = lane(EFFECT_TABLE)
    target.accept(10, b"", effect(5), 0.0)
    target.accept(14, b"", effect(6), 0.0)
    with pytest.raises(CorruptLog, match="effect 7 is missing, offset 15 holds effect 8"):
        target.accept(15, b"", effect(8), 0.0)


def test_pending_range_is_cut_where_the_ledger_says() -> None:
    """The recorded range is read again exactly, whatever the limits say now."""
    pending = Pending(10, 15, "token", 5, crc32(b"v10v11v12v13v14"))
    target = lane(pending=pending)
    feed(target, 10, 11, 12, 13)
    assert not target.complete(POLICY)
    assert not target.due(POLICY, 99.0)
    feed(target, 14)
    assert target.complete(POLICY)
    batch = target.cut()
    assert target.ledger_row(batch).token == "token"  # noqa: S105 - not a password
    assert (batch.start, batch.end) == (10, 15)


@pytest.mark.parametrize("pending", [Pending(10, 12, "t", 1, 0), Pending(10, 12, "t", 2, 1)])
def test_pending_range_that_reads_differently_is_corrupt(pending: Pending) -> None:
    """Other rows or other bytes under a stored token would be dropped in silence."""
    target = lane(pending=pending)
    feed(target, 10, 11)
    with pytest.raises(CorruptLog, match="changed"):
        target.complete(POLICY)


def test_pending_range_that_ends_early_is_corrupt() -> None:
    """Neither a later record nor the end of the log may come before the range is complete."""
    target = lane(EFFECT_TABLE, pending=Pending(10, 15, "t", 1, 0))
    with pytest.raises(CorruptLog, match="ends before its end"):
        target.accept(15, b"", effect(5), 0.0)
    with pytest.raises(CorruptLog, match="can't be read again"):
        target.end_of_log(15)
    target.end_of_log(12)


def test_range_in_doubt_is_never_closed_unwritten() -> None:
    """A lane that leaves before its pending range was sent again keeps it in the ledger."""
    target = lane(pending=Pending(10, 11, "t", 1, crc32(b"v10")))
    assert not target.owes
    feed(target, 10)
    batch = target.cut()
    assert not target.owes
    target.recorded(target.ledger_row(batch), 1.0)
    assert not target.owes
    target.finished(batch, 2.0)
    assert target.owes


def test_ticks_move_the_position_without_the_ledger() -> None:
    """Records without rows cost no insert; their position is written seldom."""
    target = lane()
    target.accept(10, b"tick", None, 0.0)
    target.advance()
    assert target.done == 11
    assert not target.stale(POLICY, 9.9)
    assert target.stale(POLICY, 10.0)
    assert target.owes
    target.recorded(target.ledger_row(None), 10.0)
    assert not target.stale(POLICY, 99.0)
    assert not target.owes


def test_idle_lane_closes_its_range_soon() -> None:
    """A token must not wait in the ledger until the deduplication window has passed it."""
    target = lane()
    feed(target, 10)
    batch = target.cut()
    first = target.ledger_row(batch)
    assert (first.done_to, first.pending_from, first.pending_to, first.n) == (10, 10, 11, 1)
    assert first.token == "journal.v1:2:10-11:g1:me.7"  # noqa: S105 - not a password
    target.recorded(first, 1.0)
    assert not target.stale(POLICY, 9.0)
    target.finished(batch, 2.0)
    target.busy = False
    assert not target.stale(POLICY, 2.2)
    assert target.stale(POLICY, 2.4)
    closing = target.ledger_row(None)
    assert (closing.done_to, closing.pending_to, closing.seq) == (11, 0, first.seq + 1)
    feed(target, 11)
    assert not target.stale(POLICY, 9.0)


def test_end_of_the_log_moves_an_idle_lane_behind_markers() -> None:
    """Commit markers are no records, so only the end of the log says that nothing is left."""
    target = lane(EFFECT_TABLE)
    target.accept(10, b"", effect(5), 0.0)
    target.end_of_log(20)
    target.advance()
    assert target.done == 10
    batch = target.cut()
    target.finished(batch, 1.0)
    target.busy = False
    target.advance()
    assert (target.done, target.batch.start, target.done_seq) == (20, 20, 6)


def test_only_the_newest_value_of_a_key_is_inserted() -> None:
    """Within a batch an absolute value replaces the one before it."""
    target = lane(METRIC_TABLE)
    for offset, member in enumerate(("ada", "bob", "ada"), start=10):
        value: Row = ("acme", "m", "day", 0, "agent", member, 1, offset, 0, 0, [], offset)
        target.accept(offset, b"", value, 0.0)
    assert [(r[5], r[-1]) for r in target.cut().rows] == [("bob", 11), ("ada", 12)]


@given(
    rows=st.lists(st.booleans(), min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_any_cutting_gives_the_same_rows_once(rows: list[bool], cuts: list[int]) -> None:
    """Batches are consecutive: their rows are those of the log, in order, none twice."""
    target = lane(start=0)
    seen: list[int] = []
    end = 0
    for offset, has_row in enumerate(rows):
        target.accept(offset, b"v", row(offset) if has_row else None, 0.0)
        if offset in cuts:
            batch = target.cut()
            assert batch.start == end
            end = batch.end
            seen += [r[-1] for r in batch.rows]
    seen += [r[-1] for r in target.cut().rows]
    assert seen == [offset for offset, has_row in enumerate(rows) if has_row]
