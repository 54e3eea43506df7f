"""The page of event types, from the pydantic models of the catalogue."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from tables import code, documented_names, summary, table

from schemas.events import CATALOGUE, Change, Event, Part, Utm, fields

_NAMED = {
    name: getattr(fields, name)
    for name in vars(fields)
    if get_origin(getattr(fields, name)) is Annotated and not name.startswith("_")
}
_PLAIN: dict[object, str] = {
    str: "text", int: "whole number", float: "number", bool: "true or false",
    datetime: "Instant", date: "Day", Utm: "[Utm](#utm)", Change: "[Change](#change)",
}  # fmt: skip


def page() -> str:
    """Return the page: types of fields, shared parts, then every event by noun."""
    documented = documented_names(fields)
    types = [(name, documented.get(name, "true or false")) for name in _NAMED]
    parts = [
        "# Events\n",
        (
            f"All {len(CATALOGUE)} types of catalogue version 1, generated from `schemas/events/`. "
            "How to send them: [Publish events](../upstream.md). Every event may hold fields that "
            "are not named here; they are kept. A field left out and a field that is `null` mean "
            "the same.\n"
        ),
        "## Types of fields\n",
        table(("type", "what it may hold"), types),
    ]
    for part in (Utm, Change):
        parts += [f"### {part.__name__}\n", summary(part) + "\n", _fields(part)]
    noun = ""
    for name, cls in CATALOGUE.items():
        if name.split(".")[1] != noun:
            noun = name.split(".")[1]
            parts.append(f"## {noun}\n")
        parts += _event(name, cls)
    return "\n".join(parts)


def _event(name: str, cls: type[Event]) -> Iterator[str]:
    yield f"### {name}\n"
    yield summary(cls) + "\n"
    subject = ", else ".join(f"`{prefix}/<{field}>`" for prefix, field in cls.SUBJECT)
    yield (
        f"Subject: {subject}."
        + (" Reference data: copied to every journal partition." if cls.REFERENCE else "")
        + "\n"
    )
    yield _fields(cls)
    yield "```json\n" + json.dumps(dict(cls.EXAMPLE), indent=2, ensure_ascii=False) + "\n```\n"


def _fields(cls: type[Part]) -> str:
    hints = get_type_hints(cls, include_extras=True)
    rows = []
    for name, field in cls.model_fields.items():
        rows.append((
            code(field.alias or name),
            _type(hints[name]),
            "yes" if field.is_required() else "",
        ))  # fmt: skip
    return table(("field", "type", "required"), rows)


def _type(hint: Any) -> str:
    """Return the type of a field for people: `Identifier`, `list of Label`, `"a" or "b"`."""
    for name, named in _NAMED.items():
        if hint == named:
            return name
    if get_origin(hint) is Annotated:
        return _type(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_type(each) for each in get_args(hint) if each is not NoneType)
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    if get_origin(hint) is list:
        return "list of " + _type(get_args(hint)[0])
    return _PLAIN[hint]
