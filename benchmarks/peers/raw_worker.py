"""The limit of the worker: consume and fold, write nothing.

Arguments: broker, output topic (unused), entries, seconds.
"""

import sys
import time
from collections import defaultdict
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from benchmarks.peers.counting import Countdown
from schemas.topics import JOURNAL
from streams.domain.fold import fold
from streams.domain.state import State

PARTITIONS = 4
CHUNK = 5_000


class Record(NamedTuple):
    """What the fold wants of a message."""

    offset: int
    value: bytes


def main(bootstrap: str, _output: str, entries: str, most_s: str) -> None:
    """Fold the whole journal, then wait to be killed."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": "bare-loop",
        "enable.auto.commit": False,
    })  # fmt: skip
    consumer.assign([TopicPartition(JOURNAL, partition, 0) for partition in range(PARTITIONS)])
    states = {partition: State() for partition in range(PARTITIONS)}
    countdown = Countdown(int(entries), float(most_s))
    while not countdown.over:
        found: defaultdict[int, list[Record]] = defaultdict(list)
        for message in consumer.consume(CHUNK, 0.05):
            countdown.begin()
            offset, value, partition = message.offset(), message.value(), message.partition()
            if message.error() is None and value and offset is not None and partition is not None:
                found[partition].append(Record(offset, value))
        for partition, records in found.items():
            states[partition].apply(fold(states[partition], records, partition=partition))
            countdown.count(len(records))
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
