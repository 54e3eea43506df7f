"""`daybook replay diff`: what a generation says differently, exactly, while events keep coming."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from infra.commands.comparing import Html, Limit, Tenant, show
from infra.commands.group import NEGATIVE
from infra.commands.output import AsJson, note

Grain = Literal["day", "hour", "all", "any"]
Number = Annotated[int, typer.Argument(help="Number of the generation; see `replay list`.")]


def diff(  # noqa: PLR0913 - one argument per option
    number: Number,
    *,
    against: Annotated[
        int | None, typer.Option(help="Compare with this one; default: the live one.")
    ] = None,
    tenant: Tenant = "",
    metric: Annotated[str, typer.Option(help="This metric only.")] = "",
    grain: Annotated[Grain, typer.Option(help="Buckets of this size only.")] = "any",
    limit: Limit = None,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Compare a generation with the live one, bucket by bucket; exit 1 when they differ.

    Both are compared at the journal offsets that both have applied, by count, sum, extremes and
    sketch, whatever comes in meanwhile. Neither has to run. A generation of one tenant or some
    metrics is compared in what it holds.

    Example: daybook replay diff 2 --tenant b2b --metric deals_won --html diff.html
    """
    from infra.commands.metric_rows import names, parts
    from infra.commands.progress_bars import bars
    from infra.comparison.buckets import Choice
    from infra.comparison.generations import compare_generations
    from infra.settings import load

    metrics = frozenset(parts(names(metric)[0])) if metric else frozenset[str]()
    grains = frozenset[str]() if grain == "any" else frozenset({grain})
    with bars() as report:
        outcome = compare_generations(
            load(), number, against, Choice(tenant, metrics, grains), report
        )
    show(outcome, as_json=as_json, html=html, limit=limit)
    if not outcome.compared.buckets:
        note("nothing to compare: neither generation holds a bucket of that choice")
        raise typer.Exit(NEGATIVE)
    if not outcome.equal:
        raise typer.Exit(NEGATIVE)
