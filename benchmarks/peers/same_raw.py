"""The limit of the workload: consume, fold in dictionaries, send the actions. No state in Kafka.

Arguments: broker, input topic, output topic, records. Says at the end what its state adds up to.
"""

import json
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.peers.marks import Marks, say
from benchmarks.peers.workload import PARTITIONS, step, totals

CHUNK = 5_000


def main(bootstrap: str, source: str, output: str, records: str) -> None:
    """Fold everything, say the totals, wait to be killed."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": output,
        "enable.auto.commit": False,
    })  # fmt: skip
    consumer.assign([TopicPartition(source, partition, 0) for partition in range(PARTITIONS)])
    producer = Producer({
        "bootstrap.servers": bootstrap,
        "enable.idempotence": True,
        "linger.ms": 20,
        "compression.type": "lz4",
    })  # fmt: skip
    rows: dict[bytes, bytes] = {}
    marks, done, actions = Marks(int(records)), False, 0
    while not done:
        found = 0
        for message in consumer.consume(CHUNK, 0.05):
            value, partition = message.value(), message.partition()
            if message.error() is not None or value is None or partition is None:
                continue
            found += 1
            action = step(value, partition, rows.get, rows.__setitem__)
            if action is not None:
                actions += 1
                producer.produce(output, action[1], action[0], partition)
        producer.poll(0)
        done = marks.count(found)
    producer.flush(60)
    say("done")
    say(json.dumps(totals(rows.values(), actions)))
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
