"""`daybook simulate`: believable live traffic, for trying things out and for load."""

from __future__ import annotations

import signal
import threading
import time
from typing import Annotated

import typer

from infra.commands.durations import seconds
from infra.commands.group import INTERRUPTED
from infra.commands.output import AsJson, note, say, say_json


def simulate(
    *,
    tenants: Annotated[int, typer.Option(min=1, max=100, help="How many tenants.")] = 3,
    rate: Annotated[float, typer.Option(min=0.1, help="Events per second, all tenants.")] = 50.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same lives.")] = 1,
    for_: Annotated[
        str | None, typer.Option("--for", help="How long, e.g. 60s or 5m; default: until Ctrl-C.")
    ] = None,
    users: Annotated[int, typer.Option(min=1, max=1000, help="Agents of each tenant.")] = 12,
    bad: Annotated[
        float, typer.Option(min=0, max=1, help="Share of events made unreadable.")
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Publish the traffic of a few CRMs: leads, deals, tasks, conversations, messages.

    Example: daybook simulate --rate 200 --for 60s --bad 0.001
    """
    from infra.commands.connect import producer
    from infra.commands.publishing import Publisher
    from infra.settings import load
    from infra.simulate.run import run
    from infra.simulate.traffic import Plan

    for_s = None if for_ is None else seconds(for_)
    start_ms = int(time.time() * 1000)
    plan = Plan(seed=seed, start_ms=start_ms, rate=rate, tenants=tenants, users=users)
    publisher = Publisher(producer(load()))
    if not as_json:
        note(f"simulating {tenants} tenants at {rate:g} events/s; Ctrl-C ends")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # A flag instead of KeyboardInterrupt: that one may strike inside the producer's callback.
        signal.signal(number, lambda *_: stop.set())
    published = run(
        plan, publisher, for_s=for_s, bad_share=bad, stopped=stop.is_set, report=_report
    )
    if as_json:
        say_json(
            {
                "reference": published.reference,
                "traffic": published.traffic,
                "behind_s": round(published.behind_s, 3),
            }
        )
    else:
        say(f"{published.reference} settings and reference events, {published.traffic} events")
    if stop.is_set():
        note("stopped")
        raise typer.Exit(INTERRUPTED)


def _report(count: int, behind_s: float) -> None:
    """Say when the machine can't keep the pace: the rate asked for is then not the rate seen."""
    if behind_s > 1:
        note(f"{count} events, {behind_s:.1f} s behind: the rate is higher than this machine")
