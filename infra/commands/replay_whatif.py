"""`daybook replay what-if`: what another decision would have made of the same journal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.commands.comparing import Html, Limit, Tenant, show
from infra.commands.output import AsJson, note

BEGINNING = "beginning"
File = Annotated[Path, typer.Argument(help="Definitions in YAML, as `daybook apply` reads them.")]


def what_if(
    file: File,
    *,
    from_: Annotated[
        str,
        typer.Option("--from", help="`beginning`, a time, or an offset (1200 or 0:1200,1:1180)."),
    ] = BEGINNING,
    tenant: Tenant = "",
    limit: Limit = None,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Fold the journal offline with other definitions and report what differs. Changes nothing.

    Both courses are folded by this version, in one pass: metric buckets are compared exactly,
    effects (facts, notifications, …) by what they say. A definition the journal applies is
    replaced wherever it does; another one takes effect where the other course begins.

    Example: daybook replay what-if settings.yaml --tenant b2b --html whatif.html
    """
    from infra.commands.definition_log import current
    from infra.commands.definitions import checked
    from infra.commands.progress_bars import bars
    from infra.commands.zones import zones
    from infra.comparison.whatif import Plan
    from infra.comparison.whatif import what_if as fold_both
    from infra.offline.points import parse_point
    from infra.settings import load

    definitions, settings = checked(file), load()
    start = None if from_ == BEGINNING else parse_point(from_, "--from")
    plan = Plan(definitions, start, tenant, zones(current(settings)))
    note("folding the journal in both courses; nothing is written")
    with bars() as report:
        outcome = fold_both(settings, plan, report)
    show(outcome, as_json=as_json, html=html, limit=limit)
