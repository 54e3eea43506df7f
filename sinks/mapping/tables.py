"""Which topic fills which ClickHouse table, with which columns, under which guarantees."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from schemas.topics import EFFECT, JOURNAL, METRIC

Arrow = Literal["string", "int", "uint", "bool", "ints"]


class Column(NamedTuple):
    """One column as it travels; the engine casts it to the table's type.

    Args:
        name: In the table.
        sql: ClickHouse type in `input()`.
        arrow: Kind of the Arrow array.
        is_time: Travels as integer ms. It is converted by a function that says so: servers
            differ in what they make of an integer where a DateTime64 is declared (26.9: seconds).
    """

    name: str
    sql: str
    arrow: Arrow
    is_time: bool = False

    @property
    def expression(self) -> str:
        """Return what the SELECT of the insert says."""
        return f"fromUnixTimestamp64Milli({self.name}, 'UTC')" if self.is_time else self.name


@dataclass(frozen=True, slots=True)
class Table:
    """A table the sink writes, one row per record that has one.

    Args:
        name: Qualified.
        columns: In the order of the rows; `gen` and `_partition` are added by the statement.
        dense: Offsets of the topic have no holes (non-transactional writers), so one is a loss.
        sequence: Index of the column that numbers the rows densely per partition; -1: none.
            Topics of transactional writers have holes, so their offsets can't prove a loss.
        newest_wins: The table keeps the newest row per `key` by itself, and the topic is
            compacted: a range may read differently later, and that is no loss.
        collapses: The table drops rows with an equal `key` (a producer's repeats).
        key: Indices of the columns that identify a row; empty where every record is a row.
    """

    name: str
    columns: tuple[Column, ...]
    dense: bool = False
    sequence: int = -1
    newest_wins: bool = False
    collapses: bool = False
    key: tuple[int, ...] = ()


def _columns(text: str) -> tuple[Column, ...]:
    """Read `name:kind …`; kinds: s text, t time in ms, i/u 64-bit integers, b bool, a array."""
    kinds: dict[str, tuple[str, Arrow]] = {
        "s": ("String", "string"),
        "t": ("Int64", "int"),
        "i": ("Int64", "int"),
        "u": ("UInt64", "uint"),
        "b": ("Bool", "bool"),
        "a": ("Array(Int64)", "ints"),
    }
    pairs = (word.split(":") for word in text.split())
    return tuple(Column(name, *kinds[kind], is_time=kind == "t") for name, kind in pairs)


EVENT_TABLE = Table(
    "crm.fct_event",
    _columns(
        "tenant:s event_id:s event_type:s ts:t recorded:t subject:s contact_id:s deal_id:s "
        "agent_id:s campaign_id:s channel:s amount_minor:i currency:s origin:s source:s actor:s "
        "correlation:s causation:s depth:i props:s _offset:u"
    ),
    dense=True,
    collapses=True,
    key=(0, 2, 6, 3, 14, 1),
)
EFFECT_TABLE = Table(
    "crm.fct_effect",
    _columns(
        "tenant:s kind:s name:s id:s seq:u subject:s ts:t cause_offset:u effect_index:u entity:s "
        "started:t ended:t duration_ms:i amount_minor:i currency:s value:i stage:s outcome:s "
        "agent_id:s team:s region:s product:s campaign_id:s lead_source:s channel:s origin:s "
        "late:b body:s _offset:u"
    ),
    sequence=4,
)
METRIC_TABLE = Table(
    "crm.agg_metric",
    _columns(
        "tenant:s metric:s grain:s bucket:t dimension:s member:s count:i sum:i min:i max:i "
        "sketch:a _offset:u"
    ),
    newest_wins=True,
    key=(0, 1, 2, 3, 4, 5),
)
TABLES: Mapping[str, Table] = {JOURNAL: EVENT_TABLE, EFFECT: EFFECT_TABLE, METRIC: METRIC_TABLE}
"""Topic → table."""
