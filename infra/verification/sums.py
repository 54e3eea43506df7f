"""Counts and hashes of rows that don't depend on their order. Pure.

A row's hash is the first eight bytes of SHA-256 over its text, little-endian: Python and ClickHouse
both compute it, so rows need not travel. Hashes are added up mod 2^64, as ClickHouse's `sum` does.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sinks.mapping.records import Row
    from sinks.mapping.tables import Column, Table

MODULUS = 1 << 64
SEPARATOR = "\x1f"
_SUM = struct.Struct("<QQ")


class Sum(NamedTuple):
    """How many rows, and the sum of their hashes."""

    rows: int = 0
    hash: int = 0

    def plus(self, rows: int, hashed: int) -> Sum:
        """Return the sum with more rows in it; negative numbers take rows out.

        >>> Sum(1, 5).plus(-1, -5)
        Sum(rows=0, hash=0)
        """
        return Sum(self.rows + rows, (self.hash + hashed) % MODULUS)

    def pack(self) -> bytes:
        """Return it as 16 bytes."""
        return _SUM.pack(*self)

    @classmethod
    def unpack(cls, raw: bytes) -> Sum:
        """Read `pack()` back."""
        return cls(*_SUM.unpack(raw))


def hash_of(text: str | bytes) -> int:
    """Return the hash of one row's text; text is UTF-8."""
    raw = text.encode() if isinstance(text, str) else text
    return int.from_bytes(sha256(raw).digest()[:8], "little")


def text_of(row: Row, table: Table, partition: int) -> str:
    """Return what is hashed of one row: its columns and its partition, as ClickHouse writes them.

    Args:
        row: As the sink inserts it.
        table: Its table.
        partition: Of the journal.
    """
    shown = [
        _shown(value)
        for value, column in zip(row, table.columns, strict=True)
        if is_hashed(column, table)
    ]
    return SEPARATOR.join([*shown, str(partition)])


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return f"[{','.join(map(str, value))}]"
    return str(value)


def expression(table: Table) -> str:
    """Return the SQL of a row's hash; the same number as `hash_of(text_of(row))`."""
    shown = [_sql(column) for column in table.columns if is_hashed(column, table)]
    text = f"concatWithSeparator('\\x1f', {', '.join([*shown, 'toString(_partition)'])})"
    return f"reinterpretAsUInt64(substring(SHA256({text}), 1, 8))"


def _sql(column: Column) -> str:
    if column.is_time:
        return f"toString(toUnixTimestamp64Milli({column.name}))"
    if column.arrow == "bool":
        return f"toString(toUInt8({column.name}))"
    return f"toString({column.name})"


def is_hashed(column: Column, table: Table) -> bool:
    """Whether a fold knows a column: not where an effect stands in Kafka's own log."""
    return not (column.name == "_offset" and table.sequence >= 0)
