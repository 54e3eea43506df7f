"""The pages as documents whose blocks can be run: Sybil with our evaluators."""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typer
import yaml
from sybil import Document, Example, Region, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

from infra.cli import app
from schemas.cloudevents import read
from schemas.definitions.settings import KINDS
from streams.domain.metrics.catalogue import Metric
from streams.domain.module import Module

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
NOW_MS = 2_000_000_000_000

_MARK = re.compile(r"<!-- (needs|run): (\w+) -->\s*$")
_COMMAND = re.compile(r"^\$ (?P<command>.+)$", re.MULTILINE)
_TARGET = re.compile(r"^([\w-]+):", re.MULTILINE)

Register = Callable[[object], None]


def name_of(page: Path) -> str:
    """Return a page's path in the repository: the name of its test."""
    return page.relative_to(ROOT).as_posix()


class Blocks:
    """Finds the fenced blocks of one language that need what is available.

    Args:
        language: After the three backticks.
        evaluate: What to do with a block.
        available: Engines there are; a block marked `<!-- needs: kafka -->` is left out without.
    """

    def __init__(
        self, language: str, evaluate: Callable[[Example], None], available: frozenset[str]
    ) -> None:
        self._parser = CodeBlockParser(language, evaluate)
        self._available = available

    def __call__(self, document: Document) -> Iterable[Region]:
        """Return the regions to evaluate."""
        for region in self._parser(document):
            kind, what = mark_before(document, region.start)
            if kind != "needs" or what in self._available:
                yield region


def mark_before(document: Document, start: int) -> tuple[str, str]:
    """Return (`needs` or `run`, what) of the comment right before a block, or two empty texts."""
    found = _MARK.search(document.text, 0, start)
    return (found[1], found[2]) if found else ("", "")


def python_block(register: Register) -> Callable[[Example], None]:
    """Return the evaluator of Python blocks.

    Args:
        register: Gets each `Module` and `Metric` that a block marked `run: module` or `run: metric`
            made; of one marked `run: test` the tests are called.
    """
    run = PythonEvaluator()

    def evaluate(example: Example) -> None:
        before = dict(example.namespace)
        run(example)
        new = [value for name, value in example.namespace.items() if before.get(name) is not value]
        kind, what = mark_before(example.document, example.start)
        if (kind, what) == ("run", "test"):
            for each in new:
                if getattr(each, "__name__", "").startswith("test_"):
                    each()
        elif kind == "run":
            for each in new:
                if isinstance(each, Module | Metric):
                    register(each)

    return evaluate


def json_block(example: Example) -> None:
    """Parse a JSON block; a CloudEvent must be one that ingest takes."""
    parsed = json.loads(example.parsed)
    if "specversion" in parsed:
        read([("content-type", b"application/cloudevents+json")], example.parsed.encode(),
             now_ms=NOW_MS)  # fmt: skip


def yaml_block(example: Example) -> None:
    """Parse a YAML block; a definition must fit the model of its kind."""
    for parsed in yaml.safe_load_all(example.parsed):
        if "kind" in parsed:
            KINDS[parsed["kind"]].model_validate_json(json.dumps(parsed["spec"]))


def console_block(example: Example) -> None:
    """Check every command of a console block, without running it."""
    for found in _COMMAND.finditer(example.parsed):
        check_command(found["command"])


def check_command(line: str) -> None:
    """Check that a command line names a command, options and arguments that exist.

    Raises:
        AssertionError: It isn't one of ours, and not one a reader can be expected to know.
        typer's usage error: An option or argument is wrong.
    """
    words = shlex.split(line.partition("|")[0].partition(">")[0])
    while words and "=" in words[0]:
        words.pop(0)
    if words[0] == "daybook":
        command, rest = find_command(words[1:])
        command.make_context(line, rest)
    elif words[0] == "make":
        targets = _TARGET.findall((ROOT / "Makefile").read_text(encoding="utf8"))
        assert words[1] in targets, f"no target {words[1]} in the Makefile"
    else:
        assert words[0] in {"export", ".venv/bin/pytest"}, f"unknown program: {line}"


@cache
def root_command() -> Any:
    """Return `daybook` as the parser sees it."""
    return typer.main.get_command(app)


def find_command(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that words begin with, and the words after its name."""
    command = root_command()
    rest = list(words)
    while rest and hasattr(command, "get_command"):
        command = command.get_command(None, rest.pop(0))
        assert command is not None, f"no command `daybook {' '.join(words)}`"
    return command, rest


def no_block(_: Example) -> None:
    """Leave a block alone."""


def examples(
    page: Path,
    register: Register,
    *,
    available: frozenset[str] = frozenset(),
    namespace: Mapping[str, object] | None = None,
    sql: Callable[[Example], None] = no_block,
) -> Iterator[Example]:
    """Yield the blocks of a page in order, ready to be evaluated in one namespace.

    Args:
        page: Markdown file.
        register: See `python_block`.
        available: Engines there are.
        namespace: What the blocks find defined, such as addresses.
        sql: What to do with an SQL block.
    """
    parsers = [
        Blocks(language, evaluate, available)
        for language, evaluate in (
            ("python", python_block(register)),
            ("json", json_block),
            ("yaml", yaml_block),
            ("console", console_block),
            ("sql", sql),
        )
    ]
    document = Sybil(parsers).parse(page)
    document.namespace.update(namespace or {})
    yield from document.examples()
