"""`daybook schemas`: what crosses a process, a disk or a wire, and whether it stays readable."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.commands.output import AsJson, say, say_json, say_table
from schemas.avro import SINGLE_OBJECT_MARKER, full_name, schema_of
from schemas.cloudevents import write_binary, write_structured
from schemas.compatibility import next_version, problems
from schemas.errors import ConfigurationError
from schemas.events.event import Event
from schemas.released import RECORDS, Release, file_name, releases_of

app = typer.Typer(help="Show and check the schemas of events, rows and outputs.",
                  no_args_is_help=True)  # fmt: skip

_EXAMPLE_MS = 1_767_225_600_000
"""2026-01-01, so that an example is the same each time."""


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List every schema: kind, version, fingerprint, event type.

    Example: daybook schemas list --json
    """
    rows = [_row(record, release) for record in RECORDS for release in releases_of(record)]
    if as_json:
        say_json(rows)
        return
    columns = ("file", "version", "fingerprint", "type")
    say_table(columns, [[row[column] for column in columns] for row in rows])


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="DealWon, crm.deal.won.v1 or a full Avro name.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Print a schema and, for an event, an example in both CloudEvents modes.

    Example: daybook schemas show crm.deal.won.v1
    """
    record = _record(name)
    about: dict[str, Any] = {
        "name": full_name(record),
        "about": (record.__doc__ or "").strip().partition("\n")[0],
        "versions": [_row(record, release) for release in releases_of(record)],
        "avro": schema_of(record),
    }
    if issubclass(record, Event):
        about |= _examples(record)
    if as_json:
        say_json(about)
        return
    say(f"{about['name']}: {about['about']}")
    for part in ("avro", "binary", "structured"):
        if part in about:
            say(f"\n{part}")
            say(json.dumps(about[part], indent=2, ensure_ascii=False))


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """Check that every class matches its newest schema and reads all older ones.

    Exits 1 when not. Example: daybook schemas check
    """
    found = problems()
    if as_json:
        say_json({"records": len(RECORDS), "problems": found})
    else:
        for problem in found:
            say(problem)
        say(f"{len(RECORDS)} schemas checked, {len(found) or 'no'} problems")
    if found:
        raise typer.Exit(1)


@app.command()
def write(
    *,
    unreleased: Annotated[
        bool,
        typer.Option(
            help="Overwrite the newest version: only while nothing written with it is kept."
        ),
    ] = False,
    directory: Annotated[
        Path, typer.Option(help="Where the schemas are kept: schemas/avro of a checkout.")
    ] = Path("schemas/avro"),
    as_json: AsJson = False,
) -> None:
    """For developers: write a new version of each schema whose class changed.

    Example: daybook schemas write
    """
    if not directory.is_dir():
        raise ConfigurationError("--directory", f"{directory} is no directory; run in a checkout")
    written: list[str] = []
    for record in RECORDS:
        versions = releases_of(record)
        version = next_version(record, versions)
        if version is None:
            continue
        if unreleased and versions:
            version = versions[-1].version
        path = directory / file_name(full_name(record), version)
        text = json.dumps(schema_of(record), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
        written.append(path.name)
    if as_json:
        say_json({"written": written})
        return
    for file in written:
        say(f"wrote {file}")
    if not written:
        say("every schema is what its class is")


def _row(record: type, release: Release) -> dict[str, Any]:
    return {
        "name": release.name,
        "kind": release.name.split(".")[1],
        "version": release.version,
        "fingerprint": release.header.removeprefix(SINGLE_OBJECT_MARKER).hex(),
        "type": record.TYPE if issubclass(record, Event) else None,
        "file": release.file_name,
    }


def _record(name: str) -> type:
    """Return the class a person means.

    Raises:
        ConfigurationError: There is none, or more than one.
    """
    found = [
        record
        for record in RECORDS
        if name in (record.__name__, full_name(record), full_name(record).removeprefix("daybook."))
        or (issubclass(record, Event) and name == record.TYPE)
    ]
    if len(found) == 1:
        return found[0]
    hint = (
        f"is one of {', '.join(map(full_name, found))}"
        if found
        else "is no schema; see `daybook schemas list`"
    )
    raise ConfigurationError("NAME", f"{name!r} {hint}")


def _examples(record: type[Event]) -> dict[str, object]:
    """Return one event in both content modes, as text a person can send."""
    event = record.model_validate(record.EXAMPLE)
    headers, value = write_binary(
        event, id="1", source="crm/example", tenant="acme", time_ms=_EXAMPLE_MS, actor="user/7"
    )
    _, structured = write_structured(headers, value)
    return {
        "binary": {
            "headers": {key: text.decode() for key, text in headers},
            "value": json.loads(value),
        },
        "structured": json.loads(structured),
    }
