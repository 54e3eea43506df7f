"""The limit of ingest: consume, produce, look at nothing. Arguments: broker, output topic."""

import sys

from confluent_kafka import Consumer, Producer

from schemas.topics import DEFINITION, UPSTREAM

CHUNK = 2_000


def main(bootstrap: str, output: str) -> None:
    """Copy until killed; says `begin` at the first record."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": output,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": True,
    })  # fmt: skip
    producer = Producer({
        "bootstrap.servers": bootstrap,
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "linger.ms": 5,
        "compression.type": "lz4",
        "batch.size": 1_000_000,
        "queue.buffering.max.messages": 2_000_000,
    })  # fmt: skip
    consumer.subscribe([*UPSTREAM, DEFINITION])
    began = False
    while True:
        for message in consumer.consume(CHUNK, 0.05):
            if message.error() is not None:
                continue
            if not began:
                began = True
                print("begin", flush=True)
            producer.produce(output, message.value(), message.key())
        producer.poll(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
