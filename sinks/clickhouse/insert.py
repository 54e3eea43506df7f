"""Puts one batch into its table, exactly once."""

from collections.abc import Sequence

from schemas.errors import CorruptLog
from sinks.clickhouse.arrow import stream
from sinks.clickhouse.client import ClickHouse
from sinks.mapping.lanes import Batch, Lane
from sinks.mapping.records import Row
from sinks.mapping.statements import (
    INSERT_SETTINGS,
    guarded_insert,
    identity_count,
    missing_rows,
    range_select,
)

CHUNK = 1_000
"""Identities per query: ClickHouse parses at most 256 KiB."""


def insert(clickhouse: ClickHouse, lane: Lane, batch: Batch, token: str) -> None:
    """Insert a batch whose ledger row is written.

    Args:
        clickhouse: The server.
        lane: Owns the batch.
        batch: With at least one row.
        token: Of the ledger row; a repeat with the same token changes nothing.

    Raises:
        Fenced: another process has claimed the lane.
        Unavailable: ClickHouse stayed away.
    """
    sql = guarded_insert(lane.table, lane.key, lane.stand.epoch, lane.stand.owner)
    settings = INSERT_SETTINGS | {"insert_deduplication_token": token}
    clickhouse.run(sql, stream(lane.table, batch.rows), settings)


def verify(clickhouse: ClickHouse, lane: Lane, batch: Batch) -> None:
    """Prove that the table holds each row of a batch that was sent again, once.

    Raises:
        CorruptLog: a row is missing or there twice; the token was forgotten, or someone wrote
            beside the ledger.
    """
    held = clickhouse.rows(range_select(lane.table, lane.key, batch.start, batch.end))
    missing = missing_rows(batch.rows, [row[0] for row in held])
    where = f"{lane.where} [{batch.start}, {batch.end})"
    if missing is None:
        raise CorruptLog(f"{where}: {lane.table.name} holds {len(held)} rows, some twice")
    if missing and lane.table.collapses and _stand_in(clickhouse, lane, missing):
        return
    if missing:
        raise CorruptLog(
            f"{where}: {lane.table.name} lacks {len(missing)} of {len(batch.rows)} rows sent again"
        )


def _stand_in(clickhouse: ClickHouse, lane: Lane, missing: Sequence[Row]) -> bool:
    """Whether rows of other offsets hold the events of `missing`: repeats that were collapsed."""
    for at in range(0, len(missing), CHUNK):
        sql, expected = identity_count(lane.table, lane.key, missing[at : at + CHUNK])
        if clickhouse.rows(sql)[0][0] != expected:
            return False
    return True
