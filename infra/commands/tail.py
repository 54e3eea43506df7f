"""`daybook tail`: what is in a topic, decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.output import AsJson, note, say, say_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORT = {
    "crm.definition.v1": ("tenant", "type", "data"),
    "journal.v1": ("time", "tenant", "subject", "type", "data"),
    "derived.effect.v1": ("time", "tenant", "subject", "kind", "name", "data"),
    "derived.metric.v1": (
        "tenant", "metric", "grain", "bucket", "dimension", "member", "count", "sum",
    ),
    "derived.push.v1": ("time", "tenant", "channel", "id", "data"),
    "dlq.v1": ("headers",),
    "ops.verification.v1": (
        "ended", "scope", "generation", "outcome", "parts", "facts", "differences", "problem",
    ),
    "ops.generation.v1": ("time", "number", "state", "origin", "note"),
}  # fmt: skip
UPSTREAM_SHORT = ("time", "tenant", "subject", "type", "data")


def tail(
    topic: Annotated[str, typer.Argument(help="Topic, e.g. journal.v1 or crm.deal.v1.")],
    *,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the first record kept.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="Stop after N records; 0: go on.")] = 0,
    tenant: Annotated[str | None, typer.Option(help="Only records of this tenant.")] = None,
    ticks: Annotated[bool, typer.Option("--ticks", help="Show the journal's ticks too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Follow a topic and print its records decoded, one a line. Ctrl-C ends it.

    Example: daybook tail derived.effect.v1 --tenant b2b --from-beginning --limit 10
    """
    from infra.commands.decoding import decode
    from infra.commands.log_reader import follow
    from infra.settings import load

    if not from_beginning:
        note(f"waiting for records of {topic}; Ctrl-C ends")
    records = follow(load(), topic, from_beginning=from_beginning)
    shown = (decode(record) for record in records)
    for count, record in enumerate(_chosen(shown, tenant, ticks=ticks), start=1):
        if as_json:
            say_json(record, indent=None)
        else:
            say(line(record))
        if count == limit:
            return


def _chosen(
    records: Iterable[dict[str, Any]], tenant: str | None, *, ticks: bool
) -> Iterator[dict[str, Any]]:
    for record in records:
        if tenant is not None and record.get("tenant") != tenant:
            continue
        if record.get("kind") == "tick" and not ticks:
            continue
        yield record


def line(record: dict[str, Any]) -> str:
    """Return a decoded record as one line for people."""
    where = f"{record['partition']}:{record['offset']}"
    if "problem" in record:
        return f"{where}  ! {record['problem']}"
    names = SHORT.get(record["topic"], UPSTREAM_SHORT)
    parts = [_cell(record[name]) for name in names if record.get(name) not in (None, "")]
    if record.get("kind") == "tick":
        parts.append("tick")
    if not parts:
        parts = [_cell({k: v for k, v in record.items() if k not in {"topic", "partition"}})]
    return f"{where}  {'  '.join(parts)}"


def _cell(value: object) -> str:
    if isinstance(value, dict):
        filled = {k: v for k, v in value.items() if v not in (None, "", [], 0, False)}
        return " ".join(f"{k}={v}" for k, v in filled.items())
    return str(value)
