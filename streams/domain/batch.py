"""What one batch has touched so far: decoded working copies over the committed state."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from schemas.codec import decode_row, encode_partial, encode_row
from schemas.state.rows import Timer
from streams.domain.effects import Effects
from streams.domain.metrics.buckets import TouchedBuckets, start_of
from streams.domain.metrics.record import Observation
from streams.domain.state import State, hour_group
from streams.domain.table import (
    ENTITIES,
    HEAD_KEY,
    HOURS,
    METRICS,
    TIMERS,
    Row,
    Table,
)

if TYPE_CHECKING:
    from streams.domain.metrics.accumulator import Accumulator

MAX_FIRED = 5_000
"""Timers that one tick fires at most."""


class Batch:
    """Working copies of the rows, buckets and timers that a batch changes.

    The committed state is never written: a failed batch leaves nothing to undo, and table views
    show committed values only. Every row is decoded once and encoded once, however often it is
    touched; a row that ends as it was is not written.
    """

    __slots__ = (
        "_closed", "_hours", "_metrics", "_rows", "_state", "_timers", "counts", "effects", "head",
        "repeats",
    )  # fmt: skip

    def __init__(self, state: State) -> None:
        self._state = state
        self._rows: dict[bytes, dict[str, object]] = {table.prefix: {} for table in ENTITIES}
        known, tables = state.buckets.groups, state.tables
        self._metrics = TouchedBuckets(known, tables[METRICS.prefix])
        self._hours = TouchedBuckets(known, tables[HOURS.prefix])
        self._closed: list[Accumulator] = []
        self._timers: dict[str, Timer | None] = {}
        self.head = replace(state.head, sources=dict(state.head.sources))
        self.effects: list[tuple[bytes, str, bytes]] = []
        self.counts: dict[str, int] = {}
        self.repeats: list[int] = []

    def count(self, what: str) -> None:
        """Count something for telemetry."""
        self.counts[what] = self.counts.get(what, 0) + 1

    # rows

    def find(self, table: Table[Row], key: str) -> Row | None:
        """Return a row to read, or None."""
        row = self._rows[table.prefix].get(key)
        if row is not None:
            return row  # type: ignore[return-value]  # keyed by the table's prefix
        return self._state.find(table, key.encode())

    def row(self, table: Table[Row], key: str) -> Row:
        """Return a row to change; a missing one is made as `table.row()`."""
        rows = self._rows[table.prefix]
        row = rows.get(key)
        if row is None:
            found = self._state.find(table, key.encode())
            if found is not None and table.reference:
                found = replace(found)  # type: ignore[type-var]  # the shared one stays as it is
            row = rows[key] = table.row() if found is None else found
        return row  # type: ignore[return-value]  # keyed by the table's prefix

    # metric buckets

    def observe(self, observation: Observation, offset: int) -> bool:
        """Change the buckets of one observation; tell whether one of them is new."""
        buckets = self._metrics if observation.hour_ms is None else self._hours
        return buckets.observe(observation, offset)

    def close_hour(self, tenant: str, bucket_ms: int) -> None:
        """Forget the buckets of one hour of a tenant; ClickHouse keeps their last values."""
        stored = self._state.hours.get(hour_group(tenant, bucket_ms), set())
        self._closed += self._hours.close(tenant, bucket_ms, stored)

    # timers

    def set_timer(self, key: str, timer: Timer) -> None:
        """Set or replace a timer."""
        self._timers[key] = timer

    def cancel_timer(self, key: str) -> None:
        """Cancel a timer; cancelling one that isn't set changes nothing."""
        self._timers[key] = None

    def has_timer(self, key: str) -> bool:
        """Tell whether a timer is set."""
        return self._timer(key) is not None

    def due_timers(self, now_ms: int, most: int = MAX_FIRED) -> Iterator[tuple[str, Timer]]:
        """Take out and yield the timers due, earliest first, ties by key.

        What a firing timer sets is looked at again, until nothing is due.

        Args:
            now_ms: Fold time.
            most: So many at a time; the rest stay due for the next tick. After a long outage all
                at once would be a transaction that never ends in time.
        """
        while due := self._due(now_ms):
            for _, key in due:
                timer = self._timer(key)
                # One that fired before it in this round may have cancelled or moved it.
                if timer is not None and timer.due_ms <= now_ms:
                    if most == 0:
                        return
                    most -= 1
                    self._timers[key] = None
                    yield key, timer

    def _due(self, now_ms: int) -> list[tuple[int, str]]:
        due = [
            (timer.due_ms, key)
            for key, timer in self._timers.items()
            if timer is not None and timer.due_ms <= now_ms
        ]
        for due_ms, key in self._state.timers:
            if due_ms > now_ms:
                break
            if key not in self._timers:
                due.append((due_ms, key))
        return sorted(due)

    def _timer(self, key: str) -> Timer | None:
        if key in self._timers:
            return self._timers[key]
        raw = self._state.tables[TIMERS.prefix].get(key.encode())
        return None if raw is None else decode_row(Timer, raw)

    # result

    def finish(self, generation: int) -> Effects:
        """Encode what changed."""
        result = Effects(self.head, effects=self.effects, counts=self.counts, repeats=self.repeats)
        self._finish_rows(result.rows)
        self._finish_timers(result.rows)
        self._finish_buckets(result, generation)
        result.changed = bool(result.rows or result.effects)
        result.rows.append((HEAD_KEY, encode_row(self.head)))
        return result

    def _finish_rows(self, out: list[tuple[bytes, bytes | None]]) -> None:
        for prefix, rows in self._rows.items():
            stored = self._state.tables[prefix]
            for key, row in rows.items():
                raw, encoded = key.encode(), encode_row(row)
                if stored.get(raw) != encoded:
                    out.append((prefix + raw, encoded))

    def _finish_timers(self, out: list[tuple[bytes, bytes | None]]) -> None:
        stored = self._state.tables[TIMERS.prefix]
        for key, timer in self._timers.items():
            raw = key.encode()
            encoded = None if timer is None else encode_row(timer)
            if stored.get(raw) != encoded:
                out.append((TIMERS.prefix + raw, encoded))

    def _finish_buckets(self, result: Effects, generation: int) -> None:
        # Readers keep an hour's last value, so it is said even if the hour closes in this batch.
        for last in self._closed:
            result.metrics.append((last.key, encode_partial(last.partial(generation))))
        for table, buckets in ((METRICS, self._metrics), (HOURS, self._hours)):
            prefix, stored = table.prefix, self._state.tables[table.prefix]
            for key, it in buckets.touched.items():
                if it is not None:
                    encoded = encode_partial(it.partial(generation))
                    result.metrics.append((key, encoded))
                    result.rows.append((prefix + key, encoded))
                    continue
                result.metrics.append((key, None))
                result.closed.add(start_of(key))
                if key in stored:
                    result.rows.append((prefix + key, None))
        # Starts of the two tables differ in their grain.
        result.buckets = self._metrics.groups | self._hours.groups
