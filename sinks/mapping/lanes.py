"""A lane: one partition on its way into one table. Cuts batches, guards order; does no I/O."""

from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from schemas.errors import CorruptLog
from sinks.mapping.ledger import STATE, LedgerRow, Pending, Standing, token
from sinks.mapping.records import Row, newest
from sinks.mapping.statements import LaneKey
from sinks.mapping.tables import Table


class Policy(NamedTuple):
    """When a batch is closed, and when an idle lane writes its position.

    Args:
        rows: So many rows close it.
        size: So many bytes of raw values close it.
        flush_s: So long after its first row, s.
        close_s: So long after the last insert, without new rows, the ledger's pending range is
            closed, s: a token must not wait until the deduplication window has passed it.
        position_s: So often a position moved by records without rows (ticks) is written, s.
    """

    rows: int = 50_000
    size: int = 32 * 1024 * 1024
    flush_s: float = 1.0
    close_s: float = 0.3
    position_s: float = 10.0


@dataclass(slots=True)
class Batch:
    """Consecutive records, `[start, end)`, and the rows they gave.

    Args:
        start: First offset.
        end: Behind the last offset.
        next_seq: Sequence number expected after it.
        rows: Of the records that have one.
        crc: CRC-32 of all raw values.
        size: Bytes of all raw values.
        opened: Time of the first row, s, monotonic.
        pending: The recorded range this batch must equal, or None.
    """

    start: int
    end: int
    next_seq: int
    rows: list[Row] = field(default_factory=list)
    crc: int = 0
    size: int = 0
    opened: float = 0.0
    pending: Pending | None = None


class Lane:
    """State of one lane; every method is a decision, time is an argument.

    The poller calls `accept`, `end_of_log`, `cut`; the writer calls `ledger_row`, `finished`,
    `closed`, `moved`. Attributes are set by one side only, `busy` last.

    Args:
        key: Topic, partition and generation; in rows, token and ledger.
        topic_id: Kafka's id of the topic.
        table: Where rows go.
        stand: After the claim.
        start: First offset that will be read.
        now: Time of the claim, s, monotonic.
    """

    def __init__(
        self,
        key: LaneKey,
        topic_id: str,
        table: Table,
        stand: Standing,
        start: int,
        now: float,
    ) -> None:
        self.key = key
        self.topic, self.partition, self.generation = key
        self.topic_id, self.table, self.stand = topic_id, table, stand
        self.where = f"{self.topic}/{self.partition}"
        self.done, self.done_seq = start, stand.next_seq
        self.batch = Batch(start, start, stand.next_seq, pending=stand.pending)
        self.log_end = start
        self.seq = 1  # the claim's
        self.busy = False
        self.open = self.doubt = stand.pending is not None
        self.written = start
        self.written_at = self.touched_at = now

    def accept(self, offset: int, value: bytes | None, row: Row | None, now: float) -> None:
        """Add one record.

        Args:
            offset: Kafka offset; ascending.
            value: Raw, for the checksum.
            row: What the mapping made of it, or None.
            now: Monotonic, s.

        Raises:
            CorruptLog: a hole, a lost effect, or a pending range that reads differently.
        """
        batch = self.batch
        if offset != batch.end:
            self._check_step(offset)
        if row is not None:
            sequence = self.table.sequence
            if sequence >= 0:
                if row[sequence] != batch.next_seq:
                    raise CorruptLog(
                        f"{self.where}: effect {batch.next_seq} is missing, offset {offset} "
                        f"holds effect {row[sequence]}"
                    )
                batch.next_seq += 1
            if not batch.rows:
                batch.opened = now
            batch.rows.append(row)
        raw = value or b""
        batch.size += len(raw)
        batch.crc = crc32(raw, batch.crc)
        batch.end = offset + 1

    def _check_step(self, offset: int) -> None:
        """Judge an offset that doesn't follow the last one."""
        batch = self.batch
        if offset < batch.end:
            raise CorruptLog(f"{self.where}: offset went back from {batch.end} to {offset}")
        if self.table.dense:
            raise CorruptLog(f"{self.where}: hole, offset {batch.end} expected, {offset} read")
        if batch.pending and offset >= batch.pending.end:
            raise CorruptLog(f"{self.where}: pending range {batch.pending[:2]} ends before its end")

    def end_of_log(self, offset: int) -> None:
        """Remember the end of the log; it is behind markers and aborted records and comes once.

        Raises:
            CorruptLog: the log ends inside a pending range.
        """
        self.log_end = offset
        pending = self.batch.pending
        if pending and offset >= pending.end and self.batch.end < pending.end:
            raise CorruptLog(f"{self.where}: pending range {pending[:2]} can't be read again")

    def complete(self, policy: Policy) -> bool:
        """Whether the batch must be cut before the next record is accepted.

        Raises:
            CorruptLog: a pending range read differently.
        """
        batch = self.batch
        if batch.pending is None:
            return len(batch.rows) >= policy.rows and not self.busy
        if batch.end < batch.pending.end:
            return False
        read = (len(batch.rows), batch.crc)
        if read != batch.pending[3:]:
            raise CorruptLog(
                f"{self.where}: pending range {batch.pending[:2]} changed: rows and CRC-32 were "
                f"{batch.pending[3:]}, are {read}"
            )
        return True

    def due(self, policy: Policy, now: float) -> bool:
        """Whether the batch may be cut now."""
        batch = self.batch
        if self.busy or batch.pending or not batch.rows:
            return False
        full = len(batch.rows) >= policy.rows or batch.size >= policy.size
        return full or now - batch.opened >= policy.flush_s

    def ahead(self, policy: Policy) -> bool:
        """Whether the poller is two batches ahead of the writer, so it must not poll."""
        batch = self.batch
        return self.busy and (len(batch.rows) > 2 * policy.rows or batch.size > 2 * policy.size)

    def cut(self) -> Batch:
        """Take the batch away and begin the next one behind it; the lane is busy until done."""
        batch = self.batch
        self.batch = Batch(batch.end, batch.end, batch.next_seq)
        if self.table.newest_wins:
            batch.rows = newest(batch.rows, self.table.key)
        self.busy = True
        return batch

    def advance(self) -> None:
        """Move the position over records without rows; costs nothing, the ledger follows later."""
        batch = self.batch
        if self.busy or batch.rows or batch.pending:
            return
        end = max(batch.end, self.log_end)
        if end > self.done:
            self.done = end
            self.batch = Batch(end, end, batch.next_seq)

    def stale(self, policy: Policy, now: float) -> bool:
        """Whether an idle lane owes the ledger a row: to close a range, or for its position."""
        if self.busy or self.batch.rows or self.batch.pending:
            return False
        if self.open:
            return now - self.touched_at >= policy.close_s
        return self.done > self.written and now - self.written_at >= policy.position_s

    @property
    def owes(self) -> bool:
        """Whether the ledger is behind what is done, so that leaving should write a row."""
        # A range in doubt must stay in the ledger: its rows may be in the table or not.
        return not self.doubt and (self.open or self.done > self.written)

    def ledger_row(self, batch: Batch | None) -> LedgerRow:
        """Return the next ledger row: closes what was pending, opens `batch` if given."""
        self.seq += 1
        row = LedgerRow(
            self.topic,
            self.partition,
            self.generation,
            self.stand.epoch,
            self.stand.owner,
            self.seq,
            STATE,
            self.done,
            batch.start if batch else 0,
            batch.end if batch else 0,
            "",
            len(batch.rows) if batch else 0,
            batch.crc if batch else 0,
            self.topic_id,
            self.done_seq,
        )
        if batch is None:
            return row
        return row._replace(token=batch.pending.token if batch.pending else token(row))

    def recorded(self, row: LedgerRow, now: float) -> None:
        """Note that `row` is in the ledger."""
        self.open = self.doubt = row.pending_to > row.pending_from
        self.written, self.written_at, self.touched_at = row.done_to, now, now

    def finished(self, batch: Batch, now: float) -> None:
        """Note that the rows of `batch` are in the table."""
        self.done, self.done_seq = batch.end, batch.next_seq
        self.doubt = False
        self.touched_at = now
