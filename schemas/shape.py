"""What fields a record has, the same way for pydantic models, named tuples and dataclasses."""

import dataclasses
from typing import Any, Final, NamedTuple, get_args, get_type_hints

from pydantic import BaseModel

from schemas.events.event import Part

REQUIRED: Final = object()
"""Default of a field that has none."""


class Member(NamedTuple):
    """One field of a record.

    Args:
        name: On the wire (`from`).
        attribute: In Python (`from_`).
        hint: Its type, without annotations.
        default: Or `REQUIRED`.
    """

    name: str
    attribute: str
    hint: Any
    default: object


def members(record: type) -> tuple[Member, ...]:
    """Return the fields of a record class in order.

    Raises:
        TypeError: It is none of the three kinds.
    """
    hints = get_type_hints(record)
    if issubclass(record, BaseModel):
        return tuple(
            Member(
                field.alias or name,
                name,
                hints[name],
                REQUIRED
                if field.is_required()
                else field.get_default(call_default_factory=True, validated_data={}),
            )
            for name, field in record.model_fields.items()
        )
    if is_named_tuple(record):
        defaults = record._field_defaults  # type: ignore[attr-defined]  # every NamedTuple has it
        return tuple(
            Member(name, name, hints[name], defaults.get(name, REQUIRED))
            for name in record._fields  # type: ignore[attr-defined]  # same
        )
    if dataclasses.is_dataclass(record):
        return tuple(
            Member(field.name, field.name, hints[field.name], _default(field))
            for field in dataclasses.fields(record)
        )
    raise TypeError(f"{record.__qualname__} is no model, named tuple or dataclass")


def is_named_tuple(record: type) -> bool:
    """Tell whether a class was made by `NamedTuple`."""
    return issubclass(record, tuple) and hasattr(record, "_fields")


def is_record(hint: object) -> bool:
    """Tell whether a type is encoded as a record."""
    return isinstance(hint, type) and (
        issubclass(hint, BaseModel) or is_named_tuple(hint) or dataclasses.is_dataclass(hint)
    )


def record_of(hint: Any) -> type:
    """Return the record class in a type, behind `| None`, `list` and `dict`.

    Raises:
        TypeError: There is none.
    """
    if is_record(hint):
        found: type = hint
        return found
    for argument in get_args(hint):
        try:
            return record_of(argument)
        except TypeError:
            continue
    raise TypeError(f"no record in {hint}")


def keeps_unknown(record: type) -> bool:
    """Tell whether a record keeps fields it does not name (then it has the Avro field `extra`)."""
    return issubclass(record, Part)


def _default(field: "dataclasses.Field[Any]") -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        made: object = field.default_factory()
        return made
    return REQUIRED
