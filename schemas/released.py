"""Every schema ever written with: the files in `schemas/avro/`, and the classes they belong to.

A file `events.DealWon.v2.avsc` holds version 2 of the record `daybook.events.DealWon`. A released
file never changes; another version is added beside it.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from schemas.avro import full_name, header_of
from schemas.definitions.applied import DefinitionApplied
from schemas.derived.effect import Effect, Fact, Notify, Publication
from schemas.derived.metric import MetricPartial
from schemas.events import CATALOGUE
from schemas.events.event import Event
from schemas.generation import Generation
from schemas.journal import Entry
from schemas.state import rows
from schemas.verification import Verification

EVENTS: tuple[type[Event], ...] = (*CATALOGUE.values(), DefinitionApplied)
"""Classes a journal entry's `data` may hold."""

ROWS: tuple[type, ...] = tuple(
    member
    for member in vars(rows).values()
    if dataclasses.is_dataclass(member) and isinstance(member, type)
)
"""Classes of the fold's tables."""

RECORDS: tuple[type, ...] = (
    Entry,
    MetricPartial,
    Effect,
    Fact,
    Notify,
    Publication,
    Generation,
    Verification,
    *ROWS,
    *EVENTS,
)
"""Everything with a schema of its own."""


class Release(NamedTuple):
    """One version of one schema.

    Args:
        name: Full Avro name, `daybook.events.DealWon`.
        version: From 1.
        schema: As committed.
        header: The ten bytes its single objects begin with.
    """

    name: str
    version: int
    schema: dict[str, Any]
    header: bytes

    @property
    def file_name(self) -> str:
        """Return the name of its file in `schemas/avro/`."""
        return file_name(self.name, self.version)


def file_name(name: str, version: int) -> str:
    """Return the file of one version of a record.

    >>> file_name("daybook.events.DealWon", 2)
    'events.DealWon.v2.avsc'
    """
    return f"{name.removeprefix('daybook.')}.v{version}.avsc"


@cache
def releases() -> Mapping[str, tuple[Release, ...]]:
    """Return full Avro name → its versions, oldest first; read once per process."""
    found: dict[str, list[Release]] = {}
    for release in sorted(_read(), key=lambda release: release.version):
        found.setdefault(release.name, []).append(release)
    return {name: tuple(versions) for name, versions in found.items()}


def releases_of(record: type) -> tuple[Release, ...]:
    """Return the versions of one record class, oldest first; empty when none was released."""
    return releases().get(full_name(record), ())


def _read() -> Iterator[Release]:
    for file in files("schemas").joinpath("avro").iterdir():
        stem, _, suffix = file.name.rpartition(".")
        if suffix == "avsc":
            name, _, version = stem.rpartition(".v")
            schema = json.loads(file.read_text(encoding="utf-8"))
            yield Release(f"daybook.{name}", int(version), schema, header_of(schema))
