"""Whether what was written stays readable: the check behind `daybook schemas check`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.avro import AvroType, full_name, schema_of
from schemas.released import RECORDS, Release, file_name, releases

WRITE = "run `daybook schemas write`"


def problems(
    records: Sequence[type] = RECORDS,
    released: Mapping[str, tuple[Release, ...]] | None = None,
) -> list[str]:
    """Return what is wrong between the classes and the committed schemas; empty when all is well.

    Args:
        records: Classes with a schema of their own.
        released: Full Avro name → versions, oldest first; default: the committed ones.
    """
    committed = releases() if released is None else released
    found: list[str] = []
    for record in records:
        found += _problems_of(record, committed.get(full_name(record), ()))
    names = {full_name(record) for record in records}
    found += [
        f"{name}: released, but no class reads it any more"
        for name in committed
        if name not in names
    ]
    return found


def next_version(record: type, versions: Sequence[Release]) -> int | None:
    """Return the version to be written for a class; None when the newest is what it is today."""
    if not versions:
        return 1
    newest = versions[-1]
    return None if newest.schema == schema_of(record) else newest.version + 1


def unreadable(reader: Mapping[str, Any], writer: Mapping[str, Any]) -> list[str]:
    """Return why a reader's record schema can't read what a writer's wrote; empty when it can.

    Stricter than the Avro specification: a type may become optional, nothing else may change;
    numbers aren't promoted and records aren't renamed.
    """
    return list(_record(reader, writer, reader["name"], _Named(reader), _Named(writer)))


def _problems_of(record: type, versions: Sequence[Release]) -> Iterator[str]:
    name, today = full_name(record), schema_of(record)
    if not versions:
        yield f"{name}: has no released schema; {WRITE}"
        return
    for expected, release in enumerate(versions, start=1):
        if release.version != expected:
            yield f"{release.file_name}: version {expected} is missing"
        if f"{release.schema['namespace']}.{release.schema['name']}" != name:
            yield f"{release.file_name}: holds another record"
        for problem in unreadable(today, release.schema):
            yield f"{name}: can't read what {release.file_name} wrote: {problem}"
    if versions[-1].schema != today:
        yield f"{name}: differs from {file_name(name, versions[-1].version)}; {WRITE}"


class _Named(dict[str, Mapping[str, Any]]):
    """Full name → record schema, of all records inside one schema."""

    def __init__(self, schema: AvroType | Mapping[str, Any]) -> None:
        super().__init__()
        self._collect(schema)

    def _collect(self, kind: object) -> None:
        if isinstance(kind, list):
            for branch in kind:
                self._collect(branch)
        elif isinstance(kind, Mapping):
            if kind["type"] == "record":
                self[f"{kind['namespace']}.{kind['name']}"] = kind
                for field in kind["fields"]:
                    self._collect(field["type"])
            self._collect(kind.get("items"))
            self._collect(kind.get("values"))


def _record(
    reader: Mapping[str, Any],
    writer: Mapping[str, Any],
    where: str,
    readers: _Named,
    writers: _Named,
) -> Iterator[str]:
    if reader["name"] != writer["name"]:
        yield f"{where}: is another record"
        return
    written = {field["name"]: field["type"] for field in writer["fields"]}
    for field in reader["fields"]:
        path = f"{where}.{field['name']}"
        if field["name"] in written:
            yield from _type(field["type"], written[field["name"]], path, readers, writers)
        elif "default" not in field:
            yield f"{path}: is new and has no default"


def _type(
    reader: AvroType, writer: AvroType, where: str, readers: _Named, writers: _Named
) -> Iterator[str]:
    if isinstance(reader, list):
        inner = writer[1] if isinstance(writer, list) else writer
        yield from _type(reader[1], inner, where, readers, writers)
        return
    if isinstance(writer, list):
        yield f"{where}: was optional and is required now"
        return
    ours, theirs = _resolved(reader, readers), _resolved(writer, writers)
    if isinstance(ours, str) or isinstance(theirs, str):
        if ours != theirs:
            yield f"{where}: was {_word(theirs)}, is {_word(ours)}"
    elif ours["type"] != theirs["type"] or ours.get("logicalType") != theirs.get("logicalType"):
        yield f"{where}: was {_word(theirs)}, is {_word(ours)}"
    elif ours["type"] == "record":
        yield from _record(ours, theirs, where, readers, writers)
    elif ours["type"] in ("array", "map"):
        part = "items" if ours["type"] == "array" else "values"
        yield from _type(ours[part], theirs[part], f"{where}.{part}", readers, writers)


def _resolved(kind: AvroType, named: _Named) -> str | Mapping[str, Any]:
    """Return a record schema for its name; other types as they are."""
    if isinstance(kind, list):
        raise TypeError("a union is no single type")
    return named.get(kind, kind) if isinstance(kind, str) else kind


def _word(kind: str | Mapping[str, Any]) -> str:
    return kind if isinstance(kind, str) else str(kind.get("logicalType", kind["type"]))
