"""The one retry helper: repeat a call that may be repeated, with back-off, for a bounded time."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import structlog

from schemas.errors import Unavailable

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Backoff(NamedTuple):
    """How long to wait between attempts.

    Args:
        first_s: Before the second attempt, s.
        most_s: Upper limit of one wait, s; it doubles up to here.
        limit_s: Give up after so long, s.
    """

    first_s: float = 0.05
    most_s: float = 1.0
    limit_s: float = 300.0

    def waits(self) -> Iterator[float]:
        """Yield the waits; together they are not longer than `limit_s`.

        >>> list(Backoff(1, 4, 10).waits())
        [1, 2, 4, 3]
        """
        wait, left = self.first_s, self.limit_s
        while left > 0:
            yield min(wait, left)
            left -= wait
            wait = min(self.most_s, wait * 2)


def persist(
    call: Callable[[], T],
    *,
    service: str,
    transient: Callable[[Exception], bool],
    backoff: Backoff,
    failed: Callable[[str], None] = lambda _service: None,
    stopped: Callable[[], bool] = lambda: False,
) -> T:
    """Call until it succeeds; the caller made sure that a repeat is harmless.

    Args:
        call: The call.
        service: For the log and the error.
        transient: Whether an exception means that the same call may succeed later; others pass.
        backoff: How patiently.
        failed: Told of every failed attempt (for counters).
        stopped: Whether the process was asked to end, so that a failure isn't repeated.

    Raises:
        Unavailable: it didn't succeed in time, or `stopped()`.
    """
    waits = backoff.waits()
    started = time.monotonic()
    attempts = 0
    while True:
        try:
            result = call()
        except Exception as error:
            if not transient(error):
                raise
            attempts += 1
            failed(service)
            wait = next(waits, None)
            late = time.monotonic() - started > backoff.limit_s
            if wait is None or late or stopped():
                raise Unavailable(service, backoff.most_s, str(error)[:200]) from error
            if attempts == 1:
                log.warning("service_became_unavailable", service=service, error=str(error)[:200])
            time.sleep(wait)
        else:
            if attempts:
                waited_s = round(time.monotonic() - started, 3)
                log.info("service_recovered", service=service, attempts=attempts, waited_s=waited_s)
            return result
