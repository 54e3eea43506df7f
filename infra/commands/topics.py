"""`daybook topics`: make the topics what `schemas.topics` says they are, and show them."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.commands.output import AsJson, say, say_json, say_table

app = typer.Typer(help="Create and describe Daybook's Kafka topics.", no_args_is_help=True)


@app.command()
def create(
    *,
    replication: Annotated[
        int, typer.Option(min=-1, help="Copies of each partition; -1: the broker's default.")
    ] = -1,
    as_json: AsJson = False,
) -> None:
    """Create missing topics and correct the settings of those that exist. Safe to repeat.

    Example: daybook topics create
    """
    from infra.commands.connect import admin
    from infra.commands.topic_state import converge, wanted
    from infra.settings import load

    settings = load()
    steps = converge(admin(settings), wanted(settings), replication)
    if as_json:
        say_json([step._asdict() for step in steps])
        return
    for step in steps:
        say(f"{step.topic}: {step.action}")
    if not steps:
        say("all topics are as they should be")


@app.command()
def describe(*, as_json: AsJson = False) -> None:
    """Show every topic: key, partitions, records, and what differs from what it should be.

    Example: daybook topics describe --json
    """
    from infra.commands.connect import admin
    from infra.commands.topic_state import inspect, wanted
    from infra.settings import load

    settings = load()
    found = inspect(admin(settings), wanted(settings))
    if as_json:
        say_json([state.as_json() for state in found])
        return
    say_table(
        ("topic", "key", "partitions", "records", "about", "state"),
        [
            (s.topic.name, s.topic.key, s.partitions, s.records, s.topic.about, s.problem or "ok")
            for s in found
        ],
    )
