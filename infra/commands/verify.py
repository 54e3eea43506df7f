"""`daybook verify`: prove that every view of the journal says the same, and name what doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.output import AsJson, note, say, say_json, say_table
from schemas.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from infra.settings import Settings
    from infra.verification.comparing import Scope
    from infra.verification.findings import Result
    from schemas.verification import Verification

MAX_SHOWN = 50
MAX_HASH = 8


def verify(
    *,
    tenant: Annotated[str, typer.Option(help="Only this tenant.")] = "",
    from_: Annotated[
        str | None, typer.Option("--from", help="First day of buckets and facts, UTC.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="First day not compared, UTC.")] = None,
    every: Annotated[
        str | None, typer.Option(help="Go on for ever, once in this time (1h): a service.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the worker's tables, ClickHouse, Valkey and a fold of the journal, bucket by bucket.

    Traffic may go on: everything is compared at a cut of the journal that every process has
    passed. Facts and closed hours are compared by counts and hashes. A difference is shown with the
    journal entries behind it; the result is written to ops.verification.v1. Exit 1: they differ.

    Each run leaves snapshots, from which the next one goes on.

    Example: daybook verify --tenant b2b
    """
    from infra.settings import load

    settings, scope = load(), _scope(tenant, from_, to)
    if every is not None:
        _serve(settings, scope, every)
    record, result = _once(settings, scope)
    if as_json:
        say_json(_json(record, result))
    else:
        _show(record, result)
    if not result.parts + result.rows and result.agree:
        note("nothing to compare: no such tenant, or no events yet")
        raise typer.Exit(1)
    if not result.agree:
        raise typer.Exit(1)


def _once(settings: Settings, scope: Scope) -> tuple[Verification, Result]:
    from infra.commands.progress_bars import bars
    from infra.verification.recording import now_ms, of_result, publish
    from infra.verification.verifying import reconcile

    started_ms = now_ms()
    with bars() as report:
        result = reconcile(settings, scope, report).result
    record = of_result(scope.tenant, result, started_ms)
    try:
        publish(settings, record)
    except (Unavailable, ConfigurationError) as problem:
        note(f"not recorded: {problem}")
    return record, result


def _serve(settings: Settings, scope: Scope, every: str) -> None:
    from infra.commands.durations import seconds
    from infra.logging import configure
    from infra.verification.service import Service

    configure(settings.log_format, settings.log_level)
    Service(settings, scope, seconds(every)).run()


def _scope(tenant: str, start: str | None, end: str | None) -> Scope:
    from infra.verification.comparing import Scope

    whole = Scope(tenant)
    return Scope(
        tenant,
        whole.start_ms if start is None else _day_ms("--from", start),
        whole.end_ms if end is None else _day_ms("--to", end),
    )


def _day_ms(option: str, text: str) -> int:
    from datetime import UTC, date, datetime, time

    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(option, str(error)) from None
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)


def _json(record: Verification, result: Result) -> dict[str, Any]:
    shown = record._asdict()
    del shown["findings"]
    return {
        **shown,
        "begun_at": [result.begun_at[partition] for partition in sorted(result.begun_at)],
        "compared": result.table(),
        "findings": [each.as_json() for each in result.findings],
    }


def _show(record: Verification, result: Result) -> None:
    rows = [
        (
            each["tenant"],
            each["what"],
            f"{each['fold']['rows']:,}",
            each["fold"]["hash"][:MAX_HASH],
            "equal" if each["agree"] else "DIFFERENT",
        )
        for each in result.table()
    ]
    say_table(("tenant", "what", "compared", "hash", "result"), rows)
    for finding in result.findings[:MAX_SHOWN]:
        for line in finding.lines():
            say(line)
    hidden = len(result.findings) - MAX_SHOWN
    if hidden > 0:
        say(f"and {hidden:,} more")
    at = ",".join(f"{p}:{offset}" for p, offset in sorted(result.cuts.items()))
    say(
        f"{record.outcome}: {record.parts:,} parts of buckets, {record.facts:,} facts, "
        f"{record.differences:,} differ; compared at journal offsets {at}, "
        f"{record.folded:,} entries folded in {(record.ended_ms - record.started_ms) / 1000:.1f} s"
    )
