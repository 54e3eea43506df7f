"""Snapshots on disk: `<snapshots>/g<generation>/p<partition>/<offset>.snapshot`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from infra.offline.code import fingerprint
from infra.offline.snapshot import NoSnapshot, Origin, Snapshot, load, newest, read_header

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from infra.offline.snapshot import Header
    from infra.settings import Settings

SUFFIX = ".snapshot"
PART = ".part"
HEADER_BYTES = 4096
PART_MAX_AGE_S = 3_600.0


class Stored(NamedTuple):
    """One file.

    Args:
        path: Where.
        header: What it is of; None for a file that can't be used.
        problem: Why it can't; empty when it can.
    """

    path: Path
    header: Header | None
    problem: str = ""


def say_unusable(path: Path, problem: str) -> None:
    """Name a file that is passed over, on standard error."""
    sys.stderr.write(f"snapshot {path} is not used: {problem}\n")


class Leftover(NamedTuple):
    """A file that may go.

    Args:
        path: Which.
        why: For people.
    """

    path: Path
    why: str


class Snapshots:
    """The snapshots of one generation of one installation.

    Args:
        root: Directory of all generations' snapshots.
        app: Id of the installation.
        generation: Whose.
        journal: Kafka's id of the journal topic they must be of.
    """

    def __init__(self, root: Path, app: str, generation: int, journal: str) -> None:
        self.root, self.generation = root, generation
        self._app, self._journal = app, journal

    @classmethod
    def open(cls, settings: Settings, generation: int, journal: str) -> Snapshots:
        """Return those of one generation of the installation that the settings name."""
        return cls(directory(settings), settings.app, generation, journal)

    def of(self, generation: int) -> Snapshots:
        """Return those of another generation of the same installation and journal."""
        return Snapshots(self.root, self._app, generation, self._journal)

    def origin(self, partition: int) -> Origin:
        """Return what a snapshot of a partition must be of."""
        return Origin(self._app, self.generation, partition, self._journal, fingerprint())

    def write(self, header: Header, content: bytes) -> Path:
        """Keep a snapshot: whole or not at all, whatever happens meanwhile."""
        path = self._path(header)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}{PART}")
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        return path

    def has(self, partition: int, offset: int) -> bool:
        """Whether there is a usable snapshot at exactly this offset."""
        return any(
            stored.header is not None and not stored.problem and stored.header.offset == offset
            for stored in self.all_of(partition)
        )

    def usable(self, partition: int) -> list[Header]:
        """Return the snapshots of a partition that this code may go on from, oldest first.

        Files that can't be used are named on standard error.
        """
        found = []
        for stored in self.all_of(partition):
            if stored.header is None or stored.problem:
                say_unusable(stored.path, stored.problem)
            else:
                found.append(stored.header)
        return found

    def nearest(self, partition: int, at_most: int) -> Snapshot | None:
        """Return the newest snapshot of a partition at or below an offset, if there is one.

        A file whose content turns out to be damaged is named, and the next older one is taken.
        """
        headers = self.usable(partition)
        while (header := newest(headers, at_most)) is not None:
            path = self._path(header)
            try:
                return load(path.read_bytes())
            except (NoSnapshot, OSError) as problem:
                say_unusable(path, str(problem))
                headers.remove(header)
        return None

    def all_of(self, partition: int) -> list[Stored]:
        """Return every snapshot file of a partition, oldest first, usable or not."""
        folder = self.root / f"g{self.generation}" / f"p{partition}"
        return [self._stored(path, partition) for path in sorted(folder.glob(f"*{SUFFIX}"))]

    def _stored(self, path: Path, partition: int) -> Stored:
        try:
            with path.open("rb") as file:
                header = read_header(file.read(HEADER_BYTES))
        except (NoSnapshot, OSError) as problem:
            return Stored(path, None, str(problem))
        return Stored(path, header, self._problem(path, header, partition))

    def _problem(self, path: Path, header: Header, partition: int) -> str:
        """Return why a snapshot can't be gone on from; empty when it can."""
        found, wanted = header.origin, self.origin(partition)
        if (found.app, found.generation, found.partition) != (
            wanted.app, wanted.generation, partition,
        ) or path != self._path(header):  # fmt: skip
            return (
                f"it is of {found.app}, generation {found.generation}, "
                f"partition {found.partition}, offset {header.offset}"
            )
        if found.journal != wanted.journal:
            return "it is of another journal: the topic was created again"
        return "" if found == wanted else "another version of the fold took it"

    def _path(self, header: Header) -> Path:
        origin = header.origin
        folder = self.root / f"g{origin.generation}" / f"p{origin.partition}"
        return folder / f"{header.offset:020}{SUFFIX}"


def directory(settings: Settings) -> Path:
    """Return where snapshots are kept."""
    return Path(settings.snapshots) if settings.snapshots else settings.data / "snapshots"


def generations(root: Path) -> Iterator[tuple[int, Path]]:
    """Yield (generation, folder) of everything kept, ascending."""
    for folder in sorted(root.glob("g*")):
        if folder.is_dir() and folder.name[1:].isdecimal():
            yield int(folder.name[1:]), folder


def partitions(folder: Path) -> Iterator[int]:
    """Yield the partitions a generation's folder has, ascending."""
    names = (each.name[1:] for each in folder.glob("p*") if each.is_dir())
    yield from sorted(int(name) for name in names if name.isdecimal())


def leftovers(
    kept: Snapshots, *, keep: int, existing: Collection[int], now_s: float
) -> list[Leftover]:
    """Return the files that `daybook snapshots prune` removes.

    Args:
        kept: Of the generation in use.
        keep: How many of the newest usable ones of each partition stay.
        existing: Generations that may still be compared or promoted.
        now_s: Time, s since the epoch.
    """
    found = [
        Leftover(part, "its writer is gone")
        for part in sorted(kept.root.glob(f"g*/p*/*{PART}"))
        if now_s - part.stat().st_mtime > PART_MAX_AGE_S
    ]
    for generation, folder in generations(kept.root):
        mine = kept.of(generation)
        for partition in partitions(folder):
            stored = mine.all_of(partition)
            if generation not in existing:
                why = f"generation {generation} does not exist any more"
                found += [Leftover(each.path, why) for each in stored]
                continue
            found += [Leftover(each.path, each.problem) for each in stored if each.problem]
            usable = [each for each in stored if not each.problem]
            found += [
                Leftover(each.path, f"newest kept: {keep}")
                for each in usable[: max(0, len(usable) - keep)]
            ]
    return found
