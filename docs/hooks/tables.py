"""Markdown made from code: tables, and the parts of a Google docstring."""

import ast
import inspect
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType

_ARGUMENT = re.compile(r"^(\w+): (.*)$")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; cells keep their Markdown, `|` is escaped outside and inside code.

    Args:
        columns: Headings.
        rows: One sequence of cells per row, as long as `columns`.
    """
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def code(text: object) -> str:
    """Return inline code; nothing for an empty text."""
    return f"`{text}`" if str(text) else ""


def summary(thing: object) -> str:
    """Return the first paragraph of a docstring, on one line."""
    paragraph = inspect.cleandoc(inspect.getdoc(thing) or "").split("\n\n", 1)[0]
    return " ".join(paragraph.split())


def arguments(thing: object) -> dict[str, str]:
    """Return name → description of the `Args:` section of a Google docstring."""
    found: dict[str, str] = {}
    name, inside = "", False
    for line in inspect.cleandoc(inspect.getdoc(thing) or "").splitlines():
        if line and not line.startswith(" "):
            inside = line == "Args:"
        elif inside and line.startswith("    ") and not line.startswith("     "):
            match = _ARGUMENT.match(line.strip())
            if match:
                name = match[1]
                found[name] = match[2]
        elif inside and line.strip() and name:
            found[name] += " " + line.strip()
    return found


def documented_names(module: ModuleType) -> dict[str, str]:
    """Return name → text of every module constant followed by a string that documents it."""
    body = ast.parse(Path(str(module.__file__)).read_text(encoding="utf8")).body
    found: dict[str, str] = {}
    for statement, after in pairwise(body):
        if (
            isinstance(statement, ast.Assign)
            and isinstance(statement.targets[0], ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            found[statement.targets[0].id] = " ".join(str(after.value.value).split())
    return found
