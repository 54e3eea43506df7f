"""The time as the protocol is told it: two clocks, since each is wrong for the other's work."""

from typing import NamedTuple


class Now(NamedTuple):
    """One reading of both clocks.

    Args:
        mono_s: Monotonic seconds: pings, rates, deadlines of this process.
        utc_ms: UTC milliseconds: when tokens expire, which others decided.
    """

    mono_s: float
    utc_ms: int

    def mono_at(self, utc_ms: int) -> float:
        """Return the monotonic second at which a UTC time comes, as far as is known now."""
        return self.mono_s + (utc_ms - self.utc_ms) / 1000
