"""The page of the command line, from the typer application."""

import inspect
from collections.abc import Iterator
from typing import Any

import typer
from tables import code, table

from infra.cli import app


def page() -> str:
    """Return the page: every command with its usage, its options and its example."""
    root = typer.main.get_command(app)
    parts = [
        "# Command line\n",
        (
            "Generated from `infra/cli.py`; the same as `daybook COMMAND --help`. Exit codes: `0` "
            "fine, `1` a negative answer, `2` wrong usage or configuration, `70` stopped because "
            "going on could lose or double something "
            "([runbook](../operations/runbook.md#exit-70)).\n"
        ),
    ]
    for path, command in commands(root, "daybook"):
        parts += _command(path, command)
    return "\n".join(parts)


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield (`daybook topics create`, command) of every command below a group, in its order."""
    for name in command.list_commands(None):  # not `.commands`: some groups are filled when asked
        each = command.get_command(None, name)
        below = f"{path} {name}"
        if hasattr(each, "list_commands"):
            yield from commands(each, below)
        else:
            yield below, each


def _command(path: str, command: Any) -> Iterator[str]:
    yield f"## {path}\n"
    context = command.make_context(path, [], resilient_parsing=True)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    yield f"```text\n{usage}\n```\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("Example: "):
            yield f"```console\n$ {' '.join(paragraph.removeprefix('Example: ').split())}\n```\n"
        else:
            yield paragraph.replace("\b", "").strip() + "\n"
    rows = [
        (code(name), text)
        for name, text in (each.get_help_record(context) or ("", "") for each in command.params)
        if name and not name.startswith("--help")
    ]
    if rows:
        yield table(("option", "meaning"), rows)
