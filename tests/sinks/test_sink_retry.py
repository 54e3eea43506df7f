"""The retry helper: what is repeated, for how long."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Unavailable
from sinks.retry import Backoff, persist

QUICK = Backoff(first_s=0.0001, most_s=0.001, limit_s=0.01)
PATIENT = Backoff(first_s=0.0001, most_s=0.001, limit_s=60)


def failing(times: int) -> Callable[[], str]:
    """Return a call that fails so often before it succeeds."""
    left = iter([True] * times)

    def call() -> str:
        if next(left, False):
            raise OSError("away")
        return "done"

    return call


def is_os_error(error: Exception) -> bool:
    """Treat connection errors as transient."""
    return isinstance(error, OSError)


def test_call_is_repeated_until_it_succeeds() -> None:
    """A service that comes back is waited for; each failure is counted."""
    failures: list[str] = []
    result = persist(
        failing(3), service="x", transient=is_os_error, backoff=PATIENT, failed=failures.append
    )
    assert result == "done"
    assert failures == ["x"] * 3


def test_service_that_stays_away_is_unavailable() -> None:
    """Patience has an end; the error names the service."""
    with pytest.raises(Unavailable, match="x is unavailable"):
        persist(failing(10**6), service="x", transient=is_os_error, backoff=QUICK)


def test_other_failures_are_not_repeated() -> None:
    """A wrong statement doesn't become right by waiting."""
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        persist(call, service="x", transient=is_os_error, backoff=QUICK)
    assert calls == [1]


def test_process_that_was_asked_to_end_does_not_wait() -> None:
    """A stop isn't held up by a service that is away."""
    with pytest.raises(Unavailable):
        persist(
            failing(1),
            service="x",
            transient=is_os_error,
            backoff=Backoff(limit_s=60),
            stopped=lambda: True,
        )


@given(first=st.floats(0.01, 5), most=st.floats(0.01, 5), limit=st.floats(0.1, 50))
def test_waits_add_up_to_the_limit(first: float, most: float, limit: float) -> None:
    """Together the waits are exactly as long as the limit."""
    assert sum(Backoff(first, most, limit).waits()) == pytest.approx(limit)
