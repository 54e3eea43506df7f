"""`daybook metrics`: the catalogue, current values, and what was known at a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from infra.commands.output import AsJson, note, say_json, say_table
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from infra.commands.metric_rows import Period
    from infra.settings import Settings

Grain = Literal["hour", "day", "all"]
Between = tuple[str | None, str | None]

app = typer.Typer(
    help="Metrics: what there is, what they say, what was known when.", no_args_is_help=True
)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the metrics: unit, dimensions, meaning.

    Example: daybook metrics list
    """
    from infra.commands.metric_rows import listed

    found: list[dict[str, Any]] = [
        {
            "metric": each.name,
            "unit": each.unit,
            "grains": list(each.grains),
            "dimensions": list(each.dimensions),
            "description": each.description,
        }
        for each in listed()
    ]
    if as_json:
        say_json(found)
        return
    say_table(
        ("metric", "unit", "dimensions", "meaning"),
        [(m["metric"], m["unit"], ", ".join(m["dimensions"]), m["description"]) for m in found],
    )


@app.command()
def show(  # noqa: PLR0913 - one argument per option
    name: Annotated[str | None, typer.Argument(help="One metric; default: all.")] = None,
    *,
    tenant: Annotated[str | None, typer.Option(help="Tenant; default: all there are.")] = None,
    grain: Annotated[Grain, typer.Option(help="Size of the buckets.")] = "all",
    by: Annotated[
        str, typer.Option(help="Break down by: agent, team, region, product, campaign …")
    ] = "",
    from_: Annotated[
        str | None, typer.Option("--from", help="First date or time, in the tenant's zone.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="First date or time not shown.")] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            help="What was known then: an offset, 0:12,1:9,… or a time (UTC) of the journal.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show current values from Valkey, or what was known at a point of the journal.

    --from and --to choose buckets by the time of the events. --as-of folds the journal up to a
    point of its own, from the nearest snapshot, and shows what had been learned by then: entries
    below an offset, or those written before a time.

    `daybook verify` proves that they are right.

    Example: daybook metrics show won_amount --tenant b2b --by region
    """
    from infra.commands.metric_rows import broken_down
    from infra.settings import load

    metrics = broken_down(name, by)
    settings = load()
    if as_of is not None:
        _show_as_of(settings, as_of, tenant, metrics, (grain, by, (from_, to)), as_json=as_json)
        return
    chosen = _tenants(settings) if tenant is None else [tenant]
    found = [
        row for each in chosen for row in _rows(settings, each, metrics, grain, by, (from_, to))
    ]
    if as_json:
        say_json(found)
    else:
        _show(found, grain)
    if not found:
        note("no values; is `daybook live` running, and is the name right (`metrics list`)?")
        raise typer.Exit(1)


def _rows(
    settings: Settings,
    tenant: str,
    metrics: list[str],
    grain: Grain,
    by: str,
    between: Between,
) -> list[dict[str, Any]]:
    from infra.commands.connect import answering, valkey
    from infra.commands.metric_rows import parts, rows
    from infra.commands.zones import zone_of
    from infra.generations.registry import generation_of
    from sinks.live.read import read_metric

    client, zone = valkey(settings), zone_of(settings, tenant)
    shown = _period(between, zone)
    generation = generation_of(settings)
    found = []
    for metric in metrics:
        with answering("Valkey"):
            buckets = {
                part: read_metric(client, generation, tenant, part, grain, by)
                for part in parts(metric)
            }
        found += _named(tenant, zone, rows(metric, grain, by, buckets, shown))
    return found


def _period(between: Between, zone: str) -> Period:
    from infra.commands.metric_rows import period

    try:
        return period(*between, zone)
    except ValueError as error:
        raise ConfigurationError("--from/--to", str(error)) from None


def _named(tenant: str, zone: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from infra.commands.metric_rows import bucket_text

    return [
        {"tenant": tenant, "bucket": bucket_text(row["bucket_ms"], row["grain"], zone), **row}
        for row in rows
    ]


def _show_as_of(
    settings: Settings,
    as_of: str,
    tenant: str | None,
    metrics: list[str],
    wanted: tuple[Grain, str, Between],
    *,
    as_json: bool,
) -> None:
    from infra.commands.metric_rows import parts, rows
    from infra.commands.metrics_as_of import known_then
    from infra.commands.progress_bars import bars

    grain, by, between = wanted
    stored = {part for metric in metrics for part in parts(metric)}
    with bars() as report:
        known = known_then(settings, as_of, tenant, stored, (grain, by), report)
    found = [
        row
        for each, buckets in sorted(known.buckets.items())
        for metric in metrics
        for row in _named(
            each,
            known.zones.get(each, "UTC"),
            rows(metric, grain, by, buckets, _period(between, known.zones.get(each, "UTC"))),
        )
    ]
    if as_json:
        say_json({"as_of": as_of, "offsets": known.cuts, "rows": found})
    else:
        _show(found, grain)
    at = ",".join(f"{partition}:{offset}" for partition, offset in known.cuts.items())
    note(f"as of journal offsets {at}: entries below them")
    if not found:
        raise typer.Exit(1)


def _tenants(settings: Settings) -> list[str]:
    """Return the tenants Valkey knows of."""
    from infra.commands.connect import answering, valkey
    from infra.generations.registry import generation_of

    client, generation = valkey(settings), generation_of(settings)
    with answering("Valkey"):
        keys = list(client.scan_iter(f"db:{generation}:*:all:", count=1_000))
    return sorted({bytes(key).decode().split(":", 3)[2] for key in keys})


def _show(found: list[dict[str, Any]], grain: Grain) -> None:
    columns = ["tenant", "metric", *([] if grain == "all" else ["bucket"])]
    if any(row["dimension"] for row in found):
        columns.append("member")
    columns += ["value", "unit", "count"]
    if any("p50" in row for row in found):
        columns += ["p50", "p90", "p99"]
    say_table(columns, [[_number(row.get(column)) for column in columns] for row in found])


def _number(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
