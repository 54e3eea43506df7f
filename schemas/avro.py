"""Avro schemas, generated from the classes that are the contract.

| Python | Avro |
|---|---|
| `str`, `Literal` of strings | string |
| `int` | long |
| `float`, `bool`, `bytes` | double, boolean, bytes |
| `datetime` | long, timestamp-millis |
| `date` | int, date |
| `list[X]`, `dict[str, X]` | array, map |
| `X | None` | union of null and X, default null |
| model, named tuple, dataclass | record |

A record that keeps unknown fields has a last field `extra`: JSON object text, default `{}`.
"""

import types
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, Union, get_args, get_origin

from fastavro.schema import fingerprint as _fingerprint
from fastavro.schema import to_parsing_canonical_form

from schemas.shape import REQUIRED, Member, is_record, keeps_unknown, members

AvroType = dict[str, Any] | list[Any] | str

EXTRA = "extra"
SINGLE_OBJECT_MARKER = b"\xc3\x01"
HEADER_BYTES = 10
"""Marker and fingerprint before the body of a single object."""

_PRIMITIVES: Mapping[type, AvroType] = {
    str: "string",
    int: "long",
    float: "double",
    bool: "boolean",
    bytes: "bytes",
    datetime: {"type": "long", "logicalType": "timestamp-millis"},
    date: {"type": "int", "logicalType": "date"},
}


def full_name(record: type) -> str:
    """Return the Avro name of a record class.

    >>> from schemas.journal import Entry
    >>> full_name(Entry)
    'daybook.journal.Entry'
    """
    return f"daybook.{record.__module__.split('.')[1]}.{record.__name__}"


def schema_of(record: type) -> dict[str, Any]:
    """Return the Avro schema of a record class, as it would be written to a file.

    Raises:
        TypeError: A field has a type without a rule above.
    """
    return _record(record, set())


def header_of(schema: AvroType) -> bytes:
    """Return the ten bytes every single object of a schema begins with.

    Source: Avro specification, "Single-object encoding": `C3 01`, then the CRC-64-AVRO of the
    schema's parsing canonical form, little-endian.
    """
    canonical = to_parsing_canonical_form(schema)
    return SINGLE_OBJECT_MARKER + bytes.fromhex(_fingerprint(canonical, "CRC-64-AVRO"))


def _record(record: type, known: set[str]) -> dict[str, Any]:
    name = full_name(record)
    known.add(name)
    fields = [_field(record, member, known) for member in members(record)]
    if keeps_unknown(record):
        fields.append({"name": EXTRA, "type": "string", "default": "{}"})
    return {
        "type": "record",
        "name": record.__name__,
        "namespace": name.rpartition(".")[0],
        "fields": fields,
    }


def _field(record: type, member: Member, known: set[str]) -> dict[str, Any]:
    kind = _type(member.hint, f"{record.__name__}.{member.attribute}", known)
    field: dict[str, Any] = {"name": member.name, "type": kind}
    if member.default is not REQUIRED:
        if isinstance(kind, list) and member.default is not None:
            raise TypeError(f"{record.__name__}.{member.attribute}: an optional's default is None")
        field["default"] = (
            member.default.decode("latin-1")
            if isinstance(member.default, bytes)
            else member.default
        )
    return field


def _type(hint: Any, where: str, known: set[str]) -> AvroType:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _PRIMITIVES:
        return _PRIMITIVES[hint]
    if is_record(hint):
        return full_name(hint) if full_name(hint) in known else _record(hint, known)
    if origin is Literal and all(isinstance(value, str) for value in arguments):
        return "string"
    if origin is list:
        return {"type": "array", "items": _type(arguments[0], where, known)}
    if origin is dict and arguments[0] is str:
        return {"type": "map", "values": _type(arguments[1], where, known)}
    if origin in (Union, types.UnionType):
        rest = [argument for argument in arguments if argument is not types.NoneType]
        if len(rest) == 1 and len(arguments) > 1:
            return ["null", _type(rest[0], where, known)]
    raise TypeError(f"{where}: no Avro type for {hint}")
