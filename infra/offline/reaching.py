"""Brings an offline fold to offsets of one partition: nearest snapshot, then the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from infra.offline.folding import OfflineFold, split
from schemas.errors import CorruptLog
from schemas.topics import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from infra.offline.folding import Watcher
    from infra.offline.journal import Journal
    from infra.offline.snapshot import Snapshot
    from infra.offline.store import Snapshots

Report = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


def quiet(_stage: str, _done: int, _total: int) -> None:
    """Report nothing."""


def fold_to(
    journal: Journal,
    partition: int,
    end: int,
    *,
    generation: int,
    snapshots: Snapshots | None = None,
    report: Report = quiet,
) -> OfflineFold:
    """Return the fold of a partition up to `end` (exclusive).

    Args:
        journal: Where entries are read.
        partition: Which.
        end: Entries below it are folded.
        generation: Whose fold; definitions are the same, what is stamped on values isn't.
        snapshots: To begin with the nearest one; None: begin at offset 0.
        report: Called with (stage, done, total) once a batch.

    Raises:
        CorruptLog: the journal doesn't reach back to where the fold must begin.
        Unavailable: the broker stopped answering.
    """
    found = None if snapshots is None else snapshots.nearest(partition, end)
    it = begin(partition, found, generation=generation)
    go_on(journal, it, end, report=report)
    return it


def begin(
    partition: int, snapshot: Snapshot | None, *, generation: int, watchers: Sequence[Watcher] = ()
) -> OfflineFold:
    """Return a fold that stands where a snapshot stands, or at offset 0."""
    state = None if snapshot is None else snapshot.load()
    return OfflineFold(partition, generation=generation, state=state, watchers=watchers)


def go_on(
    journal: Journal,
    it: OfflineFold,
    end: int,
    *,
    stops: Collection[int] = (),
    at_stop: Callable[[OfflineFold], None] = lambda _fold: None,
    report: Report = quiet,
) -> None:
    """Fold on to `end` (exclusive), ending a batch at each of `stops` and saying so.

    Raises:
        CorruptLog: the journal doesn't reach back to where the fold stands.
        Unavailable: the broker stopped answering.
    """
    if it.next_offset >= end:
        return
    low, _ = journal.bounds()[it.partition]
    if low > it.next_offset:
        raise CorruptLog(
            f"{JOURNAL} partition {it.partition} begins at {low}: it does not reach back to "
            f"{it.next_offset}, and no usable snapshot does"
        )
    stage = f"folding partition {it.partition}"
    wanted = set(stops)
    for batch in split(journal.batches(it.partition, it.next_offset, end), wanted):
        it.take(batch)
        report(stage, it.next_offset, end)
        if it.next_offset in wanted:
            at_stop(it)
