"""What commands print: JSON for programs, tables and lines for people."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDE = 240
"""Columns of a table that isn't read on a terminal."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def say(text: str = "") -> None:
    """Print one line of the answer on standard output, at once: the reader may be a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Print one line about what is going on, on standard error: not part of the answer."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def say_json(value: object, *, indent: int | None = 2) -> None:
    """Print one JSON document; keys keep their order, dates become ISO 8601 text."""
    sys.stdout.write(json.dumps(value, indent=indent, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table; piped into a file it is as wide as it needs to be."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", show_edge=False, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, overflow="fold" if index else "ellipsis")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    wide = None if sys.stdout.isatty() else WIDE
    Console(file=sys.stdout, width=wide).print(table)
