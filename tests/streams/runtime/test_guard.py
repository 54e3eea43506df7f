"""Nothing is folded that doesn't follow what was folded before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CorruptLog
from streams.runtime.guard import Links, admit, check_bounds, check_changelog, check_follows

SOURCE = ("crm.lead.v1", 3)


@given(expected=st.integers(0, 1_000), back=st.integers(0, 50), count=st.integers(1, 50))
def test_what_was_folded_is_skipped_and_nothing_else(expected: int, back: int, count: int) -> None:
    """A dense batch that starts at or before the expected offset loses exactly its known part."""
    first = max(0, expected - back)
    known = admit(0, expected, first, first + count - 1, count)
    assert known == min(expected - first, count)
    assert first + known >= min(expected, first + count)


@given(expected=st.integers(0, 1_000), ahead=st.integers(1, 50))
def test_gap_before_a_batch_is_corruption(expected: int, ahead: int) -> None:
    """A batch that starts after the expected offset is refused with coordinates."""
    with pytest.raises(CorruptLog, match=f"journal partition 2: expected offset {expected}"):
        admit(2, expected, expected + ahead, expected + ahead, 1)


def test_hole_inside_a_batch_is_corruption() -> None:
    """A batch whose offsets aren't dense is refused: somebody wrote the journal in transactions."""
    with pytest.raises(CorruptLog, match="not dense"):
        admit(0, 5, 5, 9, 4)


@pytest.mark.parametrize(("first", "last", "count"), [(6, 9, 4), (4, 9, 6), (5, 9, 4)])
def test_only_what_follows_the_state_is_folded(first: int, last: int, count: int) -> None:
    """A gap, a repeat or a hole is refused, whoever gathered the entries."""
    check_follows(0, 4, 5, 9, 5)
    check_follows(0, -1, 0, 0, 1)
    with pytest.raises(CorruptLog, match="don't follow it"):
        check_follows(0, 4, first, last, count)


def test_retention_that_passed_the_position_is_corruption() -> None:
    """Entries deleted before they were folded are named; the state is not continued."""
    check_bounds(0, applied=9, low=10, high=10)
    with pytest.raises(CorruptLog, match=r"entries 10\.\.14 were deleted"):
        check_bounds(0, applied=9, low=15, high=20)


def test_journal_shorter_than_the_state_is_corruption() -> None:
    """A log that ends before the applied offset is another log."""
    check_bounds(0, applied=-1, low=0, high=0)
    with pytest.raises(CorruptLog, match="created again"):
        check_bounds(0, applied=5, low=0, high=5)


def test_links_tell_lost_batches_in_logs_with_holes() -> None:
    """A batch read and not delivered is noticed at the next one, whatever holes the log has."""
    read, taken = Links(), Links()
    for links in (read, taken):
        links.seek(SOURCE, 100)
    taken.follow(SOURCE, read.append(SOURCE, 140), 140)
    read.append(SOURCE, 150)
    with pytest.raises(CorruptLog, match="after 140 up to 150"):
        taken.follow(SOURCE, read.append(SOURCE, 170), 170)


def test_seek_starts_the_chain_again() -> None:
    """After both sides sought to one offset, the first batch is taken whatever its offset."""
    read, taken = Links(), Links()
    read.append(SOURCE, 700)
    for links in (read, taken):
        links.seek(SOURCE, 50)
    taken.follow(SOURCE, read.append(SOURCE, 90), 90)
    taken.follow(SOURCE, read.append(SOURCE, 91), 91)


def test_changelog_that_lost_rows_is_corruption() -> None:
    """Only deletion moves the start of a compacted log."""
    with pytest.raises(CorruptLog, match="rows before were deleted"):
        check_changelog(1, applied=40, low=7, committed=41)


def test_empty_state_of_a_group_that_has_folded_is_corruption() -> None:
    """Folding from the beginning would say everything a second time; a new group may."""
    with pytest.raises(CorruptLog, match="is empty, but the group has folded up to offset 41"):
        check_changelog(1, applied=-1, low=0, committed=41)
    for committed in (None, 0):
        check_changelog(1, applied=-1, low=0, committed=committed)
    check_changelog(1, applied=40, low=0, committed=None)
