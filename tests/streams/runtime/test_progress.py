"""A process that has work and doesn't move is not healthy, however alive it is."""

from streams.runtime.progress import Progress, Standing

ONE = ("journal.v1", 0)


def test_lag_without_movement_is_a_stall() -> None:
    """The same position with lag for longer than the limit is reported."""
    progress = Progress(10.0)
    assert progress.stalled({ONE: Standing(5, 9)}, 0.0) == []
    assert progress.stalled({ONE: Standing(5, 12)}, 10.0) == []
    assert progress.stalled({ONE: Standing(5, 12)}, 10.1) == [ONE]


def test_movement_and_no_lag_are_progress() -> None:
    """A position that moves, or that is the end, is fine for ever."""
    progress = Progress(10.0)
    for now in range(0, 100, 9):
        assert progress.stalled({ONE: Standing(now, 1_000)}, now) == []
    assert progress.stalled({ONE: Standing(99, 99)}, 500.0) == []
    assert progress.stalled({ONE: Standing(99, 100)}, 900.0) == [ONE]


def test_unknown_end_is_nobodys_fault() -> None:
    """While the broker doesn't say where the log ends, nothing is judged."""
    progress = Progress(10.0)
    progress.stalled({ONE: Standing(5, 9)}, 0.0)
    assert progress.stalled({ONE: Standing(5, None)}, 100.0) == []
    assert progress.stalled({ONE: Standing(5, 9)}, 105.0) == []


def test_partition_that_comes_back_starts_anew() -> None:
    """Time spent at another worker doesn't count."""
    progress = Progress(10.0)
    progress.stalled({ONE: Standing(5, 9)}, 0.0)
    progress.stalled({}, 20.0)
    assert progress.stalled({ONE: Standing(5, 9)}, 30.0) == []


def test_lag_is_never_negative() -> None:
    """An end asked before the newest commit gives no lag."""
    assert Standing(12, 10).lag == 0
    assert Standing(12, None).lag is None
