"""How often a lane commits."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.pace import HELD_MAX, Hold, Pace


def test_first_transaction_after_idling_starts_at_once() -> None:
    """A lane that has not committed for a period waits for nothing."""
    pace = Pace(0.025)
    assert pace.wait_s(0.0) == 0
    pace.started(0.0)
    assert pace.wait_s(5.0) == 0


@given(st.lists(st.floats(0, 10), min_size=2, max_size=30))
def test_starts_are_a_period_apart(asked: list[float]) -> None:
    """Whenever it is asked, two transactions start at least a period apart."""
    pace, now, starts = Pace(0.025), 0.0, []
    for later in sorted(asked):
        now = max(now, later)
        now += pace.wait_s(now)
        pace.started(now)
        starts.append(now)
    assert all(b - a >= 0.025 - 1e-9 for a, b in pairwise(starts))


def test_batch_that_changed_something_never_waits() -> None:
    """Only batches in which nothing but time passed may be held."""
    assert not Hold(1.0).may_wait(0.0, changed=True, entries=1)


def test_held_batch_is_committed_when_the_oldest_is_a_second_old() -> None:
    """The age counts from the first held entry, not the latest."""
    hold = Hold(1.0)
    assert hold.may_wait(10.0, changed=False, entries=1)
    assert hold.may_wait(10.9, changed=False, entries=4)
    assert hold.remaining_s(10.9) is not None
    assert not hold.may_wait(11.0, changed=False, entries=5)


def test_released_hold_starts_again() -> None:
    """After a commit the next time-only batch may wait its full time."""
    hold = Hold(1.0)
    hold.may_wait(0.0, changed=False, entries=1)
    hold.release()
    assert hold.remaining_s(50.0) is None
    assert hold.may_wait(50.0, changed=False, entries=1)


def test_many_entries_never_wait() -> None:
    """A flood of repeats changes nothing either, but what is held is folded again each time."""
    assert not Hold(1.0).may_wait(0.0, changed=False, entries=HELD_MAX + 1)
