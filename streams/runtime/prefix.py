"""Which source offset may be committed: the longest finished prefix. Pure."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Run:
    next_offset: int
    begun: "deque[int]" = field(default_factory=deque)
    finished: set[int] = field(default_factory=set)


class Prefix:
    """Batches are begun in source order and finish in any order; only a prefix may be committed.

    What is committed is never read again, so everything below it must be in the journal.

    Examples:
        >>> prefix = Prefix({("crm.lead.v1", 0): 10})
        >>> prefix.begin(("crm.lead.v1", 0), 14)
        >>> prefix.begin(("crm.lead.v1", 0), 19)
        >>> prefix.finish(("crm.lead.v1", 0), 19)
        >>> prefix.position(("crm.lead.v1", 0))
        10
        >>> prefix.finish(("crm.lead.v1", 0), 14)
        >>> prefix.position(("crm.lead.v1", 0))
        20

    Args:
        starts: Source topic and partition → offset reading starts at.
    """

    __slots__ = ("_runs",)

    def __init__(self, starts: dict[tuple[str, int], int]) -> None:
        self._runs = {source: _Run(offset) for source, offset in starts.items()}

    def begin(self, source: tuple[str, int], last: int) -> None:
        """Note that records up to offset `last` are on their way."""
        self._runs[source].begun.append(last)

    def finish(self, source: tuple[str, int], last: int) -> None:
        """Note that the batch ending at `last` is acknowledged by the broker."""
        run = self._runs[source]
        run.finished.add(last)
        while run.begun and run.begun[0] in run.finished:
            done = run.begun.popleft()
            run.finished.discard(done)
            run.next_offset = done + 1

    def position(self, source: tuple[str, int]) -> int | None:
        """Return the next offset to read if everything below it is done; None: not ours."""
        run = self._runs.get(source)
        return None if run is None else run.next_offset

    def busy(self, source: tuple[str, int]) -> bool:
        """Tell whether anything of a source is on its way."""
        run = self._runs.get(source)
        return run is not None and bool(run.begun)
