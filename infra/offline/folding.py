"""The fold of one journal partition, outside a worker. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from schemas.errors import CorruptLog
from schemas.topics import JOURNAL
from streams.domain.fold import fold
from streams.domain.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from streams.domain.effects import Effects
    from streams.domain.fold import Fold


class JournalRecord(NamedTuple):
    """One journal record as the fold takes it."""

    offset: int
    value: bytes


class Watcher(Protocol):
    """Sees every batch of an offline fold, before it is applied."""

    def watch(self, records: Sequence[JournalRecord], state: State, effects: Effects) -> None:
        """Take note of a batch.

        Args:
            records: What was folded.
            state: As it was before them; not to be changed.
            effects: What they change and say.
        """


class OfflineFold:
    """A state and its position; it goes on from either an empty state or a snapshot's.

    Args:
        partition: Journal partition.
        generation: Stamped on what is published, as the worker of that generation does.
        state: To go on from; it is changed. None: from offset 0.
        watchers: Told of every batch, in this order.
        fold: Another one than the worker's whole fold, such as one of a part.
    """

    def __init__(
        self,
        partition: int,
        *,
        generation: int,
        state: State | None = None,
        watchers: Sequence[Watcher] = (),
        fold: Fold = fold,
    ) -> None:
        self.partition, self.generation = partition, generation
        self.state = State() if state is None else state
        self._watchers = tuple(watchers)
        self._fold = fold

    @property
    def next_offset(self) -> int:
        """Offset of the first entry that isn't folded."""
        return self.state.head.applied + 1

    def take(self, records: Sequence[JournalRecord]) -> Effects:
        """Fold consecutive records, tell the watchers, apply.

        Raises:
            CorruptLog: the records don't follow the state, or one is no journal entry.
        """
        if records[0].offset != self.next_offset:
            raise CorruptLog(
                f"{JOURNAL} partition {self.partition}: offset {records[0].offset} follows "
                f"{self.next_offset - 1}; entries between are gone"
            )
        effects = self._fold(
            self.state, records, partition=self.partition, generation=self.generation
        )
        for watcher in self._watchers:
            watcher.watch(records, self.state, effects)
        self.state.apply(effects)
        return effects


def split(
    batches: Iterable[Sequence[JournalRecord]], stops: Iterable[int]
) -> Iterator[Sequence[JournalRecord]]:
    """Yield the batches cut so that each stop is the end of one of them.

    Args:
        batches: Consecutive records; none is empty.
        stops: Offsets in any order; those outside cut nothing.

    >>> a, b, c, d = (JournalRecord(offset, b"") for offset in range(4))
    >>> [len(batch) for batch in split([[a, b, c], [d]], [1, 3])]
    [1, 2, 1]
    """
    left = sorted(set(stops), reverse=True)
    for batch in batches:
        rest = batch
        while left and left[-1] <= rest[-1].offset:
            at = left.pop() - rest[0].offset
            if at > 0:
                yield rest[:at]
                rest = rest[at:]
        yield rest
