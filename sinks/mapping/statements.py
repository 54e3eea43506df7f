"""SQL of the sink. Names come from `tables` and `ledger` only; values are numbers or quoted."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson

from sinks.mapping.ledger import LedgerRow
from sinks.mapping.records import Row
from sinks.mapping.tables import Table

FENCED = "DAYBOOK_FENCED"
"""Text of the exception the guard throws."""
LEDGER = "crm.ops_ledger"
LEDGER_COLUMNS = ", ".join(LedgerRow._fields)

INSERT_SETTINGS = {
    "async_insert": 0,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # One block per batch from one thread: the token's blocks must not depend on timing.
    "max_insert_threads": 1,
    "max_threads": 1,
    "min_insert_block_size_rows": 1_000_000,
    "min_insert_block_size_bytes": 1 << 30,
    "max_block_size": 1_000_000,
    "input_format_parallel_parsing": 0,
    # A batch of imported history may touch more months than the default 100.
    "max_partitions_per_insert_block": 0,
    # FINAL removes repeats; doing it at insert too would cost every batch a merge.
    "optimize_on_insert": 0,
}


class LaneKey(NamedTuple):
    """Names one lane in the ledger."""

    topic: str
    partition: int
    generation: int

    def where(self) -> str:
        """Return the condition that selects its ledger rows."""
        return (
            f"topic = {quoted(self.topic)} AND partition = {self.partition:d} "
            f"AND gen = {self.generation:d}"
        )


def quoted(text: str) -> str:
    """Return `text` as a ClickHouse string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def guarded_insert(table: Table, lane: LaneKey, epoch: int, owner: str) -> str:
    """Return the INSERT that throws `FENCED` unless (epoch, owner) is the lane's highest claim.

    The check is inside the statement: a process that checked first and stopped before its insert
    would otherwise still write once it wakes. Its body is an Arrow stream of the table's columns.
    """
    names = ", ".join(column.name for column in table.columns)
    values = ", ".join(column.expression for column in table.columns)
    struct = ", ".join(f"{column.name} {column.sql}" for column in table.columns)
    return (
        f"INSERT INTO {table.name} (gen, _partition, {names}) "  # noqa: S608 - our names
        f"SELECT {lane.generation:d}, {lane.partition:d}, {values} FROM input('{struct}') "
        f"WHERE (SELECT throwIf(max((epoch, owner)) != ({epoch:d}, {quoted(owner)}), '{FENCED}') "
        f"FROM {LEDGER} WHERE {lane.where()}) = 0 FORMAT ArrowStream"
    )


def ledger_insert(rows: Iterable[LedgerRow]) -> tuple[str, bytes]:
    """Return statement and body that write ledger rows, all in one block."""
    body = b"\n".join(orjson.dumps(row._asdict()) for row in rows)
    return f"INSERT INTO {LEDGER} ({LEDGER_COLUMNS}) FORMAT JSONEachRow", body


def ledger_select(lanes: Sequence[LaneKey]) -> str:
    """Return the query for all ledger rows of `lanes`, columns as in `LedgerRow`."""
    conditions = " OR ".join(f"({lane.where()})" for lane in lanes)
    return f"SELECT {LEDGER_COLUMNS} FROM {LEDGER} WHERE {conditions}"  # noqa: S608 - our names


def range_select(table: Table, lane: LaneKey, start: int, end: int) -> str:
    """Return the query for the offsets the table holds in `[start, end)` of a lane."""
    return (
        f"SELECT _offset FROM {table.name} WHERE gen = {lane.generation:d} "  # noqa: S608 - our names
        f"AND _partition = {lane.partition:d} AND _offset >= {start:d} AND _offset < {end:d}"
    )


def missing_rows(rows: Sequence[Row], offsets: Sequence[int]) -> list[Row] | None:
    """Compare a batch with the offsets its table holds.

    Args:
        rows: The batch; the offset is the last value of each.
        offsets: Found in the table in the batch's range.

    Returns:
        The rows whose offset is absent, or None when the table holds an offset twice or one that
        isn't the batch's.
    """
    found = set(offsets)
    wanted = {row[-1] for row in rows}
    if len(found) != len(offsets) or found - wanted:
        return None
    return [row for row in rows if row[-1] not in found]


def identity_count(table: Table, lane: LaneKey, rows: Sequence[Row]) -> tuple[str, int]:
    """Return the query counting which of `rows` exist under their identity, and what it must say.

    Needed where the table collapses repeats: the row of another offset may stand for ours.
    """
    by_name = {column.name: index for index, column in enumerate(table.columns)}
    names = ("tenant", "source", "event_id")
    keys = [tuple(str(row[by_name[name]]) for name in names) for row in rows]
    tuples = ", ".join(f"({', '.join(quoted(part) for part in key)})" for key in sorted(set(keys)))
    sql = (
        f"SELECT uniqExact({', '.join(names)}) FROM {table.name} WHERE gen = {lane.generation:d} "  # noqa: S608 - our names
        f"AND _partition = {lane.partition:d} AND ({', '.join(names)}) IN ({tuples})"
    )
    return sql, len(set(keys))
