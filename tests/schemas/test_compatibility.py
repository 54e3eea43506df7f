"""The compatibility check: what it lets pass and what it calls by name."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

from schemas.avro import full_name, header_of, schema_of
from schemas.compatibility import next_version, problems, unreadable
from schemas.released import RECORDS, Release


class Part1(NamedTuple):
    """A nested record, first version."""

    x: int


class Part2(NamedTuple):
    """A nested record with a required field more."""

    x: int
    y: int


@dataclass
class Base:
    """What was released."""

    a: str
    b: int
    c: int | None = None
    d: list[str] = field(default_factory=list)
    e: dict[str, int] = field(default_factory=dict)


@dataclass
class Same(Base):
    """Nothing changed."""


@dataclass
class Added(Base):
    """A field more, with a default."""

    f: str = ""


@dataclass
class AddedOptional(Base):
    """An optional field more."""

    f: str | None = None


@dataclass
class Dropped:
    """A field less."""

    a: str
    c: int | None = None


@dataclass
class BecameOptional:
    """A field may be absent now."""

    a: str | None = None
    b: int | None = None


@dataclass
class Required:
    """A field more, without default."""

    a: str
    f: str


@dataclass
class OtherType:
    """A field of another type."""

    a: str
    b: str


@dataclass
class NoLongerOptional:
    """A field that was optional is required."""

    a: str
    c: int = 0


@dataclass
class OtherItems:
    """A list of something else."""

    a: str
    d: list[int] = field(default_factory=list)


@dataclass
class OtherValues:
    """A map to something else."""

    a: str
    e: dict[str, str] = field(default_factory=dict)


@dataclass
class ListBecameText:
    """Not a list any more."""

    a: str
    d: str = ""


@dataclass
class ListBecameMap:
    """Another container."""

    a: str
    d: dict[str, str] = field(default_factory=dict)


def _as(name: str, record: type) -> dict[str, Any]:
    """Return a class's schema under another class's name."""
    return schema_of(record) | {"name": name}


def _release(schema: dict[str, Any], record: type, version: int = 1) -> Release:
    return Release(full_name(record), version, schema, header_of(schema))


@pytest.mark.parametrize("record", [Same, Added, AddedOptional, Dropped, BecameOptional])
def test_changes_old_bytes_survive_are_let_pass(record: type) -> None:
    """Fields come with a default, go, or become optional."""
    reader, writer = _as("Base", record), schema_of(Base)
    assert unreadable(reader, writer) == []


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (Required, "Base.f: is new and has no default"),
        (OtherType, "Base.b: was long, is string"),
        (NoLongerOptional, "Base.c: was optional and is required now"),
        (OtherItems, "Base.d.items: was string, is long"),
        (OtherValues, "Base.e.values: was long, is string"),
        (ListBecameText, "Base.d: was array, is string"),
        (ListBecameMap, "Base.d: was array, is map"),
    ],
)
def test_changes_that_break_old_bytes_are_called_by_name(record: type, problem: str) -> None:
    """Which field, what it was, what it is."""
    assert unreadable(_as("Base", record), schema_of(Base)) == [problem]


def test_nested_records_are_compared_too() -> None:
    """By definition or, later in a schema, by name."""

    def outer(part: type) -> dict[str, Any]:
        inner = _as("Part", part)
        fields = [{"name": "p", "type": inner}, {"name": "q", "type": "daybook.schemas.Part"}]
        return {"type": "record", "name": "O", "namespace": "daybook.schemas", "fields": fields}

    assert unreadable(outer(Part1), outer(Part2)) == []
    assert unreadable(outer(Part2), outer(Part1)) == [
        "O.p.y: is new and has no default",
        "O.q.y: is new and has no default",
    ]


def test_a_renamed_record_is_another_one() -> None:
    """Its old bytes belong to nobody."""
    assert unreadable(schema_of(Part1), schema_of(Part2)) == ["Part1: is another record"]


def test_all_is_well_with_what_is_committed() -> None:
    """The same check as `make check` runs."""
    assert problems() == []
    assert problems(RECORDS) == []


def test_a_class_without_a_file_is_a_problem() -> None:
    """It can't be written, so nobody may forget it."""
    assert problems([Base], {}) == [
        "daybook.schemas.Base: has no released schema; run `daybook schemas write`"
    ]
    assert next_version(Base, ()) == 1


def test_a_changed_class_is_a_problem_until_its_version_is_written() -> None:
    """Even a compatible change gets a version of its own."""
    old = _release(_as("Base", Dropped), Base)
    new = _release(schema_of(Base), Base, 2)
    unread, differs = problems([Base], {full_name(Base): (old,)})
    assert unread.endswith("what schemas.Base.v1.avsc wrote: Base.b: is new and has no default")
    assert differs == (
        "daybook.schemas.Base: differs from schemas.Base.v1.avsc; run `daybook schemas write`"
    )
    assert next_version(Base, (old,)) == 2
    assert next_version(Base, (old, new)) is None


def test_a_missing_or_foreign_file_is_a_problem() -> None:
    """Versions are dense; a file holds what its name says; released records keep a class."""
    alone = _release(schema_of(Base), Base, 2)
    assert problems([Base], {full_name(Base): (alone,)}) == [
        "schemas.Base.v2.avsc: version 1 is missing"
    ]
    foreign = _release(schema_of(Part1), Base)
    assert "schemas.Base.v1.avsc: holds another record" in problems(
        [Base], {full_name(Base): (foreign,)}
    )
    assert problems([], {"daybook.state.Gone": (alone,)}) == [
        "daybook.state.Gone: released, but no class reads it any more"
    ]
