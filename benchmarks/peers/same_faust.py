"""The workload in plain Faust: its tables, its changelog, its topics, its acks.

Arguments: broker, input topic, output topic, records, events per `take` (1: event by event).
"""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import faust

from benchmarks.peers.faust_worker import app_of
from benchmarks.peers.marks import Marks, say
from benchmarks.peers.workload import PARTITIONS, step

TAKE_S = 0.1
RAW: dict[str, Any] = {
    "key_type": bytes,
    "value_type": bytes,
    "key_serializer": "raw",
    "value_serializer": "raw",
}


class Folding:
    """Folds records into a table, one row per key and batch written.

    Args:
        app: Faust app.
        table: Faust table of all rows.
        output: Topic of the actions.
        records: How many there are.
    """

    def __init__(self, app: faust.App, table: Any, output: Any, records: int) -> None:
        self._app = app
        self._table = table
        self._output = output
        self._marks = Marks(records)

    async def fold(self, partition: int, values: Sequence[bytes]) -> None:
        """Fold consecutive records of one partition, write what changed, send what is said."""
        changed: dict[bytes, bytes] = {}

        def get(key: bytes) -> bytes | None:
            return changed.get(key) or self._table.get(key)

        actions = [step(value, partition, get, changed.__setitem__) for value in values]
        for key, value in changed.items():
            self._table[key] = value
        for action in filter(None, actions):
            await self._output.send(key=action[0], value=action[1], partition=partition)
        if self._marks.count(len(values)):
            await self._app.producer.flush()
            say("done")


def main(argv: Sequence[str], folder: str) -> None:
    """Run until killed."""
    bootstrap, source, output, records, take = argv
    app = app_of(bootstrap, output, folder)
    table = app.Table(
        "rows",
        partitions=PARTITIONS,
        schema=faust.Schema(**RAW),
        # After `take` no event is current, and Faust refuses to write to its partition: the key
        # decides then. As many records, not where they belong.
        use_partitioner=int(take) > 1,
    )
    folding = Folding(app, table, app.topic(output, partitions=PARTITIONS, **RAW), int(records))

    async def fold_each(stream: Any) -> None:
        async for event in stream.events():
            await folding.fold(event.message.partition, [event.message.value])

    async def fold_taken(stream: Any) -> None:
        async for events in stream.take_events(int(take), within=TAKE_S):
            found: defaultdict[int, list[bytes]] = defaultdict(list)
            for event in events:
                found[event.message.partition].append(event.message.value)
            for partition, values in found.items():
                await folding.fold(partition, values)

    app.agent(app.topic(source, **RAW))(fold_each if int(take) == 1 else fold_taken)
    faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(sys.argv[1:], scratch)
