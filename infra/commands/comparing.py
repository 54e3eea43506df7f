"""How the comparing commands of `daybook replay` show what they found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.output import note, say, say_json, say_table

if TYPE_CHECKING:
    from infra.comparison.outcome import Outcome

SHOWN = 40
Html = Annotated[
    Path | None, typer.Option("--html", help="Write a page with charts to this file, too.")
]
Limit = Annotated[
    int | None,
    typer.Option(min=0, help=f"Differing buckets listed; default {SHOWN}, with --json all."),
]
Tenant = Annotated[str, typer.Option(help="This tenant only.")]


def show(outcome: Outcome, *, as_json: bool, html: Path | None, limit: int | None) -> None:
    """Print an outcome, and write its page."""
    if html is not None:
        _write(html, outcome)
    if as_json:
        say_json(outcome.as_json(limit))
    else:
        _tables(outcome, SHOWN if limit is None else limit)


def _write(file: Path, outcome: Outcome) -> None:
    from infra.comparison.page import page
    from schemas.errors import ConfigurationError

    try:
        file.write_text(page(outcome))
    except OSError as error:
        raise ConfigurationError("--html", f"can't write {file.name}: {error.strerror}") from None
    note(f"wrote {file}")


def _tables(outcome: Outcome, most: int) -> None:
    from infra.comparison.outcome import (
        BUCKET_COLUMNS,
        EFFECT_COLUMNS,
        TOTAL_COLUMNS,
        bucket_cells,
        effect_cells,
        example_text,
        total_cells,
    )

    compared = outcome.compared
    for what, value in outcome.about:
        say(f"{what}: {value}")
    closed = f", {compared.closed:,} closed hours left out" if compared.closed else ""
    count = len(compared.differences)
    say(f"{compared.buckets:,} buckets compared{closed}: {count:,} differ")
    names = {"before": outcome.before, "after": outcome.after}
    if count:
        say()
        say_table(_named(TOTAL_COLUMNS, names), map(total_cells, outcome.totals))
        say()
        shown = compared.differences[:most]
        cells = (bucket_cells(outcome, each) for each in shown)
        say_table(_named(BUCKET_COLUMNS, names), cells)
        if count > len(shown):
            say(f"… and {count - len(shown):,} more; see --limit, --json or --html")
    if outcome.effects is None:
        return
    say()
    if not outcome.effects:
        say("effects: the same")
        return
    say_table(EFFECT_COLUMNS, map(effect_cells, outcome.effects), title="effects")
    for change in outcome.effects:
        for example in change.examples:
            say(f"  {change.name} {example_text(example)}")


def _named(columns: tuple[str, ...], names: dict[str, Any]) -> list[str]:
    return [str(names.get(column, column)) for column in columns]
