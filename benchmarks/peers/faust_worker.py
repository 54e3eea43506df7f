"""The same fold in plain Faust: its tables, its changelog, its topics, its acks.

Arguments: broker, output topic, entries, seconds, events per `take` (1: event by event).
"""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import faust

from benchmarks.peers.counting import Countdown
from schemas.topics import JOURNAL
from streams.domain.fold import fold
from streams.domain.state import State

PARTITIONS = 4
TAKE_S = 0.1


class Record(NamedTuple):
    """What the fold wants of an event."""

    offset: int
    value: bytes


class Folding:
    """Folds records and writes what changed the way Faust offers.

    Args:
        table: Faust table of all rows, by the fold's keys.
        output: Topic of the effects.
    """

    def __init__(self, table: Any, output: Any) -> None:
        self._table = table
        self._output = output
        # Read instead of the table: several partitions may own a bucket of the same key.
        self._states = {partition: State() for partition in range(PARTITIONS)}

    async def fold(self, partition: int, records: Sequence[Record]) -> None:
        """Fold consecutive records of one partition."""
        state = self._states[partition]
        effects = fold(state, records, partition=partition)
        state.apply(effects)
        for key, value in effects.rows[:-1]:  # without the head: Faust keeps the position
            if value is None:
                self._table.pop(key, None)
            else:
                self._table[key] = value
        for key, kind, value in effects.effects:
            await self._output.send(
                key=key, value=value, partition=partition, headers={"kind": kind.encode()}
            )


def app_of(bootstrap: str, output: str, folder: str) -> faust.App:
    """Return the app without its agent."""
    return faust.App(
        output,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        datadir=folder,
        web_enabled=False,
        topic_disable_leader=True,
        topic_partitions=PARTITIONS,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=8_192,
        producer_compression_type="lz4",
        # Faust's default of -1, spelled out: as durable as the others.
        producer_acks=-1,
        producer_linger=0.005,
        producer_max_batch_size=262_144,
    )


def main(argv: Sequence[str], folder: str) -> None:
    """Run until killed."""
    bootstrap, output, entries, most_s, take = argv
    app = app_of(bootstrap, output, folder)
    raw: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw",
                           "value_serializer": "raw"}  # fmt: skip
    journal = app.topic(JOURNAL, **raw)
    table = app.Table(
        "rows",
        partitions=PARTITIONS,
        schema=faust.Schema(**raw),
        # After `take` no event is current, and Faust refuses to write to its partition: the key
        # decides then. As many records, not where they belong.
        use_partitioner=int(take) > 1,
    )
    folding = Folding(table, app.topic(output, partitions=PARTITIONS, **raw))
    countdown = Countdown(int(entries), float(most_s))

    async def fold_each(stream: Any) -> None:
        async for event in stream.events():
            countdown.begin()
            message = event.message
            await folding.fold(message.partition, [Record(message.offset, message.value)])
            countdown.count(1)

    async def fold_taken(stream: Any) -> None:
        async for events in stream.take_events(int(take), within=TAKE_S):
            countdown.begin()
            found: defaultdict[int, list[Record]] = defaultdict(list)
            for event in events:
                message = event.message
                found[message.partition].append(Record(message.offset, message.value))
            for partition, records in found.items():
                await folding.fold(partition, records)
            countdown.count(len(events))

    app.agent(journal)(fold_each if int(take) == 1 else fold_taken)
    faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(sys.argv[1:], scratch)
