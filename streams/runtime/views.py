"""`app.tables[...]`: what the lanes have committed, to be looked at and never to be written."""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, Protocol, cast

import faust
from faust.stores import memory

from schemas.codec import decode_row
from streams.domain.state import State
from streams.domain.table import TABLES

REFUSED = "tables are written by the fold's transaction only"
_BY_NAME = {table.name: table for table in TABLES}


class HasState(Protocol):
    """A lane, as far as a view needs it."""

    @property
    def state(self) -> State:
        """Committed state."""


class HasLanes(Protocol):
    """The worker's app."""

    @property
    def lanes(self) -> Mapping[int, HasState]:
        """Partition → lane."""


class LaneStore(memory.Store[Any, Any]):
    """Read view of one table over all lanes of this worker.

    Faust's own store is written before its changelog record is acknowledged, so it shows what may
    never become durable. Keys are row keys (`tenant|deal_id`, text or bytes), values rows.
    """

    lanes: Mapping[int, HasState]

    def _dicts(self) -> Iterator[Mapping[bytes, bytes]]:
        prefix = _BY_NAME[self.table_name].prefix
        return (lane.state.tables[prefix] for lane in list(self.lanes.values()))

    def __getitem__(self, key: str | bytes) -> Any:
        """Return the decoded row."""
        row_key = _row_key(key)
        for rows in self._dicts():
            raw = rows.get(row_key)
            if raw is not None:
                return decode_row(_BY_NAME[self.table_name].row, raw)
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        """Tell whether some lane of this worker has the row."""
        return isinstance(key, str | bytes) and any(_row_key(key) in rows for rows in self._dicts())

    def __len__(self) -> int:
        """Return the number of rows in this worker's lanes."""
        return sum(map(len, self._dicts()))

    def __iter__(self) -> Iterator[str]:
        """Yield row keys, in no order."""
        return (key.decode() for rows in self._dicts() for key in list(rows))

    def __setitem__(self, key: object, value: object) -> NoReturn:
        """Refuse."""
        raise TypeError(REFUSED)

    def __delitem__(self, key: object) -> NoReturn:
        """Refuse."""
        raise TypeError(REFUSED)


def _row_key(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key


class LaneTable(faust.Table[Any, Any]):
    """A table whose rows live in lanes.

    `Table.__setitem__` would send a changelog record outside the transaction, and a missing key
    would be created by reading it.
    """

    def _new_store(self) -> LaneStore:
        store = LaneStore("memory://", self.app, self, table_name=self.name)
        store.lanes = cast("HasLanes", self.app).lanes
        return store

    def on_key_get(self, key: Any) -> None:
        """Skip Faust's sensors: a view may be read outside of stream iteration."""

    def on_key_set(self, key: Any, value: Any) -> NoReturn:  # noqa: ARG002
        """Refuse: nothing but the transaction may write the changelog."""
        raise TypeError(REFUSED)

    def on_key_del(self, key: Any) -> NoReturn:  # noqa: ARG002
        """Refuse: nothing but the transaction may write the changelog."""
        raise TypeError(REFUSED)
