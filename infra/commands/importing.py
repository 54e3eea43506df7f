"""`daybook import`: a pipeline kept in files, as events with their true times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.output import AsJson, note, say, say_json

if TYPE_CHECKING:
    from infra.pipeline_import.rows import Pipeline
    from infra.pipeline_import.summary import Summary

SHOWN_BAD = 20
DEFAULT_TENANT = "b2b"


def import_(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="b2b-pipeline, or a folder of CSV files.")
    ],
    *,
    tenant: Annotated[str, typer.Option(help="Tenant the events belong to.")] = DEFAULT_TENANT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the files and show totals; send nothing.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Import the good rows although some are bad.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import a sales pipeline. Repeating it changes nothing.

    Example: daybook import b2b-pipeline --dry-run
    """
    from infra.commands.progress_bars import bars
    from infra.pipeline_import.files import locate, texts
    from infra.pipeline_import.reading import read
    from infra.pipeline_import.run import run
    from infra.pipeline_import.summary import summarise
    from infra.settings import load

    folder = locate(name)
    pipeline = read(texts(folder))
    _show_bad(pipeline)
    if pipeline.bad and not skip_bad:
        note(f"{len(pipeline.bad)} bad rows; nothing was sent (--skip-bad imports the others)")
        raise typer.Exit(1)
    summary = summarise(pipeline)
    published: dict[str, object] = {"dry_run": True}
    if not dry_run:
        with bars() as report:
            imported = run(
                pipeline,
                load(),
                tenant=tenant,
                source=f"daybook/import/{folder.name}",
                report=report,
            )
        published = {
            "dry_run": False,
            "events": imported.reference + imported.deals,
            "journal_ends": imported.journal_ends,
        }
    if as_json:
        say_json(
            {
                "tenant": tenant,
                **summary.as_json(),
                "corrections": pipeline.corrections,
                "bad_rows": [row._asdict() for row in pipeline.bad],
                **published,
            }
        )
        return
    _show(summary, pipeline, tenant)
    if not dry_run:
        say(f"{published['events']} events published and folded")


def _show_bad(pipeline: Pipeline) -> None:
    for row in pipeline.bad[:SHOWN_BAD]:
        note(row.text())
    if len(pipeline.bad) > SHOWN_BAD:
        note(f"… and {len(pipeline.bad) - SHOWN_BAD} more")


def _show(summary: Summary, pipeline: Pipeline, tenant: str) -> None:
    say(f"tenant {tenant}: {summary.deals:,} deals")
    say(f"  won {summary.stages.get('won', 0):,} for {summary.won_minor / 100:,.0f} USD")
    say(f"  lost {summary.stages.get('lost', 0):,}, open {summary.open:,}")
    for region, minor in summary.regions_minor.items():
        say(f"  region {region}: {minor / 100:,.0f} USD")
    for outcome, (mean, middle) in summary.cycle_days.items():
        say(f"  {outcome} after {mean:.2f} days on average, median {middle:g}")
    say(f"  {summary.agents} agents, {summary.agents_with_deals} with deals")
    for what, rows in pipeline.corrections.items():
        say(f"  corrected {what}: {rows:,} rows")
    say(f"  {summary.without_account:,} deals without an account: left empty")
    say(f"  {summary.without_date:,} deals without a date: last date of the file, marked so")
