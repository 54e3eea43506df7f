"""Hypothesis strategies for everything with a schema, made from the classes themselves."""

import string
from datetime import date
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from schemas import rfc3339
from schemas.definitions.applied import DefinitionApplied, Spec
from schemas.events import fields
from schemas.events.event import Part
from schemas.shape import is_record, members

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
"""Any characters that UTF-8 can carry, NUL included."""

_CONTROL = "".join(map(chr, [*range(32), 127]))
_PRINTABLE = st.characters(exclude_categories=["Cs"], exclude_characters=_CONTROL)
_SAFE = st.text(_PRINTABLE, max_size=40)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | INT64 | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)

_BY_ALIAS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (fields.Identifier, st.text(_PRINTABLE, min_size=1, max_size=200)),
    (fields.Label, _SAFE),
    (fields.Line, TEXT),
    (fields.Text, TEXT),
    (fields.AnyText, TEXT),
    (fields.Number, INT64),
    (fields.Natural, st.integers(0, 2**31 - 1)),
    (fields.Money, st.integers(-fields.MAX_MONEY, fields.MAX_MONEY)),
    (fields.Share, st.floats(0, 1)),
    (fields.Flag, st.booleans()),
    (
        fields.Instant,
        st.integers(-2_208_902_400_000, 253_402_000_000_000).map(
            lambda ms: rfc3339.from_ms(ms).isoformat()
        ),
    ),
    (fields.Day, st.dates(date(1, 1, 1), date(9999, 12, 31)).map(lambda day: day.isoformat())),
    (fields.Currency, st.text(string.ascii_uppercase, min_size=3, max_size=3)),
    (fields.Country, st.text(string.ascii_uppercase, min_size=2, max_size=2)),
    (fields.Phone, st.integers(10, 10**14).map(lambda number: f"+{number}")),
    (fields.Language, st.sampled_from(["de", "pt-BR", "zh-Hant-TW"])),
    (fields.Zone, st.sampled_from(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])),
]


def data_of(part: type[Part]) -> st.SearchStrategy[dict[str, Any]]:
    """Return JSON-ready data of an event or part; optional and unknown fields come and go."""
    if part is DefinitionApplied:
        return _definitions()
    hints = get_type_hints(part, include_extras=True)
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in part.model_fields.items():
        target = required if field.is_required() else optional
        target[field.alias or name] = _of_hint(hints[name])
    known = {*required, *optional, *part.model_fields}
    unknown = st.dictionaries(TEXT.filter(lambda key: key not in known), JSON_VALUES, max_size=2)
    return st.builds(
        lambda named, others: {**others, **named},
        st.fixed_dictionaries(required, optional=optional),
        unknown,
    )


def records_of(record: type) -> st.SearchStrategy[Any]:
    """Return instances of a named tuple or dataclass."""
    return st.builds(
        record, **{member.attribute: _of_plain(member.hint) for member in members(record)}
    )


def _definitions() -> st.SearchStrategy[dict[str, Any]]:
    spec = st.fixed_dictionaries(
        {}, optional={"currency": st.just("EUR"), "first_contact_within": st.just("PT4H")}
    )
    return st.fixed_dictionaries(
        {"kind": st.just("settings"), "id": st.just("default"), "spec": spec}
    )


def _of_hint(hint: Any) -> st.SearchStrategy[Any]:
    for alias, strategy in _BY_ALIAS:
        if hint == alias:
            return strategy
    if hint == Spec:
        raise AssertionError("a spec depends on its kind")
    if is_record(hint):
        return data_of(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(_of_hint(arguments[0]), max_size=3)
    if origin in (Union, UnionType):
        return st.none() | st.one_of(
            *(_of_hint(argument) for argument in arguments if argument is not NoneType)
        )
    if hasattr(hint, "__metadata__"):
        return _of_hint(hint.__origin__)
    raise AssertionError(f"no strategy for {hint}")


def _of_plain(hint: Any) -> st.SearchStrategy[Any]:
    primitives: dict[Any, st.SearchStrategy[Any]] = {
        str: TEXT,
        int: INT64,
        bool: st.booleans(),
        bytes: st.binary(max_size=200),
        list[int]: st.lists(INT64, max_size=40),
        list[str]: st.lists(TEXT, max_size=5),
        int | None: st.none() | INT64,
        dict[str, bytes]: st.dictionaries(TEXT, st.binary(max_size=9), max_size=5),
        dict[str, int]: st.dictionaries(TEXT, INT64, max_size=5),
    }
    return records_of(hint) if is_record(hint) else primitives[hint]
