"""Laws of the working copies of one batch."""

from schemas.state.rows import Timer
from streams.domain.batch import Batch
from streams.domain.state import State


def test_timer_cancelled_by_one_that_fired_before_it_does_not_fire() -> None:
    """Of two timers due on the same tick the earlier one may make the later one void."""
    batch = Batch(State())
    batch.set_timer("a|t|1", Timer(1, ""))
    batch.set_timer("a|t|2", Timer(2, ""))
    fired = []
    for key, _ in batch.due_timers(10):
        fired.append(key)
        batch.cancel_timer("a|t|2")
    assert fired == ["a|t|1"]


def test_a_tick_fires_a_bounded_number_of_timers() -> None:
    """After a long outage the rest stays due for the next tick, earliest first."""
    batch = Batch(State())
    for number in range(5):
        batch.set_timer(f"a|t|{number}", Timer(number, ""))
    fired = [[key for key, _ in batch.due_timers(10, most=2)] for _ in range(4)]
    assert fired == [["a|t|0", "a|t|1"], ["a|t|2", "a|t|3"], ["a|t|4"], []]


def test_timer_set_by_one_that_fires_is_looked_at_in_the_same_tick() -> None:
    """A firing that sets something already due doesn't wait for the next tick."""
    batch = Batch(State())
    batch.set_timer("a|t|1", Timer(1, ""))
    fired = []
    for key, _ in batch.due_timers(10):
        fired.append(key)
        if key == "a|t|1":
            batch.set_timer("a|t|3", Timer(3, ""))
            batch.set_timer("a|t|4", Timer(11, ""))
    assert fired == ["a|t|1", "a|t|3"]
    assert batch.has_timer("a|t|4")
