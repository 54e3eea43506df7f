"""A mutation takes one protection away; its tests must then fail."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one file.

    Args:
        path: Of the file, from the root of the tree.
        before: Exact text; there once and only once.
        after: What takes its place.
    """

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Mutation:
    """A protection removed.

    Args:
        name: Of the protection, unique, for people and the command line.
        prevents: The fault it prevents.
        edits: What removes it.
        tests: Ids of tests that must fail then; the functions exist.
    """

    name: str
    prevents: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]

    @property
    def needs_engines(self) -> bool:
        """Whether its tests need Kafka and the others."""
        return any(test.startswith("tests/integration/") for test in self.tests)


def one(path: str, before: str, after: str) -> tuple[Edit]:
    """Return the only edit of a mutation."""
    return (Edit(path, before, after),)


def problems(root: Path, mutations: Iterable[Mutation]) -> Iterator[str]:
    """Yield what is wrong with a table: texts that aren't there once, tests that don't exist."""
    names: set[str] = set()
    for mutation in mutations:
        if mutation.name in names:
            yield f"{mutation.name}: twice in the table"
        names.add(mutation.name)
        for edit in mutation.edits:
            count = (root / edit.path).read_text(encoding="utf8").count(edit.before)
            if count != 1:
                yield f"{mutation.name}: text found {count} times in {edit.path}"
            elif edit.after == edit.before:
                yield f"{mutation.name}: changes nothing"
        for test in mutation.tests:
            if not _exists(root, test):
                yield f"{mutation.name}: no test {test}"


def _exists(root: Path, test: str) -> bool:
    path, _, name = test.partition("::")
    if not (root / path).is_file():
        return False
    tree = ast.parse((root / path).read_text(encoding="utf8"))
    return name.partition("[")[0] in {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def apply(root: Path, mutation: Mutation) -> None:
    """Change the files below `root`, which is a copy.

    Raises:
        ValueError: A text isn't there, or a file isn't Python any more.
    """
    for edit in mutation.edits:
        path = root / edit.path
        text = path.read_text(encoding="utf8")
        if text.count(edit.before) != 1:
            raise ValueError(f"{mutation.name}: {edit.path} doesn't hold its text once")
        text = text.replace(edit.before, edit.after)
        ast.parse(text)
        path.write_text(text, encoding="utf8")
