"""Rows → Arrow stream, column by column."""

from collections.abc import Sequence

import pyarrow as pa

from sinks.mapping.records import Row
from sinks.mapping.tables import Table

TYPES = {
    "string": pa.string(),
    "int": pa.int64(),
    "uint": pa.uint64(),
    "bool": pa.bool_(),
    "ints": pa.list_(pa.int64()),
}


def stream(table: Table, rows: Sequence[Row]) -> bytes:
    """Return one Arrow stream with one record batch; shaped rows by columns of `table`."""
    columns = zip(*rows, strict=True)
    arrays = [
        pa.array(values, TYPES[column.arrow])
        for column, values in zip(table.columns, columns, strict=True)
    ]
    batch = pa.RecordBatch.from_arrays(arrays, names=[column.name for column in table.columns])
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(buffer.getvalue())
