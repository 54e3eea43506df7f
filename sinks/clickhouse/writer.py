"""The writer thread: ledger row, then insert, in that order."""

import queue
import threading
import time
from typing import NamedTuple

import structlog

from sinks.clickhouse.assignment import Assignment
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.insert import insert, verify
from sinks.clickhouse.ledger import Ledger
from sinks.mapping.lanes import Batch, Lane
from sinks.telemetry import BATCHES, INSERT_SECONDS, LEDGER_SECONDS, RESENDS, ROWS, Telemetry

log = structlog.get_logger(__name__)


class Work(NamedTuple):
    """What a lane wants written: a batch, or None for its position only."""

    lane: Lane
    batch: Batch | None


class Writer:
    """Writes what lanes cut, from one thread, while the poller goes on reading.

    Args:
        clickhouse: The server.
        ledger: Written before every insert.
        assignment: Work of lanes that aren't ours any more is dropped.
        telemetry: Rows, batches, times.
    """

    def __init__(
        self, clickhouse: ClickHouse, ledger: Ledger, assignment: Assignment, telemetry: Telemetry
    ) -> None:
        self._clickhouse, self._ledger = clickhouse, ledger
        self._assignment, self._telemetry = assignment, telemetry
        self._queue: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self.failure: Exception | None = None

    def start(self) -> None:
        """Start the thread; it dies with the process, what it leaves behind the ledger explains."""
        threading.Thread(target=self._run, name="writer", daemon=True).start()

    def submit(self, work: Work) -> None:
        """Queue work; its lane is busy until it is done."""
        work.lane.busy = True
        self._queue.put(work)

    def check(self) -> None:
        """Raise what stopped the thread, in the caller's thread."""
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            while True:
                group = [self._queue.get()]
                while not self._queue.empty():
                    group.append(self._queue.get())
                with self._assignment.still():
                    self.write([work for work in group if self._assignment.owns(work.lane)])
        except Exception as error:  # noqa: BLE001 - whatever it is, the poller must stop with it
            self.failure = error

    def write(self, group: list[Work]) -> None:
        """Write one group: a single ledger insert carries the rows of all its lanes."""
        if not group:
            return
        rows = [lane.ledger_row(batch) for lane, batch in group]
        started = time.monotonic()
        self._ledger.write(rows)
        now = time.monotonic()
        self._telemetry.observe(LEDGER_SECONDS, now - started)
        for (lane, batch), row in zip(group, rows, strict=True):
            lane.recorded(row, now)
            if batch is not None:
                self._insert(lane, batch, row.token)
            lane.busy = False

    def _insert(self, lane: Lane, batch: Batch, token: str) -> None:
        table = lane.table.name
        started = time.monotonic()
        insert(self._clickhouse, lane, batch, token)
        now = time.monotonic()
        if batch.pending:
            verify(self._clickhouse, lane, batch)
            self._telemetry.count(RESENDS, table=table)
            log.info("pending_range_resent", lane=lane.where, rows=len(batch.rows), token=token)
        lane.finished(batch, now)
        self._telemetry.observe(INSERT_SECONDS, now - started, table=table)
        self._telemetry.count(ROWS, len(batch.rows), table=table)
        self._telemetry.count(BATCHES, table=table)
        log.debug("batch_inserted", lane=lane.where, rows=len(batch.rows), to=batch.end)
