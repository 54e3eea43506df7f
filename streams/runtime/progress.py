"""Is work moving? A living process proves nothing: its consumer may be dead. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one partition stands.

    Args:
        done: Next offset to do; everything below is durable.
        end: One past the last offset of the log; None when the broker didn't say.
    """

    done: int
    end: int | None

    @property
    def lag(self) -> int | None:
        """Records still to do; None when unknown."""
        return None if self.end is None else max(0, self.end - self.done)


@dataclass(slots=True)
class Progress:
    """Asked once in a while: which partitions have lag and haven't moved for too long?

    Args:
        stall_after_s: How long lag without movement is tolerated.
        behind_others: How many times longer while other partitions move: a process that reads
            many of them through one stream takes them in turn, and ending it makes none faster.
    """

    stall_after_s: float
    behind_others: float = 1.0
    _last_s: float = field(default=float("-inf"), init=False)
    _moved: dict[tuple[str, int], tuple[int, float]] = field(default_factory=dict)

    def stalled(
        self, standings: Mapping[tuple[str, int], Standing], now_s: float
    ) -> list[tuple[str, int]]:
        """Return the (topic, partition)s that stand still though there is work.

        A partition counts as moving when it is new, its `done` changed, it has no lag, or its end
        is unknown (the broker is away: not this process's fault).

        Args:
            standings: All partitions owned now.
            now_s: Monotonic seconds.
        """
        moved: dict[tuple[str, int], tuple[int, float]] = {}
        for source, standing in standings.items():
            done, since_s = self._moved.get(source, (-1, now_s))
            if done != standing.done and source in self._moved:
                self._last_s = now_s
            if done != standing.done or not standing.lag:
                since_s = now_s
            moved[source] = (standing.done, since_s)
        self._moved = moved
        limit_s = self.stall_after_s
        if now_s - self._last_s <= limit_s:
            limit_s *= self.behind_others
        return [source for source, (_, since_s) in moved.items() if now_s - since_s > limit_s]
