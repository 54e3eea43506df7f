"""What the ledger rows of one lane mean: who may write, from where, and what is in doubt.

The rules are those of docs/architecture.md, "Exactly once into ClickHouse": claim, then read;
ledger row, then guarded insert.
"""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.errors import CorruptLog, DaybookError
from sinks.mapping.tables import Table

CLAIM, STATE = 0, 1


class Fenced(DaybookError):  # noqa: N818 - named by what the caller does next
    """Another process owns the lane: stop at once, it goes on from the ledger."""


class LedgerRow(NamedTuple):
    """One row of `crm.ops_ledger`; `at` is the server's.

    Args:
        topic: Kafka topic.
        partition: Its partition.
        gen: Generation the lane writes.
        epoch: Of the claim: highest of the lane + 1.
        owner: Random name of the process.
        seq: Of the row within its claim, from 1.
        kind: `CLAIM` or `STATE`.
        done_to: Every record below it is in the table.
        pending_from: Start of the range in doubt.
        pending_to: Its end, exclusive; equal to the start: none.
        token: Deduplication token of the range.
        n: Rows of the range.
        crc: CRC-32 of its raw values.
        topic_id: Kafka's id of the topic.
        next_seq: Sequence number of the first effect at or above `done_to`.
    """

    topic: str
    partition: int
    gen: int
    epoch: int
    owner: str
    seq: int
    kind: int
    done_to: int
    pending_from: int
    pending_to: int
    token: str
    n: int
    crc: int
    topic_id: str
    next_seq: int


class Pending(NamedTuple):
    """A range that may or may not be in the table; see `LedgerRow`."""

    start: int
    end: int
    token: str
    n: int
    crc: int


class Standing(NamedTuple):
    """Where a lane stands after a claim.

    Args:
        epoch: Of the claim.
        owner: Of the claim.
        done_to: Next offset to be inserted; None when the lane has never run.
        pending: The range in doubt, or None.
        next_seq: Sequence number expected next.
    """

    epoch: int
    owner: str
    done_to: int | None = None
    pending: Pending | None = None
    next_seq: int = 0


def standing(rows: Sequence[LedgerRow], claim: LedgerRow, table: Table) -> Standing:
    """Return where a lane stands, from all its rows read *after* `claim` was written.

    Raises:
        Fenced: another claim is higher.
        CorruptLog: the topic isn't the one the ledger was written for.
    """
    mine = (claim.epoch, claim.owner)
    highest = max((row.epoch, row.owner) for row in rows)
    if highest != mine:
        raise Fenced(f"{claim.topic}/{claim.partition}: claim {highest} is above ours, {mine}")
    states = [row for row in rows if row.kind == STATE]
    if not states:
        return Standing(*mine)
    last = max(states, key=lambda row: (row.epoch, row.owner, row.seq))
    if last.topic_id != claim.topic_id:
        raise CorruptLog(
            f"{claim.topic} was created again: the ledger stands at offset {last.done_to} of topic "
            f"id {last.topic_id}, this one is {claim.topic_id}; start a new generation"
        )
    pending = None
    # A compacted range can't be trusted to read the same; its table keeps the newest by itself.
    if last.pending_to > last.pending_from and not table.newest_wins:
        pending = Pending(last.pending_from, last.pending_to, last.token, last.n, last.crc)
    return Standing(*mine, last.done_to, pending, last.next_seq)


def start_offset(where: str, stand: Standing, low: int, high: int, table: Table) -> int:
    """Return the offset to read from.

    Args:
        where: Topic and partition, for the message.
        stand: After the claim.
        low: Where the log starts.
        high: Where it ends.
        table: Decides whether a lane that has never run may begin at the log's start.

    Raises:
        CorruptLog: retention removed records the table doesn't have, or the log is too short.
    """
    # The journal counts from 0 and effects are numbered: both prove that nothing is missing.
    # Compaction leaves a log's start alone: whatever moved it has deleted records.
    first = 0 if table.dense else low
    start = first if stand.done_to is None else stand.done_to
    if low > start:
        raise CorruptLog(
            f"{where}: retention passed the sink: offset {start} is needed, the log starts at {low}"
        )
    if start > high:
        raise CorruptLog(f"{where}: the log ends at {high}, the ledger stands at {start}")
    return start


def token(row: LedgerRow) -> str:
    """Return the deduplication token of the pending range of `row`.

    It holds the claim, so two cuts of one range by two owners never share a token by accident.
    """
    return (
        f"{row.topic}:{row.partition}:{row.pending_from}-{row.pending_to}"
        f":g{row.gen}:{row.owner}.{row.epoch}"
    )
