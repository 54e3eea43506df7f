"""`daybook replay`: fold the journal again beside the live state, compare, switch, switch back."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.group import INTERRUPTED, NEGATIVE
from infra.commands.output import AsJson, note, say, say_json, say_table
from infra.commands.replay_diff import diff
from infra.commands.replay_whatif import what_if

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.generations.children import Children
    from infra.generations.promoting import Promotion
    from infra.settings import Settings
    from schemas.generation import Generation, Registry

app = typer.Typer(
    help="Fold the journal again beside the live state, compare, promote, roll back.",
    no_args_is_help=True,
)
Number = Annotated[int, typer.Argument(help="Number of the generation; see `replay list`.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
WhatIfFile = Annotated[
    Path | None, typer.Option("--what-if", help="Build nothing: as `replay what-if FILE`.")
]
BEGINNING = "beginning"


@app.command()
def start(  # noqa: PLR0913 - one argument per option
    *,
    from_: Annotated[str, typer.Option("--from", help="Where to begin: `beginning`.")] = BEGINNING,
    tenant: Annotated[
        str, typer.Option(help="Fold this tenant only: to compare, not to promote.")
    ] = "",
    metrics: Annotated[
        str, typer.Option(help="Publish these only, with commas: to compare, not to promote.")
    ] = "",
    note_: Annotated[str, typer.Option("--note", help="Why, for people.")] = "",
    what_if_: WhatIfFile = None,
    keep_running: Annotated[
        bool, typer.Option("--keep-running", help="Follow the journal until Ctrl-C.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Build a new generation beside the live one, with this version's rules.

    Its worker, sink and live run until they have caught up with the journal. Ctrl-C interrupts;
    `replay resume` goes on. Nothing people see changes before `replay promote`.

    Example: daybook replay start --from beginning --note "won deals by close date"
    """
    from infra.generations.building import begin
    from infra.generations.registry import read
    from infra.settings import load

    if what_if_ is not None:
        what_if(what_if_, from_=from_, tenant=tenant, as_json=as_json)
        return
    settings = load()
    _check_origin(from_)
    chosen = _known_metrics(metrics)
    if dry_run:
        number = read(settings).next_number
        text = f"would build generation {number} from the beginning of the journal"
        _answer({"generation": number, "dry_run": True}, text, as_json=as_json)
        return
    generation = begin(settings, tenant=tenant, metrics=chosen, note=note_)
    note(f"generation {generation.number} begins; nothing that people see changes")
    _build(settings, generation.number, keep_running=keep_running, as_json=as_json)


@app.command()
def resume(
    number: Number,
    *,
    keep_running: Annotated[
        bool, typer.Option("--keep-running", help="Follow the journal until Ctrl-C.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Go on building a generation where it stopped, or bring it up to date.

    Example: daybook replay resume 2
    """
    from infra.settings import load

    _build(load(), number, keep_running=keep_running, as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List all generations: state, where from, how far behind the journal.

    Example: daybook replay list
    """
    status(as_json=as_json)


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Show all generations: state, where from, how far behind the journal each is.

    Example: daybook replay status --json
    """
    from infra.generations.listing import listing
    from infra.generations.registry import read
    from infra.settings import load

    settings = load()
    found = listing(settings, read(settings))
    if as_json:
        say_json(found)
        return
    columns = ("generation", "state", "from", "only", "behind", "ClickHouse", "Valkey", "note")
    say_table(columns, [_cells(row) for row in found])


@app.command()
def promote(number: Number, *, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Make a generation the live one: reports, dashboards and processes move to it.

    It is brought up to date first. Events keep coming; none is missed and none counted twice. Safe
    to repeat after an interruption.

    Example: daybook replay promote 2
    """
    from infra.generations.registry import read
    from infra.settings import load

    settings = load()
    _promote(settings, read(settings), number, dry_run=dry_run, as_json=as_json)


@app.command()
def rollback(*, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Make the generation that was live before the live one again; it is brought up to date first.

    Example: daybook replay rollback
    """
    from infra.generations.registry import read
    from infra.settings import load
    from schemas.errors import Refused
    from schemas.generation import NOT_ALLOWED

    settings = load()
    registry = read(settings)
    if registry.previous is None:
        raise Refused(NOT_ALLOWED, "no generation was live before, or it was dropped")
    _promote(settings, registry, registry.previous.number, dry_run=dry_run, as_json=as_json)


@app.command()
def abort(number: Number, *, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Give up a generation that was never live; its processes stop. `replay drop` removes it.

    Example: daybook replay abort 2
    """
    from infra.generations.registry import change, read
    from infra.settings import load

    settings = load()
    read(settings).abort(number, 0)
    if not dry_run:
        change(settings, lambda registry, now_ms: registry.abort(number, now_ms))
    would = "would be given up" if dry_run else "is given up"
    text = f"generation {number} {would}; `daybook replay drop {number}` removes it"
    values = {"generation": number, "state": "aborted", "dry_run": dry_run}
    _answer(values, text, as_json=as_json)


@app.command()
def drop(
    number: Number,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove all a generation left behind: changelog, groups, rows, values. It can't be undone.

    Example: daybook replay drop 2 --yes
    """
    from infra.generations.dropping import drop as remove
    from infra.generations.registry import change, read
    from infra.settings import load

    settings = load()
    found = read(settings).drop(number, 0)
    if dry_run:
        text = f"would remove generation {number}: {found.app}-state and all its rows"
        _answer({"generation": number, "dry_run": True}, text, as_json=as_json)
        return
    if not yes:
        typer.confirm(f"Remove generation {number} for good?", abort=True, err=True)
    change(settings, lambda registry, now_ms: registry.drop(number, now_ms))
    removed = []
    for each in remove(settings, found):
        removed.append(each)
        if not as_json:
            say(f"removed {each}")
    if as_json:
        say_json({"generation": number, "state": "dropped", "removed": removed})


app.command()(diff)
app.command("what-if")(what_if)


def _check_origin(origin: str) -> None:
    from schemas.errors import ConfigurationError

    if origin != BEGINNING:
        raise ConfigurationError(
            "--from",
            f"a replay begins at `{BEGINNING}`, or what came before would be missing from it; for "
            f"figures as they stood use `daybook metrics show --as-of {origin}`, to try other "
            f"definitions from there on `daybook replay what-if FILE --from {origin}`",
        )


def _known_metrics(names: str) -> list[str]:
    from schemas.errors import ConfigurationError
    from streams.domain.metrics.catalogue import METRICS

    chosen = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in METRICS]
    if unknown:
        raise ConfigurationError(
            "--metrics", f"no metric is called {', '.join(unknown)}; see `daybook metrics list`"
        )
    return chosen


@contextmanager
def _interruptible(hint: str) -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C; end with 130 and say how to go on."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        note(f"interrupted; {hint}")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _build(settings: Settings, number: int, *, keep_running: bool, as_json: bool) -> None:
    from infra.commands.progress_bars import bars
    from infra.generations.building import build

    follow = _follow if keep_running else None
    with _interruptible(f"`daybook replay resume {number}` goes on"), bars() as report:
        generation = build(settings, number, report, keep_running=follow)
    text = f"generation {number} has caught up; compare: `daybook replay diff {number}`"
    if not generation.is_partial:
        text += f", switch: `daybook replay promote {number}`"
    _answer(_shown(generation), text, as_json=as_json)


def _follow(children: Children) -> None:
    """Keep the processes running until Ctrl-C."""
    import time

    note("it has caught up and goes on following the journal; Ctrl-C ends")
    try:
        while True:
            children.check()
            time.sleep(1)
    except KeyboardInterrupt:
        return


def _promote(
    settings: Settings, registry: Registry, number: int, *, dry_run: bool, as_json: bool
) -> None:
    from infra.commands.progress_bars import bars
    from infra.generations.promoting import promote as make_live

    if dry_run:
        if registry.live.number != number:
            registry.check_promotable(number)
        before = registry.live.number
        text = f"would make generation {number} live instead of {before}"
        values = {"generation": number, "before": before, "dry_run": True}
        _answer(values, text, as_json=as_json)
        return
    hint = f"`daybook replay promote {number}` again completes it"
    with _interruptible(hint), bars() as report:
        promotion = make_live(settings, number, report)
    _tell(promotion, as_json=as_json)


def _tell(promotion: Promotion, *, as_json: bool) -> None:
    live = promotion.live.number
    text = f"generation {live} is live"
    if promotion.flipped:
        text += f"; `daybook replay rollback` goes back to {promotion.before}"
    if as_json:
        say_json(
            {
                **_shown(promotion.live),
                "before": promotion.before,
                "flipped": promotion.flipped,
                "not_taken_over": list(promotion.missing),
            }
        )
    else:
        say(text)
    if promotion.missing:
        names = ", ".join(promotion.missing)
        note(f"not working for generation {live} yet: {names}; start them again without "
             "DAYBOOK_GENERATION")  # fmt: skip
        raise typer.Exit(NEGATIVE)


def _shown(generation: Generation) -> dict[str, Any]:
    return {
        "generation": generation.number,
        "state": generation.state,
        "app": generation.app,
        "from": generation.origin,
        "live_from": generation.live_from or None,
        "note": generation.note,
    }


def _answer(values: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        say_json(values)
    else:
        say(text)


def _cells(row: dict[str, Any]) -> list[object]:
    only = ", ".join([*([row["tenant"]] if row["tenant"] else []), *(row["metrics"] or [])])
    behind = row["behind"]
    return [
        row["generation"],
        row["state"],
        row["from"],
        only,
        None if behind is None else f"{sum(behind.values()):,}",
        row["clickhouse_behind"],
        row["valkey_behind"],
        row["note"],
    ]
