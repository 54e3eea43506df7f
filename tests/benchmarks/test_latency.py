"""A rate that is too high is seen, however short the run."""

from benchmarks.latency import drift
from benchmarks.watchers import Seen


def probes(taken_ms: list[int]) -> list[Seen]:
    """Return probes 100 ms apart that took so long each, in another order."""
    return [Seen(0, n, n * 100, n * 100 + ms) for n, ms in reversed(list(enumerate(taken_ms)))]


def test_growing_queue_shows_as_drift() -> None:
    """The last fifth waits longer than the first."""
    assert drift(probes([10, 12, 50, 60, 90, 120, 200, 300, 900, 1_000])) == (10, 900)


def test_steady_rate_has_no_drift() -> None:
    """Medians, so one slow event isn't a trend."""
    assert drift(probes([20] * 14 + [500])) == (20, 20)
