"""What one connection is owed: a queue with a budget. Pure, the time is passed in."""

from collections import deque
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """How much a slow client may be owed.

    Args:
        frame: Bytes joined into one frame at most; a single larger text goes alone.
        budget: Bytes owed for longer than `over_s` end the connection.
        over_s: See there, seconds.
        paused_s: So long without being able to write anything ends it too, seconds.
        hard: Bytes owed that end it at once.
    """

    frame: int = 64 * 1024
    budget: int = 256 * 1024
    over_s: float = 3.0
    paused_s: float = 10.0
    hard: int = 1024 * 1024


class Outbox:
    """Texts that couldn't be written yet, in order.

    Args:
        limits: Of the gateway.
    """

    __slots__ = ("_limits", "_over_since_s", "_paused_since_s", "_texts", "size")

    def __init__(self, limits: OutboxLimits) -> None:
        self._limits = limits
        self._texts: deque[bytes] = deque()
        self._over_since_s = self._paused_since_s = inf
        self.size = 0

    def __bool__(self) -> bool:
        """Return whether something is owed."""
        return bool(self._texts)

    def put(self, text: bytes, now_s: float) -> None:
        """Owe one more text."""
        self._texts.append(text)
        self.size += len(text) + 1
        if self.size > self._limits.budget:
            self._over_since_s = min(self._over_since_s, now_s)

    def take(self) -> bytes:
        """Take the next texts away, joined with newlines: the payload of one frame."""
        texts = [self._texts.popleft()]
        size = len(texts[0])
        while self._texts and size + 1 + len(self._texts[0]) <= self._limits.frame:
            texts.append(self._texts.popleft())
            size += 1 + len(texts[-1])
        self.size -= size + 1
        if self.size <= self._limits.budget:
            self._over_since_s = inf
        return b"\n".join(texts)

    def clear(self) -> None:
        """Owe nothing any more."""
        self._texts.clear()
        self.size = 0

    def paused(self, now_s: float) -> None:
        """Note that nothing can be written from now on."""
        self._paused_since_s = now_s

    def resumed(self) -> None:
        """Note that writing goes on."""
        self._paused_since_s = inf

    def too_slow(self, now_s: float) -> bool:
        """Return whether the client reads too slowly to be kept."""
        return (
            self.size > self._limits.hard
            or now_s - self._over_since_s >= self._limits.over_s
            or now_s - self._paused_since_s >= self._limits.paused_s
        )
