"""Readers of Avro single objects, compiled per writer's schema and class of today."""

import struct
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from pydantic_core import from_json

from schemas import wire
from schemas.avro import EXTRA, HEADER_BYTES, AvroType
from schemas.avro_source import EPOCH_DAY, Source
from schemas.shape import REQUIRED, Member, is_named_tuple, keeps_unknown, members, record_of

Reader = Callable[[bytes], Any]

MALFORMED = (IndexError, ValueError, OverflowError, struct.error)
"""What a reader raises on bytes that aren't a single object of its schema."""

_EMPTY_EXTRA = b"\x04{}"


def parse_extra(text: str) -> dict[str, Any]:
    """Return the unknown fields kept in `extra`.

    Raises:
        ValueError: It is no JSON object.
    """
    extra = from_json(text, allow_inf_nan=False)
    if not isinstance(extra, dict):
        raise ValueError("extra is no JSON object")  # noqa: TRY004 - the bytes are wrong, not a type
    return extra


_NAMES: Mapping[str, object] = {
    "read_long": wire.read_long,
    "read_length": wire.read_length,
    "double": struct.Struct("<d"),
    "timedelta": timedelta,
    "date_of": date.fromordinal,
    "tuple_of": tuple.__new__,
    "parse_extra": parse_extra,
}


class _ReaderSource(Source):
    """Text of `read(raw) -> record` for what one schema wrote."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__(_NAMES)
        self._plain = plain
        self._schemas: dict[str, dict[str, Any]] = {}

    def value(self, kind: AvroType, hint: Any, depth: int) -> str:
        """Emit the reading of one value; return its variable."""
        if isinstance(kind, list):
            return self._optional(kind[1], hint, depth)
        if isinstance(kind, str):
            if kind in self._schemas:
                return self._record(self._schemas[kind], hint, depth)
            return getattr(self, f"_{kind}")(depth)  # type: ignore[no-any-return]
        return self._complex(kind, hint, depth)

    def _complex(self, kind: dict[str, Any], hint: Any, depth: int) -> str:
        if "logicalType" in kind:
            return self._logical(kind["logicalType"], depth)
        if kind["type"] == "array":
            return self._array(kind["items"], hint, depth)
        if kind["type"] == "map":
            return self._map(kind["values"], hint, depth)
        return self._record(kind, hint, depth)

    def _long(self, depth: int) -> str:
        v = self.variable()
        self.line(
            depth,
            f"{v} = raw[p]",
            f"if {v} < 128:",
            f"    {v} = ({v} >> 1) ^ -({v} & 1); p += 1",
            "else:",
            f"    {v}, p = read_long(raw, p)",
        )
        return v

    def _end(self, depth: int) -> None:
        """Emit the reading of a length `n`, then `q`, the end of that many bytes."""
        self.line(
            depth,
            "n = raw[p]",
            "if n & 129:",
            "    n, p = read_length(raw, p)",
            "    q = p + n",
            "else:",
            "    p += 1; q = p + (n >> 1)",
        )

    def _string(self, depth: int) -> str:
        v = self.variable()
        self._end(depth)
        self.line(depth, f"{v} = raw[p:q].decode(); p = q")
        return v

    def _bytes(self, depth: int) -> str:
        v = self.variable()
        self._end(depth)
        self.line(depth, f"{v} = raw[p:q]; p = q")
        return v

    def _boolean(self, depth: int) -> str:
        v = self.variable()
        self.line(
            depth,
            f"{v} = raw[p]; p += 1",
            f"if {v} > 1: raise ValueError('no boolean')",
            f"{v} = {v} == 1",
        )
        return v

    def _double(self, depth: int) -> str:
        v = self.variable()
        self.line(depth, f"{v}, = double.unpack_from(raw, p); p += 8")
        return v

    def _logical(self, logical: str, depth: int) -> str:
        v = self._long(depth)
        rule = {
            "timestamp-millis": f"EPOCH + timedelta(0, 0, {v} * 1000)",
            "date": f"date_of({v} + {EPOCH_DAY})",
        }[logical]
        self.line(depth, f"{v} = {rule}")
        return v

    def _optional(self, kind: AvroType, hint: Any, depth: int) -> str:
        v = self.variable()
        self.line(depth, "n = raw[p]; p += 1", "if n == 2:")
        some = self.value(kind, hint, depth + 1)
        self.line(
            depth,
            f"    {v} = {some}",
            f"elif n == 0: {v} = None",
            "else: raise ValueError('no branch of the union')",
        )
        return v

    def _blocks(self, depth: int) -> str:
        """Emit the loop over the items of an array or map; the item belongs at depth + 2."""
        left = self._long(depth)
        self.line(
            depth,
            f"while {left}:",
            f"    if {left} < 0:",
            f"        {left} = -{left}",
            "        _, p = read_long(raw, p)",
            f"    for _ in range({left}):",
        )
        return left

    def _array(self, items: AvroType, hint: Any, depth: int) -> str:
        v = self.variable()
        self.line(depth, f"{v} = []")
        left = self._blocks(depth)
        item = self.value(items, hint, depth + 2)
        self.line(depth + 2, f"{v}.append({item})")
        self.line(depth + 1, f"{left}, p = read_long(raw, p)")
        return v

    def _map(self, values: AvroType, hint: Any, depth: int) -> str:
        v = self.variable()
        self.line(depth, f"{v} = {{}}")
        left = self._blocks(depth)
        key = self._string(depth + 2)
        item = self.value(values, hint, depth + 2)
        self.line(depth + 2, f"{v}[{key}] = {item}")
        self.line(depth + 1, f"{left}, p = read_long(raw, p)")
        return v

    def _extra(self, depth: int) -> str:
        v = self.variable()
        self.line(
            depth,
            f"if raw[p:p + 3] == {_EMPTY_EXTRA!r}:",
            f"    {v} = {{}}; p += 3",
            "else:",
        )
        text = self._string(depth + 1)
        self.line(depth, f"    {v} = parse_extra({text})")
        return v

    def _record(self, schema: dict[str, Any], hint: Any, depth: int) -> str:
        """Emit a record, resolved by name against the class of today."""
        self._schemas[f"{schema['namespace']}.{schema['name']}"] = schema
        if hint is None:
            return self._dropped(schema, depth)
        record = record_of(hint)
        known = {member.name: member for member in members(record)}
        values: dict[str, str] = {}
        for field in schema["fields"]:
            name = field["name"]
            if name == EXTRA and keeps_unknown(record):
                values[EXTRA] = self._extra(depth)
            else:
                inner = known[name].hint if name in known else None
                values[name] = self.value(field["type"], inner, depth)
        fields = [(member, self._given(record, member, values)) for member in known.values()]
        v = self.variable()
        self.line(depth, f"{v} = {self._made(record, fields, values.get(EXTRA, '{}'))}")
        return v

    def _dropped(self, schema: dict[str, Any], depth: int) -> str:
        """Emit the reading of a record nobody wants any more."""
        for field in schema["fields"]:
            self.value(field["type"], None, depth)
        return "None"

    def _given(self, record: type, member: Member, values: dict[str, str]) -> str:
        """Return the variable of a field, or its default when the writer didn't know it."""
        if member.name in values:
            return values[member.name]
        if member.default is REQUIRED:
            raise TypeError(f"{record.__name__}.{member.name} is in no older schema")
        if member.default in ([], {}):
            return repr(member.default)
        return self.constant(member.default)

    def _made(self, record: type, fields: list[tuple[Member, str]], extra: str) -> str:
        """Return the expression that makes the record."""
        if self._plain:
            items = ", ".join(f"{member.name!r}: {value}" for member, value in fields)
            return f"{{{items}, **{extra}}}" if keeps_unknown(record) else f"{{{items}}}"
        if keeps_unknown(record):
            items = ", ".join(f"{member.attribute!r}: {value}" for member, value in fields)
            return f"{self.constant(_model_maker(record))}({{{items}}}, {extra})"
        items = ", ".join(value for _, value in fields)
        cls = self.constant(record)
        return f"tuple_of({cls}, ({items},))" if is_named_tuple(record) else f"{cls}({items})"


def _model_maker(record: type) -> Callable[[dict[str, Any], dict[str, Any]], object]:
    """Return a function that makes a frozen model of fields known to be valid.

    It does what `model_construct` does without its search for aliases and defaults. All instances
    share one set of given fields: a frozen model never adds to it, a copy copies it.
    """
    given = {member.attribute for member in members(record)}
    new: Callable[[type], object] = object.__new__
    put_dict, put_given, put_extra, put_private = (
        _slot(record, name)
        for name in (
            "__dict__",
            "__pydantic_fields_set__",
            "__pydantic_extra__",
            "__pydantic_private__",
        )
    )

    def make(fields: dict[str, Any], extra: dict[str, Any]) -> object:
        model = new(record)
        put_dict(model, fields)
        put_given(model, given)
        put_extra(model, extra)
        put_private(model, None)
        return model

    return make


def _slot(record: type, name: str) -> Callable[[object, object], None]:
    """Return the setter of a slot: a frozen model's own `__setattr__` would refuse."""
    for cls in record.__mro__:
        if name in vars(cls):
            setter: Callable[[object, object], None] = vars(cls)[name].__set__
            return setter
    raise TypeError(f"{record.__name__} has no {name}")


def reader_of(schema: dict[str, Any], record: type, *, plain: bool = False) -> Reader:
    """Compile the reader of what one schema wrote into the class of today.

    Args:
        schema: The writer's; fields it lacks get the class's defaults, fields the class lacks are
            dropped.
        record: Model, named tuple or dataclass.
        plain: Give dictionaries by wire name, unknown fields merged in, instead of records.

    Returns:
        A function of one single object; it raises one of `MALFORMED` when the bytes are none.

    Raises:
        TypeError: The class has a required field the schema lacks.
    """
    source = _ReaderSource(plain=plain)
    source.line(0, "def read(raw):", f"    p = {HEADER_BYTES}")
    value = source.value(schema, record, 1)
    source.line(1, "if p != len(raw): raise ValueError('bytes are missing or left over')")
    source.line(1, f"return {value}")
    reader: Reader = source.function("read", f"reader of {schema['name']}")
    return reader
