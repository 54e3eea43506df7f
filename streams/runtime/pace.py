"""When a lane commits and a consumer asks. Policies, with the time passed in. Pure."""

from dataclasses import dataclass

HELD_MAX = 256
"""Entries held back at most: what is held is folded again with every new batch."""


@dataclass(slots=True)
class Pace:
    """At most one turn per period, the first after idling at once.

    For transactions: unlimited ones double the p99; each costs the broker 1.7-4 ms, and
    back-to-back ones meet CONCURRENT_TRANSACTIONS (+20 ms).

    Args:
        period_s: Shortest time between two turns.
        last_s: The latest one, on the caller's monotonic clock.
    """

    period_s: float
    last_s: float = float("-inf")

    def wait_s(self, now_s: float) -> float:
        """Return how long to wait before the next turn; 0 = now."""
        return max(0.0, self.last_s + self.period_s - now_s)

    def started(self, now_s: float) -> None:
        """Note a turn."""
        self.last_s = now_s


@dataclass(slots=True)
class Hold:
    """Lets batches in which only time passed wait, so that an idle worker costs little.

    Nothing held is acked as done in the state: after a crash it is read and folded again.

    Args:
        longest_s: Age at which held entries are committed all the same.
        since_s: When the oldest held entry came; None when nothing is held.
    """

    longest_s: float
    since_s: float | None = None

    def may_wait(self, now_s: float, *, changed: bool, entries: int) -> bool:
        """Decide whether a folded batch may wait; call `release` when it is committed.

        Args:
            now_s: Monotonic seconds.
            changed: The fold changed more than time and position.
            entries: How many entries would be held.
        """
        if changed or entries > HELD_MAX:
            return False
        if self.since_s is None:
            self.since_s = now_s
        return now_s - self.since_s < self.longest_s

    def remaining_s(self, now_s: float) -> float | None:
        """Return when to look again; None when nothing is held."""
        return None if self.since_s is None else max(0.0, self.since_s + self.longest_s - now_s)

    def release(self) -> None:
        """Note that nothing is held any more."""
        self.since_s = None
