"""`daybook doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

import typer

from infra.commands.output import AsJson, say, say_json


def doctor(*, as_json: AsJson = False) -> None:
    """Check engines, topics, schemas, migrations, every process, dead letters.

    Exits 1 when something is wrong; each such line says what to do.

    Example: daybook doctor --json
    """
    from infra.commands.checks import examine
    from infra.settings import load

    found = []
    for finding in examine(load()):
        found.append(finding)
        if not as_json:
            mark = "ok   " if finding.ok else "WRONG"
            todo = f"  → {finding.todo}" if finding.todo else ""
            say(f"{mark} {finding.check:<13}{finding.detail}{todo}")
    if as_json:
        say_json([finding._asdict() for finding in found])
    if not all(finding.ok for finding in found):
        raise typer.Exit(1)
