"""`daybook migrate`: bring ClickHouse's schema forward (or back)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.output import AsJson, say, say_json

if TYPE_CHECKING:
    from sinks.clickhouse.migrations import MetricInfo


def catalogue_rows() -> list[MetricInfo]:
    """Return the metric catalogue as ClickHouse keeps it, for BI to present values by."""
    from sinks.clickhouse.migrations import MetricInfo
    from streams.domain.metrics.catalogue import METRICS, RATIOS

    stored = [MetricInfo(m.name, m.unit, m.scale, m.value, m.description) for m in METRICS.values()]
    return stored + [
        MetricInfo(ratio.name, "ratio", 1, "mean", ratio.description) for ratio in RATIOS.values()
    ]


def migrate(
    *,
    to: Annotated[int | None, typer.Option(min=0, help="Stop at this migration.")] = None,
    down: Annotated[bool, typer.Option("--down", help="Go back instead, to --to.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would run.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring ClickHouse's schema up to date. Safe to repeat.

    Example: daybook migrate --dry-run
    """
    from infra.commands.connect import answering, clickhouse
    from infra.settings import load
    from sinks.clickhouse.migrations import migrate as run

    if down and to is None:
        raise typer.BadParameter("--down needs --to N: the last migration to keep")
    client = clickhouse(load())
    with answering("ClickHouse"):
        steps = run(client, to=to, down=down, dry_run=dry_run, metrics=catalogue_rows())
    if as_json:
        say_json([str(step) for step in steps])
        return
    for step in steps:
        say(str(step))
    if not steps:
        say("the schema is up to date")
