"""`daybook snapshots`: folded states kept, so that audits and time travel need not start at 0."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.output import AsJson, note, say, say_json, say_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.offline.journal import Journal
    from infra.offline.snapshot import Header
    from infra.offline.store import Snapshots
    from infra.settings import Settings

app = typer.Typer(
    help="Snapshots of folded state: take, list and prune them.", no_args_is_help=True
)


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Journal, Snapshots]]:
    """Open the journal and the snapshots of the generation in use."""
    from infra.generations.registry import generation_of
    from infra.offline.journal import Journal
    from infra.offline.store import Snapshots

    with Journal(settings) as journal:
        yield journal, Snapshots.open(settings, generation_of(settings), journal.id)


@app.command()
def take(
    *,
    every: Annotated[
        int, typer.Option(min=0, help="Also keep one after every N entries; 0: only at the end.")
    ] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say where they would be taken; fold nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fold each partition to its end, from its nearest snapshot, and keep a snapshot there.

    Workers need none of it: they load their state from the changelog.

    Example: daybook snapshots take --every 100000
    """
    from infra.commands.progress_bars import bars
    from infra.settings import load
    from infra.verification import taking

    with opened(load()) as (journal, snapshots):
        if dry_run:
            _plan(journal, snapshots, every, as_json=as_json)
            return
        with bars() as report:
            taken = taking.take(journal, snapshots, every=every, report=report)
    if as_json:
        say_json([{"path": str(path), **_shown(header)} for path, header in taken])
        return
    for path, header in taken:
        say(f"{path}: {header.sections['state']:,} rows at offset {header.offset}")
    if not taken:
        say("nothing to take: there is one at the end of each partition")


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List all snapshots: of what, how large, and whether they can be used.

    Example: daybook snapshots list
    """
    from infra.offline.store import generations, partitions
    from infra.settings import load

    found: list[dict[str, Any]] = []
    with opened(load()) as (_, snapshots):
        for generation, folder in generations(snapshots.root):
            for partition in partitions(folder):
                found += [
                    {
                        "path": str(stored.path),
                        "bytes": stored.path.stat().st_size,
                        **({} if stored.header is None else _shown(stored.header)),
                        "problem": stored.problem,
                    }
                    for stored in snapshots.of(generation).all_of(partition)
                ]
        root = snapshots.root
    if as_json:
        say_json(found)
        return
    columns = ("generation", "partition", "offset", "rows", "bytes", "taken", "problem")
    say_table(columns, [[each.get(column, "") for column in columns] for each in found])
    if not found:
        note(f"no snapshots in {root}; `daybook snapshots take` takes some")


@app.command()
def prune(
    *,
    keep: Annotated[
        int, typer.Option(min=0, help="So many of the newest stay for each partition.")
    ] = 3,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove older snapshots, those that can't be used, and leftovers of killed writers.

    Also those of generations that were dropped. Nothing is lost by it: they can be taken again as
    long as the journal reaches back.

    Example: daybook snapshots prune --keep 3 --dry-run
    """
    import time

    from infra.offline.store import leftovers
    from infra.settings import load

    settings = load()
    with opened(settings) as (_, snapshots):
        existing = _existing(settings)
        found = leftovers(snapshots, keep=keep, existing=existing, now_s=time.time())
    if not dry_run:
        for each in found:
            each.path.unlink(missing_ok=True)
    if as_json:
        say_json([{"path": str(path), "why": why, "removed": not dry_run} for path, why in found])
        return
    verb = "would remove" if dry_run else "removed"
    for path, why in found:
        say(f"{verb} {path}: {why}")
    if not found:
        say("nothing to remove")


def _existing(settings: Settings) -> set[int]:
    """Return the generations that weren't dropped."""
    from infra.generations.registry import read

    return {each.number for each in read(settings).existing()}


def _plan(journal: Journal, snapshots: Snapshots, every: int, *, as_json: bool) -> None:
    plan: list[tuple[int, int, list[int]]] = []
    for partition, (_, end) in journal.bounds().items():
        offsets = [header.offset for header in snapshots.usable(partition) if header.offset <= end]
        start = max(offsets, default=0)
        stops = sorted({end, *(range(every, end, every) if every else ())})
        plan.append((partition, start, [stop for stop in stops if stop > start]))
    if as_json:
        say_json([{"partition": p, "from": start, "at": at} for p, start, at in plan])
        return
    say_table(
        ("partition", "fold from", "to", "snapshots"),
        [(p, start, max(at, default=start), len(at)) for p, start, at in plan],
    )


def _shown(header: Header) -> dict[str, Any]:
    from infra.commands.decoding import instant

    return {
        "generation": header.origin.generation,
        "partition": header.origin.partition,
        "offset": header.offset,
        "rows": header.sections["state"],
        "taken": instant(header.taken_ms),
    }
