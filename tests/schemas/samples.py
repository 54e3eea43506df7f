"""One instance of every record with every field set, the same each time: what golden bytes hold."""

from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from schemas.definitions.applied import DefinitionApplied
from schemas.events import fields
from schemas.events.event import Event, Part
from schemas.shape import is_record, members

_BY_ALIAS: list[tuple[Any, object]] = [
    (fields.Identifier, "id-1|ü"),
    (fields.Label, "label"),
    (fields.Line, "a line \U0001f600"),
    (fields.Text, "text\nof two lines"),
    (fields.AnyText, "7"),
    (fields.Number, -1_234_567_890_123),
    (fields.Natural, 300),
    (fields.Money, 250_000),
    (fields.Share, 0.25),
    (fields.Flag, True),
    (fields.Instant, "2026-03-02T15:00:00.123Z"),
    (fields.Day, "2026-03-31"),
    (fields.Currency, "EUR"),
    (fields.Country, "DE"),
    (fields.Phone, "+4930123456"),
    (fields.Language, "pt-BR"),
    (fields.Zone, "Europe/Berlin"),
]

_PLAIN: dict[Any, object] = {
    str: "text ü",
    int: 1_767_225_600_123,
    bool: True,
    bytes: b"\x00\xff raw",
    list[int]: [-3, 1, 500, 70_000],
    list[str]: ["a-7", "a-8"],
    dict[str, int]: {"crm.deal.v1:0": 5, "crm.lead.v1:3": 2**40},
}


def sample_of(record: type) -> Any:
    """Return an instance with every field set."""
    if record is DefinitionApplied:
        return DefinitionApplied.model_validate(DefinitionApplied.EXAMPLE | {"note": "x"})
    if issubclass(record, Event):
        return record.model_validate(_data_of(record))
    return record(*(_PLAIN[member.hint] for member in members(record)))


def _data_of(part: type[Part]) -> dict[str, object]:
    hints = get_type_hints(part, include_extras=True)
    data = {
        field.alias or name: _value_of(hints[name]) for name, field in part.model_fields.items()
    }
    return data | {"upstream_field": {"kept": [1, None, 2.5]}}


def _value_of(hint: Any) -> object:
    for alias, value in _BY_ALIAS:
        if hint == alias:
            return value
    if is_record(hint):
        return _data_of(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return arguments[-1]
    if origin is list:
        return [_value_of(arguments[0])] * 2
    if origin in (Union, UnionType):
        return _value_of(arguments[0])
    if hasattr(hint, "__metadata__"):
        return _value_of(hint.__origin__)
    raise AssertionError(f"no sample for {hint}")
