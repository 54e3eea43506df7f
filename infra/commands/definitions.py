"""`daybook apply|get|validate`: definitions, kept in YAML files, in effect by the journal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.output import AsJson, note, say, say_json

if TYPE_CHECKING:
    from infra.commands.definition_files import Definition

File = Annotated[Path, typer.Option("-f", "--file", help="YAML; several documents by `---`.")]


def apply(
    *,
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Report the journal offsets at which it took effect.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Apply definitions; those that are in effect already are left alone.

    Example: daybook apply -f settings.yaml --wait
    """
    from infra.commands.connect import producer
    from infra.commands.definition_files import change
    from infra.commands.definition_log import current, outgoing, took_effect
    from infra.commands.publishing import Publisher
    from infra.settings import load

    definitions, settings = checked(file), load()
    known = current(settings)
    rows: list[dict[str, object]] = []
    events = []
    for definition in definitions:
        before = known.get((definition.tenant, definition.event.kind, definition.event.id))
        what = change(definition, before.event if before else None)
        row: dict[str, object] = {"definition": definition.name, "change": what}
        rows.append(row)
        if what != "unchanged":
            event = outgoing(definition, int(time.time() * 1000))
            events.append((row, event))
    if events and not dry_run:
        publisher = Publisher(producer(settings))
        if wait:
            places = took_effect(settings, publisher, [event for _, event in events])
            for row, event in events:
                row["took_effect"] = dict(sorted(places[event.id].items()))
        else:
            for _, event in events:
                publisher.put(event.record())
            publisher.flush()
    _show(rows, as_json=as_json, dry_run=dry_run)


def get(
    kind: Annotated[str | None, typer.Argument(help="Only this kind, e.g. settings.")] = None,
    *,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the definitions in effect, as YAML that `apply` reads.

    Example: daybook get settings --tenant b2b > settings.yaml
    """
    import yaml

    from infra.commands.definition_log import current
    from infra.settings import load

    found = [
        definition.as_json()
        for (whose, what, _), definition in sorted(current(load()).items())
        if tenant in (None, whose) and kind in (None, what)
    ]
    if as_json:
        say_json(found)
    elif found:
        say(yaml.safe_dump_all(found, sort_keys=False, allow_unicode=True).rstrip())
    if not found:
        note("no such definition")
        raise typer.Exit(1)


def validate(*, file: File, as_json: AsJson = False) -> None:
    """Check a file of definitions without applying it.

    Example: daybook validate -f settings.yaml
    """
    definitions = checked(file)
    if as_json:
        say_json([definition.as_json() for definition in definitions])
        return
    for definition in definitions:
        say(f"{definition.name}: valid")


def checked(file: Path) -> list[Definition]:
    """Return the definitions of a file, or print every problem and exit 1."""
    from infra.commands.definition_files import read_file

    definitions, problems = read_file(file)
    for problem in problems:
        note(problem.text(file.name))
    if not problems and not definitions:
        note(f"{file.name} holds no definition")
    if problems or not definitions:
        raise typer.Exit(1)
    return definitions


def _show(rows: list[dict[str, object]], *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        say_json(rows)
        return
    for row in rows:
        places = row.get("took_effect")
        where = ""
        if isinstance(places, dict):
            where = " at " + ", ".join(f"{p}:{offset}" for p, offset in places.items())
        would = "would be " if dry_run and row["change"] != "unchanged" else ""
        say(f"{row['definition']}: {would}{row['change']}{where}")
