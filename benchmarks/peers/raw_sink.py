"""The same rows into the same tables with clickhouse-connect, and nothing that makes it exact.

Arguments: broker, mode (`rows`: read, map, `insert` of rows, in one loop, as its documentation
shows; `stream`: the same with `insert_arrow`; `prepared`: everything is read and mapped before the
clock starts, so that only inserts are measured).
"""

import os
import sys
import time
from collections.abc import Iterator

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from infra.commands.connect import clickhouse
from infra.generations.registry import generation_of
from infra.settings import Settings, load
from sinks.clickhouse.arrow import TYPES
from sinks.mapping.records import Row, mapper, newest
from sinks.mapping.tables import TABLES, Table

ROWS = 50_000
"""Rows of one insert, as the sink's."""
PARTITIONS = 4

Lane = tuple[str, int]


def read(bootstrap: str) -> Iterator[Message | None]:
    """Yield committed messages of all tables' topics, to the end; None when there is none now."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": "plain-sink",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    })  # fmt: skip
    open_ = {(topic, partition) for topic in TABLES for partition in range(PARTITIONS)}
    consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in open_])
    while open_:
        message = consumer.poll(0.05)
        error = message.error() if message is not None else None
        if error is None:
            yield message
        elif message is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the constant has no other name
            open_.discard((message.topic() or "", message.partition() or 0))
    consumer.close()


def block(table: Table, lane: Lane, generation: int, rows: list[Row]) -> pa.Table:
    """Return the rows of one insert, shaped rows by all columns of the table."""
    if table.newest_wins:
        rows = newest(rows, table.key)
    columns = {
        column.name: pa.array(values, TYPES[column.arrow])
        for column, values in zip(table.columns, zip(*rows, strict=True), strict=True)
    }
    columns["gen"] = pa.array([generation] * len(rows), pa.uint16())
    columns["_partition"] = pa.array([lane[1]] * len(rows), pa.uint16())
    return pa.table(columns)


def gathered(bootstrap: str, generation: int) -> Iterator[tuple[Table, Lane, list[Row]]]:
    """Yield the rows of one insert after another, in the order they are complete."""
    mappers = {topic: mapper(topic, generation) for topic in TABLES}
    held: dict[Lane, list[Row]] = {}
    for message in read(bootstrap):
        if message is None:
            continue
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None and partition is not None and offset is not None  # noqa: S101, PT018 - it was delivered
        row = mappers[topic](message.key(), message.value(), offset)
        if row is None:
            continue
        rows = held.setdefault((topic, partition), [])
        rows.append(row)
        if len(rows) >= ROWS:
            yield TABLES[topic], (topic, partition), rows
            held[topic, partition] = []
    for lane, rows in held.items():
        if rows:
            yield TABLES[lane[0]], lane, rows


def blocks(bootstrap: str, generation: int) -> Iterator[tuple[Table, pa.Table]]:
    """Yield what to insert as Arrow."""
    for table, lane, rows in gathered(bootstrap, generation):
        yield table, block(table, lane, generation, rows)


def insert_rows(client: Client, bootstrap: str, generation: int) -> None:
    """Insert everything as rows of Python objects."""
    for table, lane, rows in gathered(bootstrap, generation):
        database, name = table.name.split(".")
        names = [*(column.name for column in table.columns), "gen", "_partition"]
        kept = newest(rows, table.key) if table.newest_wins else rows
        data = [(*row, generation, lane[1]) for row in kept]
        client.insert(name, data, column_names=names, database=database)


def main(bootstrap: str, mode: str, settings: Settings) -> None:
    """Insert everything, say `done`, wait to be killed."""
    work = blocks(bootstrap, generation_of(settings))
    if mode == "prepared":
        work = iter(list(work))
    with clickhouse(settings) as client:
        os.write(1, b"begin\n")
        if mode == "rows":
            insert_rows(client, bootstrap, generation_of(settings))
        else:
            for table, rows in work:
                database, name = table.name.split(".")
                client.insert_arrow(name, rows, database=database)
        os.write(1, b"done\n")
        time.sleep(600)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], load())
