"""Committed state of one journal partition: encoded rows, and what is derived from them."""

from collections.abc import Iterable, Mapping, MutableMapping

from sortedcontainers import SortedSet

from schemas.codec import decode_row, encode_row
from schemas.derived.metric import MetricKey
from schemas.state.rows import Head, Timer
from streams.domain.effects import Effects
from streams.domain.metrics.buckets import KnownBuckets
from streams.domain.table import HEAD_KEY, HOURS, TABLES, TIMERS, Row, Table


class State:
    """Rows as bytes (decoded on touch), the head, and two indexes rebuilt from the rows.

    Only `apply` and `load` change it; `fold` reads it. Values are bytes because a partition holds
    many more rows than a batch touches (47-58 MB per 100k subjects, decoded twice that).

    Attributes:
        tables: Table prefix → row key → encoded row.
        head: Position, fold time, next effect number.
        timers: (due_ms, timer key), ascending: what fires next.
        hours: `tenant|bucket_ms` → keys of the hour buckets still open.
        buckets: Metric buckets touched lately, decoded.

    Args:
        tables: Where the rows are, one mapping for each of `TABLES`; in memory and empty if None.
        head: The head's row that belongs to them.
    """

    __slots__ = ("_decoded", "buckets", "head", "hours", "tables", "timers")

    def __init__(
        self,
        tables: Mapping[bytes, MutableMapping[bytes, bytes]] | None = None,
        head: bytes | None = None,
    ) -> None:
        self.tables: Mapping[bytes, MutableMapping[bytes, bytes]]
        self.tables = {table.prefix: {} for table in TABLES} if tables is None else tables
        self.head = Head() if head is None else decode_row(Head, head)
        self.timers: SortedSet[tuple[int, str]] = SortedSet()
        self.hours: dict[str, set[bytes]] = {}
        self.buckets = KnownBuckets()
        self._decoded: dict[tuple[bytes, bytes], object] = {}
        for key, value in self.tables[TIMERS.prefix].items():
            self._index_timer(key, None, value)
        for key, value in self.tables[HOURS.prefix].items():
            self._index_hour(key, value)

    @classmethod
    def load(cls, rows: Iterable[tuple[bytes, bytes | None]]) -> "State":
        """Build the state from changelog records in log order; later ones win, None deletes."""
        state = cls()
        for key, value in rows:
            state.put(key, value)
        return state

    def apply(self, effects: Effects) -> None:
        """Merge what a committed transaction wrote."""
        for key, value in effects.rows:
            self.put(key, value)
        if effects.buckets is None:
            self.buckets.clear()
        else:
            self.buckets.merge(effects.buckets, effects.closed)

    def rows(self) -> Iterable[tuple[bytes, bytes]]:
        """Yield every row as a changelog record, the head last: what `load` reads back."""
        for prefix, table in self.tables.items():
            for key, value in table.items():
                yield prefix + key, value
        yield HEAD_KEY, self.head_row()

    def head_row(self) -> bytes:
        """Return the head as its row."""
        return encode_row(self.head)

    def find(self, table: Table[Row], key: bytes) -> Row | None:
        """Return one decoded row; rows of reference tables are shared, so read only."""
        raw = self.tables[table.prefix].get(key)
        if raw is None:
            return None
        if not table.reference:
            return decode_row(table.row, raw)
        known = self._decoded.get((table.prefix, key))
        if known is None:
            known = self._decoded[table.prefix, key] = decode_row(table.row, raw)
        return known  # type: ignore[return-value]  # keyed by the table's prefix

    def put(self, key: bytes, value: bytes | None) -> None:
        """Take in one changelog record; decoded buckets are the caller's to forget."""
        if key == HEAD_KEY:
            if value is not None:
                self.head = decode_row(Head, value)
            return
        prefix, row_key = key[:1], key[1:]
        table = self.tables[prefix]
        if prefix == TIMERS.prefix:
            self._index_timer(row_key, table.get(row_key), value)
        elif prefix == HOURS.prefix and (value is None or row_key not in table):
            self._index_hour(row_key, value)
        self._decoded.pop((prefix, row_key), None)
        if value is None:
            table.pop(row_key, None)
        else:
            table[row_key] = value

    def _index_timer(self, key: bytes, old: bytes | None, new: bytes | None) -> None:
        name = key.decode()
        if old is not None:
            self.timers.discard((decode_row(Timer, old).due_ms, name))
        if new is not None:
            self.timers.add((decode_row(Timer, new).due_ms, name))

    def _index_hour(self, key: bytes, value: bytes | None) -> None:
        parsed = MetricKey.parse(key.decode())
        group = hour_group(parsed.tenant, parsed.bucket_ms)
        if value is not None:
            self.hours.setdefault(group, set()).add(key)
        elif group in self.hours:
            self.hours[group].discard(key)
            if not self.hours[group]:
                del self.hours[group]


def hour_group(tenant: str, bucket_ms: int) -> str:
    """Return the name under which a tenant's buckets of one hour are closed together."""
    return f"{tenant}|{bucket_ms}"
