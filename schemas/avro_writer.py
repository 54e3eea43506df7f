"""Writers of Avro single objects, compiled per class."""

import struct
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import to_json

from schemas import wire
from schemas.avro import AvroType, header_of, schema_of
from schemas.avro_source import EPOCH_DAY, Source
from schemas.shape import is_named_tuple, keeps_unknown, members, record_of

Writer = Callable[[Any], bytes]


def extra_text(extra: dict[str, Any]) -> bytes:
    """Return unknown fields as JSON text; what JSON has no number for becomes null."""
    return to_json(extra, inf_nan_mode="null")


_NAMES: Mapping[str, object] = {
    "LONGS": wire.RecentLongs(),
    "SOME_LONGS": wire.RecentLongs(b"\x02"),
    "double": struct.Struct("<d"),
    "extra_text": extra_text,
    "join": b"".join,
}


class _WriterSource(Source):
    """Text of `write(record) -> bytes`; each value becomes expressions that give its bytes."""

    def __init__(self) -> None:
        super().__init__(_NAMES)

    def value(self, kind: AvroType, hint: Any, given: str, depth: int) -> list[str]:
        """Emit what the value in variable `given` needs; return the expressions of its bytes."""
        if isinstance(kind, list):
            return self._optional(kind[1], hint, given, depth)
        if isinstance(kind, str):
            if "." in kind:
                return self.record(record_of(hint), given, depth)
            return getattr(self, f"_{kind}")(given, depth)  # type: ignore[no-any-return]
        return self._complex(kind, hint, given, depth)

    def _complex(self, kind: dict[str, Any], hint: Any, given: str, depth: int) -> list[str]:
        if "logicalType" in kind:
            return self._logical(kind["logicalType"], given, depth)
        if kind["type"] == "array":
            return self._array(kind["items"], hint, given, depth)
        if kind["type"] == "map":
            return self._map(kind["values"], hint, given, depth)
        return self.record(record_of(hint), given, depth)

    def _long(self, given: str, _depth: int) -> list[str]:
        return [f"LONGS[{given}]"]

    def _string(self, given: str, depth: int) -> list[str]:
        v = self.variable()
        self.line(depth, f"{v} = {given}.encode()")
        return self._bytes(v, depth)

    def _bytes(self, given: str, depth: int) -> list[str]:
        v = self.variable()
        self.line(depth, f"{v} = len({given})")
        return [*self._long(v, depth), given]

    def _boolean(self, given: str, _depth: int) -> list[str]:
        return [f"b'\\x01' if {given} else b'\\x00'"]

    def _double(self, given: str, _depth: int) -> list[str]:
        return [f"double.pack({given})"]

    def _logical(self, logical: str, given: str, depth: int) -> list[str]:
        v = self.variable()
        rule = {
            "timestamp-millis": f"({given} - EPOCH) // MS",
            "date": f"{given}.toordinal() - {EPOCH_DAY}",
        }[logical]
        self.line(depth, f"{v} = {rule}")
        return self._long(v, depth)

    def _optional(self, kind: AvroType, hint: Any, given: str, depth: int) -> list[str]:
        v, rest = self.variable(), self.variable()
        self.line(depth, f"if {given} is None: {v} = b'\\x00'; {rest} = b''", "else:")
        if kind == "string":
            self.line(
                depth + 1,
                f"{rest} = {given}.encode(); n = len({rest})",
                f"{v} = SOME_LONGS[n]",
            )
        elif kind == "long":
            self.line(depth + 1, f"{v} = SOME_LONGS[{given}]; {rest} = b''")
        else:
            some = ", ".join(self.value(kind, hint, given, depth + 1))
            self.line(depth + 1, f"{v} = b'\\x02'; {rest} = join(({some},))")
        return [v, rest]

    def _array(self, items: AvroType, hint: Any, given: str, depth: int) -> list[str]:
        v, item = self.variable(), self.variable()
        self.line(depth, f"if not {given}: {v} = b'\\x00'", "else:")
        self.line(depth + 1, f"n = len({given}); {v} = [LONGS[n]]")
        if items == "long":  # sketches: dozens of small numbers, worth one comprehension
            self.line(depth + 1, f"{v} += [LONGS[i] for i in {given}]")
        else:
            self.line(depth + 1, f"for {item} in {given}:")
            parts = ", ".join(self.value(items, hint, item, depth + 2))
            self.line(depth + 2, f"{v} += ({parts},)")
        self.line(depth + 1, f"{v}.append(b'\\x00'); {v} = join({v})")
        return [v]

    def _map(self, values: AvroType, hint: Any, given: str, depth: int) -> list[str]:
        """Emit a map in the order of its keys: equal maps have equal bytes."""
        v, key, item = self.variable(), self.variable(), self.variable()
        self.line(depth, f"if not {given}: {v} = b'\\x00'", "else:")
        self.line(depth + 1, f"n = len({given}); {v} = [LONGS[n]]")
        self.line(depth + 1, f"for {key} in sorted({given}):", f"    {item} = {given}[{key}]")
        parts = self._string(key, depth + 2) + self.value(values, hint, item, depth + 2)
        self.line(depth + 2, f"{v} += ({', '.join(parts)},)")
        self.line(depth + 1, f"{v}.append(b'\\x00'); {v} = join({v})")
        return [v]

    def _extra(self, given: str, depth: int) -> list[str]:
        v, size = self.variable(), self.variable()
        self.line(
            depth,
            f"{v} = {given}.__pydantic_extra__",
            f"{v} = extra_text({v}) if {v} else b'{{}}'",
            f"{size} = len({v})",
        )
        return [*self._long(size, depth), v]

    def record(self, record: type, given: str, depth: int) -> list[str]:
        """Emit a record's fields."""
        fields = schema_of(record)["fields"]
        of_record = members(record)
        variables = [self.variable() for _ in of_record]
        if is_named_tuple(record):
            self.line(depth, f"{', '.join(variables)}, = {given}")
        parts: list[str] = []
        for member, field, variable in zip(of_record, fields, variables, strict=False):
            if not is_named_tuple(record):
                self.line(depth, f"{variable} = {given}.{member.attribute}")
            parts += self.value(field["type"], member.hint, variable, depth)
        if keeps_unknown(record):
            parts += self._extra(given, depth)
        return parts


def writer_of(record: type) -> Writer:
    """Compile the writer of a class's single objects, by its schema of today.

    Returns:
        A function of one instance. Fields are trusted to have the types they declare; a number
        of more than 64 bits raises OverflowError.
    """
    source = _WriterSource()
    source.line(0, "def write(record):")
    parts = source.record(record, "record", 1)
    header = source.constant(header_of(schema_of(record)))
    source.line(1, f"return join(({header}, {', '.join(parts)},))")
    writer: Writer = source.function("write", f"writer of {record.__name__}")
    return writer
