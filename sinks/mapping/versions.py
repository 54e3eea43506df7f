"""Plans migrations: which numbered SQL files run, in which order, and when to refuse."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from string import Template
from typing import NamedTuple

from schemas.errors import ConfigurationError

FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.(up|down)\.sql")
WINDOW = 100_000
"""Deduplication tokens a table remembers; hours of batches at full speed."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered change of the schema.

    Args:
        number: Ascending from 1 without holes.
        name: For people.
        up: SQL template that makes the change; repeating it changes nothing.
        down: SQL template that takes it back.
    """

    number: int
    name: str
    up: str
    down: str

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of both templates, hex."""
        return sha256(f"{self.up}\0{self.down}".encode()).hexdigest()


class Step(NamedTuple):
    """One migration to run.

    Args:
        migration: Which.
        down: Whether it is taken back.
        statements: SQL, one per request.
    """

    migration: Migration
    down: bool
    statements: tuple[str, ...]

    def __str__(self) -> str:
        """Return one line for people."""
        direction = "down" if self.down else "up"
        count = len(self.statements)
        return f"{self.migration.number:04d}_{self.migration.name} {direction}: {count} statements"


class Cluster(NamedTuple):
    """Where tables are made.

    Args:
        name: ClickHouse cluster; every statement runs `ON CLUSTER`, tables are replicated.
            Empty: one server.
    """

    name: str = ""

    def fields(self) -> dict[str, str]:
        """Return what the templates' placeholders become."""
        replicated = "Replicated" if self.name else ""
        window = "replicated" if self.name else "non_replicated"
        cluster = "'" + self.name.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return {
            "replicated": replicated,
            "on_cluster": f"ON CLUSTER {cluster}" if self.name else "",
            "window": f"{window}_deduplication_window = {WINDOW}",
        }


def read_files(files: Mapping[str, str]) -> list[Migration]:
    """Return the migrations in `files`, file name → text, by number.

    Raises:
        ConfigurationError: a file has another name, a number is missing, or a half is.
    """
    halves: dict[tuple[int, str], dict[str, str]] = {}
    for file, text in files.items():
        match = FILE.fullmatch(file)
        if match is None:
            raise ConfigurationError("migrations", f"{file} isn't NNNN_name.up.sql or .down.sql")
        halves.setdefault((int(match[1]), match[2]), {})[match[3]] = text
    ordered = sorted(halves.items())
    if [number for (number, _), _ in ordered] != list(range(1, len(ordered) + 1)):
        raise ConfigurationError("migrations", "numbers must be 0001, 0002 … without holes")
    for (number, name), half in ordered:
        if half.keys() != {"up", "down"}:
            raise ConfigurationError(
                "migrations", f"{number:04d}_{name} needs .up.sql and .down.sql"
            )
    return [Migration(number, name, half["up"], half["down"]) for (number, name), half in ordered]


PIECE = re.compile(r"--[^\n]*|'(?:[^'\\]|\\.|'')*'|;|[^;'-]+|.", re.DOTALL)


def statements(text: str) -> tuple[str, ...]:
    r"""Split SQL at semicolons outside quotes; comments are dropped.

    >>> statements("SELECT ';'; -- one; more\nSELECT 2;")
    ("SELECT ';'", 'SELECT 2')
    """
    parts = [""]
    for piece in PIECE.findall(text):
        if piece == ";":
            parts.append("")
        elif not piece.startswith("--"):
            parts[-1] += piece
    return tuple(part.strip() for part in parts if part.strip())


def plan(
    known: Sequence[Migration],
    applied: Mapping[int, str],
    *,
    to: int | None = None,
    down: bool = False,
    cluster: Cluster = Cluster(),  # noqa: B008 - an immutable value
) -> list[Step]:
    """Return the steps that bring the schema to migration `to`.

    Args:
        known: By number.
        applied: Number → checksum of what the server has.
        to: Last migration to keep or make; None: all when going up, none when going down.
        down: Take back what is above `to`, newest first, instead of making what is missing.
        cluster: Fills the templates.

    Raises:
        ConfigurationError: an applied migration was changed or is unknown here, or `to` is.
    """
    by_number = {migration.number: migration for migration in known}
    for number, checksum in sorted(applied.items()):
        if number not in by_number:
            raise ConfigurationError(
                "migrations", f"the server has {number:04d}, which this version doesn't know"
            )
        if by_number[number].checksum != checksum:
            raise ConfigurationError(
                "migrations", f"{number:04d} was changed after it ran; add a new one instead"
            )
    if to is not None and to != 0 and to not in by_number:
        raise ConfigurationError("migrations", f"there is no migration {to:04d}")
    if down:
        numbers = sorted((n for n in applied if n > (to or 0)), reverse=True)
    else:
        limit = len(known) if to is None else to
        numbers = [n for n in sorted(by_number) if n <= limit and n not in applied]
    return [_step(by_number[number], down=down, cluster=cluster) for number in numbers]


def _step(migration: Migration, *, down: bool, cluster: Cluster) -> Step:
    text = migration.down if down else migration.up
    return Step(migration, down, statements(Template(text).substitute(cluster.fields())))
