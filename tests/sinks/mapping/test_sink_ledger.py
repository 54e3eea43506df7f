"""The ledger: who may write, from where, what is in doubt."""

import pytest

from schemas.errors import CorruptLog
from sinks.mapping.ledger import (
    CLAIM,
    STATE,
    Fenced,
    LedgerRow,
    Pending,
    Standing,
    standing,
    start_offset,
)
from sinks.mapping.tables import EFFECT_TABLE, EVENT_TABLE, METRIC_TABLE, Table

CLAIMED = LedgerRow("t", 0, 1, 5, "me", 1, CLAIM, 0, 0, 0, "", 0, 0, "id", 0)


def state(epoch: int, owner: str, seq: int, done: int, end: int = 0) -> LedgerRow:
    """Return a state row; with `end` a pending range from `done`."""
    start = done if end else 0
    return LedgerRow("t", 0, 1, epoch, owner, seq, STATE, done, start, end, "tok", 3, 9, "id", 40)


def test_lane_that_never_ran_has_no_position() -> None:
    """A claim alone says nothing about what is done."""
    assert standing([CLAIMED], CLAIMED, EVENT_TABLE) == Standing(5, "me")


def test_newest_state_decides_whatever_the_order_of_the_rows() -> None:
    """A fenced owner's late row has a lower epoch, so it hides nothing."""
    rows = [state(4, "b", 2, 70, 90), state(3, "z", 99, 50), CLAIMED, state(4, "a", 7, 60)]
    stand = standing(rows, CLAIMED, EVENT_TABLE)
    assert stand == Standing(5, "me", 70, Pending(70, 90, "tok", 3, 9), 40)


def test_higher_claim_fences_us() -> None:
    """Two claims at once: the higher one wins, the other process ends."""
    with pytest.raises(Fenced):
        standing([CLAIMED, CLAIMED._replace(owner="you")], CLAIMED, EVENT_TABLE)


def test_topic_created_again_is_corrupt() -> None:
    """The same offsets of another topic are other records."""
    rows = [state(4, "a", 1, 60)._replace(topic_id="old"), CLAIMED]
    with pytest.raises(CorruptLog, match="created again"):
        standing(rows, CLAIMED, EVENT_TABLE)


def test_compacted_range_is_not_in_doubt() -> None:
    """Compaction may change a range; its table keeps the newest value whatever is sent again."""
    assert standing([state(4, "a", 1, 60, 90), CLAIMED], CLAIMED, METRIC_TABLE).pending is None


@pytest.mark.parametrize(
    ("table", "done", "low", "high", "start"),
    [
        (EVENT_TABLE, None, 0, 9, 0),
        (EFFECT_TABLE, None, 4, 9, 4),
        (METRIC_TABLE, None, 4, 9, 4),
        (EVENT_TABLE, 5, 5, 5, 5),
        (METRIC_TABLE, 4, 4, 9, 4),
    ],
)
def test_reading_begins_where_the_ledger_stands(
    table: Table, done: int | None, low: int, high: int, start: int
) -> None:
    """A lane that never ran begins where a loss would still be noticed."""
    assert start_offset("t/0", Standing(1, "me", done), low, high, table) == start


@pytest.mark.parametrize(
    ("table", "done", "low", "high"),
    [
        (EVENT_TABLE, None, 1, 9),
        (EVENT_TABLE, 5, 6, 9),
        (EFFECT_TABLE, 5, 6, 9),
        (METRIC_TABLE, 3, 4, 9),
    ],
)
def test_retention_that_passed_the_sink_is_corrupt(
    table: Table, done: int | None, low: int, high: int
) -> None:
    """Records that were deleted before they were inserted are a loss."""
    with pytest.raises(CorruptLog, match="retention passed"):
        start_offset("t/0", Standing(1, "me", done), low, high, table)


def test_log_that_ends_before_the_ledger_is_corrupt() -> None:
    """A log that lost its tail would get new records at old offsets."""
    with pytest.raises(CorruptLog, match="ends at 4"):
        start_offset("t/0", Standing(1, "me", 5), 0, 4, EVENT_TABLE)
