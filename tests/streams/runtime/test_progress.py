"""A process that has work and doesn't move is not healthy, however alive it is."""

from streams.runtime.progress import Progress, Standing

ONE, TWO = ("journal.v1", 0), ("journal.v1", 1)


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


def test_partition_behind_others_may_wait_longer() -> None:
    """Where partitions are read in turn, one that waits isn't stalled while another moves."""
    progress = Progress(10.0, behind_others=5.0)
    for now in range(51):
        standings = {ONE: Standing(3, 9), TWO: Standing(now, 1_000)}
        assert progress.stalled(standings, now) == []
    assert progress.stalled({ONE: Standing(3, 9), TWO: Standing(51, 1_000)}, 51.0) == [ONE]


def test_idle_partitions_excuse_no_stall() -> None:
    """Only movement of another one is a reason to wait, not that it has nothing to do."""
    progress = Progress(10.0, behind_others=5.0)
    for now in (0.0, 5.0, 10.0):
        assert progress.stalled({ONE: Standing(3, 9), TWO: Standing(7, 7)}, now) == []
    assert progress.stalled({ONE: Standing(3, 9), TWO: Standing(7, 7)}, 11.0) == [ONE]
