"""Claims lanes and writes their ledger rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sinks.clickhouse.client import ClickHouse
from sinks.mapping.ledger import CLAIM, LedgerRow, Standing, standing
from sinks.mapping.statements import LaneKey, ledger_insert, ledger_select
from sinks.mapping.tables import TABLES


class Ledger:
    """`crm.ops_ledger` for one process.

    Args:
        clickhouse: Where it is.
        owner: Random name of this process.
        topic_ids: Topic → Kafka's id.
    """

    def __init__(self, clickhouse: ClickHouse, owner: str, topic_ids: Mapping[str, str]) -> None:
        self._clickhouse, self._owner, self._topic_ids = clickhouse, owner, topic_ids

    def claim(self, lanes: Sequence[LaneKey]) -> dict[LaneKey, Standing]:
        """Claim lanes, then read where they stand.

        In this order: a later claimant either sees our ledger row, or our guarded insert sees
        its claim.

        Raises:
            Fenced: another process claimed one at the same time and won.
            CorruptLog: a topic was created again.
            Unavailable: ClickHouse stayed away.
        """
        before = self._read(lanes)
        claims = {
            lane: LedgerRow(
                *lane,
                epoch=max((row.epoch for row in before[lane]), default=0) + 1,
                owner=self._owner,
                seq=1,
                kind=CLAIM,
                done_to=0,
                pending_from=0,
                pending_to=0,
                token="",
                n=0,
                crc=0,
                topic_id=self._topic_ids[lane.topic],
                next_seq=0,
            )
            for lane in lanes
        }
        self.write(claims.values())
        after = self._read(lanes)
        return {lane: standing(after[lane], claims[lane], TABLES[lane.topic]) for lane in lanes}

    def write(self, rows: Iterable[LedgerRow]) -> None:
        """Write rows in one insert; on disk when it returns."""
        sql, body = ledger_insert(rows)
        self._clickhouse.run(sql, body, {"async_insert": 0})

    def _read(self, lanes: Sequence[LaneKey]) -> defaultdict[LaneKey, list[LedgerRow]]:
        found: defaultdict[LaneKey, list[LedgerRow]] = defaultdict(list)
        for values in self._clickhouse.rows(ledger_select(lanes)):
            row = LedgerRow(*values)
            found[LaneKey(row.topic, row.partition, row.gen)].append(row)
        return found
