"""The two clocks."""

from gateway.protocol.moment import Now


def test_a_utc_time_is_found_on_the_monotonic_clock() -> None:
    """Deadlines set by others are waited for by our own clock, also those in the past."""
    now = Now(mono_s=50.0, utc_ms=1_000_000)
    assert now.mono_at(1_002_500) == 52.5
    assert now.mono_at(999_000) == 49.0
