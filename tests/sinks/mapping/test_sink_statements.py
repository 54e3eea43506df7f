"""SQL of the sink: the guard, quoting, and what a verification compares."""

import orjson
import pytest

from sinks.mapping.ledger import LedgerRow
from sinks.mapping.statements import (
    LaneKey,
    guarded_insert,
    identity_count,
    ledger_insert,
    ledger_select,
    missing_rows,
    quoted,
    range_select,
)
from sinks.mapping.tables import EVENT_TABLE, METRIC_TABLE

LANE = LaneKey("it's", 3, 2)


def test_insert_holds_the_guard_and_names_every_column() -> None:
    """The claim is checked by the statement that writes, not before it."""
    sql = guarded_insert(METRIC_TABLE, LANE, 6, "ab12")
    assert sql.startswith("INSERT INTO crm.agg_metric (gen, _partition, tenant, metric,")
    assert "SELECT 2, 3, tenant, metric, grain, fromUnixTimestamp64Milli(bucket, 'UTC')," in sql
    assert "throwIf(max((epoch, owner)) != (6, 'ab12'), 'DAYBOOK_FENCED')" in sql
    assert "WHERE topic = 'it\\'s' AND partition = 3 AND gen = 2) = 0 FORMAT ArrowStream" in sql
    assert "sketch Array(Int64), _offset UInt64" in sql


@pytest.mark.parametrize(
    ("text", "literal"), [("a", "'a'"), ("a'b", "'a\\'b'"), ("a\\", "'a\\\\'"), ("", "''")]
)
def test_text_is_quoted(text: str, literal: str) -> None:
    """Quotes and backslashes can't end a literal."""
    assert quoted(text) == literal


def test_ledger_rows_travel_as_data_not_as_sql() -> None:
    """All rows of a group are one insert, so one fsync."""
    row = LedgerRow("t'", 0, 1, 5, "me", 1, 1, 0, 0, 0, "", 0, 0, "id", 0)
    sql, body = ledger_insert([row, row._replace(partition=1)])
    assert sql.endswith("FORMAT JSONEachRow")
    assert "t'" not in sql
    assert [orjson.loads(line)["partition"] for line in body.splitlines()] == [0, 1]


def test_ledger_of_several_lanes_is_one_query() -> None:
    """A claim of twelve lanes asks once."""
    sql = ledger_select([LANE, LANE._replace(partition=4)])
    assert "partition = 3 AND gen = 2) OR (topic" in sql
    assert sql.startswith("SELECT topic, partition, gen, epoch,")


def test_range_is_half_open() -> None:
    """The end of a range is the first offset behind it."""
    assert "_offset >= 5 AND _offset < 9" in range_select(EVENT_TABLE, LANE, 5, 9)


ROWS = [("a", 1), ("b", 2), ("c", 3)]


def test_verification_tells_missing_from_doubled() -> None:
    """Missing rows can be explained by collapsed repeats; doubled or foreign ones by nothing."""
    assert missing_rows(ROWS, [3, 1, 2]) == []
    assert missing_rows(ROWS, [1, 3]) == [("b", 2)]
    assert missing_rows(ROWS, [1, 2, 3, 3]) is None
    assert missing_rows(ROWS, [1, 2, 3, 4]) is None


def test_identity_is_counted_once_per_event() -> None:
    """Two offsets of one event are one identity."""
    row = tuple(column.name for column in EVENT_TABLE.columns)
    sql, expected = identity_count(EVENT_TABLE, LANE, [(*row[:-1], 1), (*row[:-1], 2)])
    assert expected == 1
    assert sql.count("('tenant', 'source', 'event_id')") == 1
