"""Ticks let time pass, and never back."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.processors.ticks import due_ms


@given(st.lists(st.integers(-500, 2_000), max_size=60), st.integers(1, 1_000))
def test_ticks_never_go_back(steps: list[int], every_ms: int) -> None:
    """However the wall clock jumps, appended times increase by at least the interval."""
    now, last, appended = 10_000, 0, []
    for step in steps:
        now += step
        at = due_ms(now, last, every_ms)
        if at is not None:
            appended.append(at)
            last = at
    assert all(b - a >= every_ms for a, b in pairwise(appended))


def test_tick_carries_the_wall_clock() -> None:
    """After an outage one tick tells the time; the missed ones are not made up for."""
    assert due_ms(now_ms=90_000, last_ms=1_000, every_ms=250) == 90_000
