"""ClickHouse's pointer to the generation that reports show, and what goes when one is dropped."""

from collections.abc import Iterator

from clickhouse_connect.driver.client import Client

PARTITIONED = ("fct_event", "fct_effect", "fct_deal_stage", "agg_metric")
"""Tables whose partitions begin with the generation."""
MOVE = (
    "INSERT INTO crm.ops_generation (v, gen, note) "
    "SELECT {turn:UInt64}, {gen:UInt16}, {note:String} "
    "WHERE (SELECT max(v) FROM crm.ops_generation) < {turn:UInt64}"
)
PARTS = (
    "SELECT DISTINCT table, partition_id, partition FROM system.parts "
    "WHERE database = 'crm' AND active AND table IN {tables:Array(String)} "
    "AND startsWith(partition, {prefix:String})"
)


def read_pointer(client: Client) -> tuple[int, int]:
    """Return (turn, generation) that reports show."""
    rows = client.query("SELECT max(v), argMax(gen, v) FROM crm.ops_generation").result_rows
    return int(rows[0][0]), int(rows[0][1])


def move_pointer(client: Client, turn: int, generation: int, note: str = "") -> bool:
    """Point at a generation, unless a later turn was written; tell whether anything changed.

    Repeating it changes nothing; a process that was away for long can't turn it back.

    Args:
        client: With the right to write.
        turn: Which promotion this is, counted from 1: the first generation's.
        generation: What reports are to show.
        note: For people.
    """
    if read_pointer(client)[0] >= turn:
        return False
    client.command(MOVE, parameters={"turn": turn, "gen": generation, "note": note})
    return True


def drop_rows(client: Client, generation: int) -> Iterator[str]:
    """Remove everything a generation has in ClickHouse, its ledger last; yield what was removed.

    The ledger goes last: as long as it is there, rows without it can't be mistaken for new ones.
    """
    asked = {"tables": list(PARTITIONED), "prefix": f"({generation:d},"}
    for table, part, name in client.query(PARTS, parameters=asked).result_rows:
        client.command(f"ALTER TABLE crm.{table} DROP PARTITION ID '{part}'")
        yield f"crm.{table} {name}"
    client.command(
        "ALTER TABLE crm.ops_ledger DELETE WHERE gen = {gen:UInt16}",
        parameters={"gen": generation},
        settings={"mutations_sync": 2},
    )
    yield "crm.ops_ledger"
