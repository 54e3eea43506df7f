"""Taking snapshots: an offline fold that counts what it says, kept at offsets of its journal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from infra.offline.reaching import begin, go_on, quiet
from infra.offline.snapshot import dump
from infra.verification.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from infra.offline.folding import OfflineFold, Watcher
    from infra.offline.journal import Journal
    from infra.offline.reaching import Report
    from infra.offline.snapshot import Header
    from infra.offline.store import Snapshots


class Taken(NamedTuple):
    """A snapshot that was written."""

    path: Path
    header: Header


def nearest(
    snapshots: Snapshots, partition: int, at_most: int, watchers: Sequence[Watcher] = ()
) -> tuple[OfflineFold, Tally]:
    """Return a fold that stands at the nearest snapshot, and what was counted on the way to it."""
    found = snapshots.nearest(partition, at_most)
    tally = Tally(partition, snapshots.generation, () if found is None else found.tally)
    it = begin(
        partition, found, generation=snapshots.generation, watchers=[tally, *watchers]
    )  # fmt: skip
    return it, tally


def keep(snapshots: Snapshots, it: OfflineFold, tally: Tally) -> Taken | None:
    """Write a snapshot of where a fold stands, unless there is one already."""
    if it.next_offset == 0 or snapshots.has(it.partition, it.next_offset):
        return None
    header, content = dump(
        snapshots.origin(it.partition), it.state, tally.rows(), taken_ms=int(time.time() * 1000)
    )
    return Taken(snapshots.write(header, content), header)


def take(
    journal: Journal, snapshots: Snapshots, *, every: int = 0, report: Report = quiet
) -> list[Taken]:
    """Fold every partition to its end, from its nearest snapshot; keep what is on the way.

    Args:
        journal: Where entries are read.
        snapshots: Where they are kept.
        every: Also keep one after every so many entries; 0: only at the end.
        report: Called with (stage, done, total).

    Raises:
        CorruptLog: the journal doesn't reach back to where a fold must begin.
        Unavailable: the broker stopped answering.
    """
    taken: list[Taken] = []
    for partition, (_, end) in journal.bounds().items():
        it, tally = nearest(snapshots, partition, end)

        def at_stop(here: OfflineFold, counted: Tally = tally) -> None:
            found = keep(snapshots, here, counted)
            if found is not None:
                taken.append(found)

        stops = {end, *(range(every, end, every) if every else ())}
        go_on(journal, it, end, stops=stops, at_stop=at_stop, report=report)
        at_stop(it)
    return taken
