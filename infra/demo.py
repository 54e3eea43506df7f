"""`daybook demo`: the whole stack, a real pipeline imported, live traffic, figures that move."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.group import INTERRUPTED, NEGATIVE
from infra.commands.output import AsJson, note, say, say_json

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from infra.commands.board import Board
    from infra.embedded.running import RunningStack
    from infra.settings import Settings
    from infra.simulate.traffic import Plan

EXAMPLE = "b2b-pipeline"
TENANT = "b2b"
RATE = 50.0
ENDS = (signal.SIGINT, signal.SIGTERM)


def demo(
    *,
    speed: Annotated[float, typer.Option(min=0.1, help="Times 50 simulated events/s.")] = 1.0,
    for_: Annotated[
        str | None, typer.Option("--for", help="Traffic lasts so long; default: until Ctrl-C.")
    ] = None,
    until_imported: Annotated[
        bool,
        typer.Option(
            "--until-imported", help="No traffic: end when the import is seen everywhere."
        ),
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave the stack running at the end.")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="Data directory; default: .daybook.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete its data first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start everything, import the example pipeline, simulate traffic, show figures moving.

    Traffic begins when the import is done. Ctrl-C ends it: what has been published is waited for
    and shown; a second Ctrl-C, or one during the import, ends at once with 130. A stack that
    already runs in the data directory is used, and left running.

    Example: daybook demo --for 60s
    """
    from infra.commands.durations import seconds

    for_s = None if for_ is None else seconds(for_)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        with _stack(data, fresh=fresh, detach=detach) as (settings, endpoints):
            up_s = time.monotonic() - began
            totals = _play(settings, _plan(speed), for_s, traffic=not until_imported)
            all_s = time.monotonic() - began
    except KeyboardInterrupt:
        note("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    seconds_taken = {"up": round(up_s, 1), "all": round(all_s, 1)}
    _show({**totals, "seconds": seconds_taken, "endpoints": endpoints}, as_json=as_json)
    if not totals["agree"]:
        raise typer.Exit(NEGATIVE)


@contextmanager
def _stack(
    data: Path | None, *, fresh: bool, detach: bool
) -> Iterator[tuple[Settings, dict[str, str]]]:
    """Have a stack run while the block does; one that ran before, or is detached, stays."""
    from infra.embedded.running import RunningStack
    from infra.settings import load

    where = load().data if data is None else data
    stack = None if fresh else RunningStack.find(where)
    if stack is None:
        stack = _start(where, fresh=fresh, detach=detach)
    else:
        note(f"using the stack that runs in {where}")
        detach = True
    try:
        found = stack.endpoints.model_dump(exclude_none=True)
        yield (
            load(
                data=where,
                kafka=found["kafka"],
                valkey_url=found["valkey"],
                clickhouse_url=found["clickhouse"],
            ),
            found,
        )
    finally:
        if detach:
            note(f"the stack stays up; `daybook dev down --data {where}` stops it")
        else:
            note("stopping the stack")
            stack.stop()


def _start(where: Path, *, fresh: bool, detach: bool) -> RunningStack:
    from infra.commands.progress_bars import bars
    from infra.dev import StartReport
    from infra.embedded.jars import ensure_jars
    from infra.embedded.running import RunningStack

    cache = Path.home() / ".cache" / "daybook"
    with bars() as report:
        ensure_jars(cache, on_progress=lambda n, all_: report("fetching Kafka, once", n, all_))
    with _said_when_interrupted():
        return RunningStack.start(
            where, cache=cache, fresh=fresh, detach=detach, on_status=StartReport()
        )


@contextmanager
def _said_when_interrupted() -> Iterator[None]:
    """Say at once that a start is being undone: that takes seconds, and starting does it itself."""

    def interrupt(*_: object) -> None:
        # Not `note`: this may strike while a line is being written, whose buffer is then locked.
        os.write(2, b"stopping what has been started\n")
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _plan(speed: float) -> Plan:
    from infra.simulate.traffic import Plan

    return Plan(seed=1, start_ms=int(time.time() * 1000), rate=RATE * speed)


def _play(settings: Settings, plan: Plan, for_s: float | None, *, traffic: bool) -> dict[str, Any]:
    """Import, then simulate if wanted, under the view; return the totals once all has arrived.

    Raises:
        KeyboardInterrupt: before the import was done, or for the second time.
    """
    from infra.commands.acts import Acts, Job
    from infra.commands.board import Board, Money, watch
    from infra.commands.connect import valkey
    from infra.commands.settling import settle
    from infra.generations.registry import generation_of, resolved
    from infra.simulate.traffic import tenants

    settings = resolved(settings)
    board, acts = Board(), Acts()
    money, simulation = {TENANT: Money("USD", 100)}, None
    if traffic:
        money |= {t.id: Money(t.market.currency, t.market.minor) for t in tenants(plan)}
        simulation = partial(_simulate, settings, plan, for_s, board, acts.stop)
    client = valkey(settings)
    job = Job(
        lambda: acts.play(
            lambda: _import(settings, board),
            simulation,
            lambda: settle(settings, report=_stage(board, "waiting")),
        )
    )
    acts.until(
        lambda: watch(board, client, generation_of(settings), money, lambda: not job.is_running())
    )
    job.is_running()
    return _totals(settings, job.result)


def _stage(board: Board, act: str) -> Callable[[str, int, int], None]:
    """Return a report of stages that names the act they belong to."""
    return lambda name, done, total: board.stage(f"{act}: {name}", done, total)


def _import(settings: Settings, board: Board) -> int:
    from infra.pipeline_import.files import locate, texts
    from infra.pipeline_import.reading import read
    from infra.pipeline_import.run import run

    pipeline = read(texts(locate(EXAMPLE)))
    imported = run(
        pipeline,
        settings,
        tenant=TENANT,
        source=f"daybook/import/{EXAMPLE}",
        report=_stage(board, "import"),
    )
    return imported.reference + imported.deals


def _simulate(
    settings: Settings, plan: Plan, for_s: float | None, board: Board, stop: threading.Event
) -> int:
    from infra.commands.connect import producer
    from infra.commands.publishing import Publisher
    from infra.simulate.run import run

    published = run(
        replace(plan, start_ms=int(time.time() * 1000)),  # it waited for the import
        Publisher(producer(settings)),
        for_s=for_s,
        stopped=stop.is_set,
        report=board.traffic,
    )
    return published.traffic


def _totals(settings: Settings, imported: int) -> dict[str, Any]:
    from infra.commands.totals import from_clickhouse, from_valkey

    in_clickhouse, in_valkey = from_clickhouse(settings, TENANT), from_valkey(settings, TENANT)
    return {
        "tenant": TENANT,
        "imported_events": imported,
        "clickhouse": in_clickhouse,
        "valkey": in_valkey,
        "agree": in_clickhouse == in_valkey,
    }


def _show(totals: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(totals)
        return
    shown = totals["clickhouse"]
    say(f"tenant {totals['tenant']}: {totals['imported_events']:,} events imported")
    say(
        f"  {shown['deals_created']:,} deals: {shown['deals_won']:,} won, "
        f"{shown['deals_lost']:,} lost, {shown['open_deals']:,} open"
    )
    say(f"  won {shown['won_amount'] / 100:,.0f} USD, win rate {shown['win_rate']:.1%}")
    for region, minor in shown["regions"].items():
        say(f"  {region}: {minor / 100:,.0f} USD")
    say(f"  ClickHouse and Valkey {'agree' if totals['agree'] else 'DISAGREE'}")
    say(f"  up after {totals['seconds']['up']} s, all seen after {totals['seconds']['all']} s")
    for name, url in totals["endpoints"].items():
        say(f"  {name:<12}{url}")
