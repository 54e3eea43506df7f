"""Avro schemas made from classes."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.resources import files
from typing import Literal, NamedTuple

import fastavro
import pytest

from schemas.avro import header_of, schema_of
from schemas.released import RECORDS, releases, releases_of
from schemas.shape import members


class Inner(NamedTuple):
    """A record inside a record."""

    n: int


@dataclass
class Everything:
    """One field of each type the generator knows."""

    text: str
    whole: int
    real: float
    flag: bool
    raw: bytes
    moment: datetime
    day: date
    choice: Literal["a", "b"]
    inner: Inner
    again: Inner
    maybe: Inner | None = None
    items: list[Inner] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    blob: bytes = b"\xff"


def test_each_python_type_has_one_avro_type() -> None:
    """The table in the module's docstring, as code."""
    fields = {entry["name"]: entry for entry in schema_of(Everything)["fields"]}
    kinds = {name: entry["type"] for name, entry in fields.items()}
    inner = "daybook.schemas.Inner"
    assert kinds.pop("inner")["fields"] == [{"name": "n", "type": "long"}]
    assert kinds == {
        "text": "string",
        "whole": "long",
        "real": "double",
        "flag": "boolean",
        "raw": "bytes",
        "moment": {"type": "long", "logicalType": "timestamp-millis"},
        "day": {"type": "int", "logicalType": "date"},
        "choice": "string",
        "again": inner,
        "maybe": ["null", inner],
        "items": {"type": "array", "items": inner},
        "counts": {"type": "map", "values": "long"},
        "blob": "bytes",
    }
    assert {name: f["default"] for name, f in fields.items() if "default" in f} == {
        "maybe": None,
        "items": [],
        "counts": {},
        "blob": "\xff",
    }


@dataclass
class WithSet:
    """A type without a rule."""

    odd: set[int]


@dataclass
class WithOptionalDefault:
    """An optional whose default isn't null; Avro can't say that in this order of branches."""

    odd: int | None = 5


@pytest.mark.parametrize("record", [WithSet, WithOptionalDefault])
def test_what_has_no_avro_type_is_refused_by_name(record: type) -> None:
    """A schema is never approximated."""
    with pytest.raises(TypeError, match="odd"):
        schema_of(record)


def test_only_three_kinds_of_class_are_records() -> None:
    """Anything else is a mistake of ours."""
    with pytest.raises(TypeError, match="int is no model"):
        members(int)


def test_header_is_the_published_fingerprint() -> None:
    """Source: Avro specification, CRC-64-AVRO of the schema `"int"` is 0x7275d51a3f395c8f."""
    assert header_of("int") == b"\xc3\x01" + (0x7275D51A3F395C8F).to_bytes(8, "little")


def test_every_class_is_what_its_newest_committed_schema_says() -> None:
    """A model can't change without a new version beside the old ones; fastavro takes them all."""
    for record in RECORDS:
        newest = releases_of(record)[-1]
        assert newest.schema == schema_of(record)
        fastavro.parse_schema(json.loads(json.dumps(newest.schema)))


def test_no_two_records_share_a_fingerprint() -> None:
    """The fingerprint alone decides the class of an event."""
    owners: dict[bytes, str] = {}
    for name, versions in releases().items():
        for release in versions:
            assert owners.setdefault(release.header, name) == name


def test_each_file_is_a_release() -> None:
    """Nothing lies in the directory that isn't read."""
    names = {path.name for path in files("schemas").joinpath("avro").iterdir()}
    assert names == {release.file_name for found in releases().values() for release in found}
