"""Pings and their answers.

Source: docs/realtime.md, "Commands".
"""

from math import inf


class Heartbeat:
    """When a connection is pinged, and whether it answered.

    Args:
        ping_s: Between pings, seconds.
        pong_s: From a ping to its answer, seconds; less than `ping_s`.
        now_s: Monotonic seconds.
    """

    __slots__ = ("_answer_by_s", "_next_s", "_ping_s", "_pong_s")

    def __init__(self, ping_s: float, pong_s: float, now_s: float) -> None:
        self._ping_s = ping_s
        self._pong_s = pong_s
        self._next_s = now_s + ping_s
        self._answer_by_s = inf

    @property
    def due_s(self) -> float:
        """When something is to be done next, monotonic seconds."""
        return min(self._next_s, self._answer_by_s)

    def answered(self) -> None:
        """Note a pong; one that nobody waited for changes nothing."""
        self._answer_by_s = inf

    def missed(self, now_s: float) -> bool:
        """Return whether a ping was not answered in time."""
        return now_s >= self._answer_by_s

    def ping(self, now_s: float) -> bool:
        """Return whether to ping now; if so, an answer is waited for from now on."""
        if now_s < self._next_s:
            return False
        self._next_s = now_s + self._ping_s
        self._answer_by_s = min(self._answer_by_s, now_s + self._pong_s)
        return True
