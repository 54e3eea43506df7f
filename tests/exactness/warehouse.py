"""Comparing ClickHouse with the logs, row for row."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.topics import EFFECT, JOURNAL, METRIC
from sinks.mapping.records import Row, mapper
from sinks.mapping.tables import EFFECT_TABLE, EVENT_TABLE, METRIC_TABLE, Table
from tests.exactness.verdict import Verdict

STAGES = ("deal_stage", "deal_stage_entered")
STAGE_ROWS = (
    "SELECT seq, closed, deal_id, stage, toUnixTimestamp64Milli(entered), "
    "toUnixTimestamp64Milli(ended), "
    "duration_ms, outcome, agent_id, team, region, product, tenant "
    "FROM crm.fct_deal_stage"
)
LEDGER = """
SELECT topic, partition, argMax((done_to, pending_to - pending_from), (epoch, owner, seq))
FROM crm.ops_ledger WHERE gen = {gen:UInt16} AND kind = 1 GROUP BY topic, partition
"""


class LogRecord(NamedTuple):
    """One committed record of a log."""

    offset: int
    key: bytes | None
    value: bytes | None


class Warehouse:
    """ClickHouse after a run.

    Args:
        client: Of the server.
        generation: Whose rows.
        verdict: Where differences go.
    """

    def __init__(self, client: Client, generation: int, verdict: Verdict) -> None:
        self._client, self._generation, self._verdict = client, generation, verdict

    def events(self, partition: int, journal: Iterable[LogRecord]) -> None:
        """Compare `fct_event`: one row per event; of a producer's repeats the first stays."""
        wanted: dict[object, Row] = {}
        for row in self._mapped(JOURNAL, journal):
            wanted.setdefault(tuple(row[index] for index in EVENT_TABLE.key), row)
        self._rows("rows of fct_event", EVENT_TABLE, partition, wanted.values(), final=True)

    def effects(self, partition: int, effects: Sequence[LogRecord]) -> None:
        """Compare `fct_effect`, and `fct_deal_stage`, which a view fills from it."""
        rows = list(self._mapped(EFFECT, effects))
        self._rows("rows of fct_effect", EFFECT_TABLE, partition, rows)
        place = {column.name: index for index, column in enumerate(EFFECT_TABLE.columns)}
        order = ("entity", "stage", "started", "ended", "duration_ms", "outcome", "agent_id",
                 "team", "region", "product", "tenant")  # fmt: skip
        stages = Counter(
            (row[place["seq"]], row[place["name"]] == STAGES[0], *(row[place[c]] for c in order))
            for row in rows
            if row[place["kind"]] == "fact" and row[place["name"]] in STAGES
        )
        found = Counter(self._select(STAGE_ROWS, partition))
        self._verdict.mappings("rows of fct_deal_stage", found, stages)

    def metrics(self, partition: int, metrics: Iterable[LogRecord]) -> None:
        """Compare `agg_metric`: the newest value of each bucket; closed ones stay."""
        wanted: dict[object, Row] = {}
        for row in self._mapped(METRIC, metrics):
            wanted[tuple(row[index] for index in METRIC_TABLE.key)] = row
        self._rows("rows of agg_metric", METRIC_TABLE, partition, wanted.values(), final=True)

    def doubles(self) -> None:
        """Find records inserted twice, before a merge could hide one of the two."""
        for table in (EVENT_TABLE, EFFECT_TABLE):
            found = self._client.query(
                f"SELECT count() - uniqExact(_partition, _offset) FROM {table.name} "  # noqa: S608
                "WHERE gen = {gen:UInt16}",
                parameters={"gen": self._generation},
            ).result_rows
            self._verdict.equal(f"records twice in {table.name}", found[0][0], 0)

    def identities(self, wanted: int) -> None:
        """Compare the number of events with what upstream meant, whatever the journal says."""
        found = self._client.query(
            "SELECT uniqExact(tenant, source, event_id) FROM crm.fct_event "
            "WHERE gen = {gen:UInt16}",
            parameters={"gen": self._generation},
        ).result_rows
        self._verdict.equal("events by identity", found[0][0], wanted)

    def ledger(self, ends: dict[tuple[str, int], int]) -> None:
        """Check that every lane is done and has nothing in doubt."""
        found = self._client.query(LEDGER, parameters={"gen": self._generation}).result_rows
        self._verdict.mappings(
            "lanes of the ledger",
            {(topic, partition): tuple(stand) for topic, partition, stand in found},
            {place: (end, 0) for place, end in ends.items()},
        )

    def _mapped(self, topic: str, records: Iterable[LogRecord]) -> Iterable[Row]:
        map_record = mapper(topic, self._generation)
        for record in records:
            row = map_record(record.key, record.value, record.offset)
            if row is not None:
                yield row

    def _rows(
        self,
        what: str,
        table: Table,
        partition: int,
        wanted: Iterable[Row],
        *,
        final: bool = False,
    ) -> None:
        columns = ", ".join(
            f"toUnixTimestamp64Milli({column.name})" if column.is_time else column.name
            for column in table.columns
        )
        sql = f"SELECT {columns} FROM {table.name}{' FINAL' if final else ''}"  # noqa: S608
        found = Counter(map(_hashable, self._select(sql, partition)))
        self._verdict.mappings(what, found, Counter(map(_hashable, wanted)))

    def _select(self, sql: str, partition: int) -> list[tuple[Any, ...]]:
        rows = self._client.query(
            sql + " WHERE gen = {gen:UInt16} AND _partition = {part:UInt16}",
            parameters={"gen": self._generation, "part": partition},
            settings={"max_execution_time": 600},
        ).result_rows
        return [tuple(row) for row in rows]


def _hashable(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in row)
