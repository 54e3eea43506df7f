"""Sends the chain's traffic at a fixed rate, whatever becomes of it (open loop).

Run as `python -m benchmarks.load BROKER RATE SECONDS START_MS SEED`. Every event has its moment;
one that is late is sent at once, and its latency still counts from that moment. Says `sent N
behind MS` at the end, with the longest delay of its own.
"""

import os
import sys
import time

from confluent_kafka import Producer

from benchmarks import mix

NAP_S = 0.0005


def main(bootstrap: str, rate: str, seconds: str, start_ms: str, seed: str) -> None:
    """Prepare everything, then send."""
    plan = mix.plan(int(start_ms), int(seed), float(rate))
    records = list(mix.paced(plan, float(seconds)))
    producer = Producer({
        "bootstrap.servers": bootstrap,
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "linger.ms": 1,
        "log_level": 0,
    })  # fmt: skip
    producer.list_topics(timeout=10)
    os.write(1, b"ready\n")
    behind_ms = 0.0
    for at_ms, record in records:
        while (early_ms := at_ms - time.time() * 1000) > 0:
            producer.poll(0)
            time.sleep(min(NAP_S, early_ms / 1000))
        behind_ms = max(behind_ms, -early_ms)
        producer.produce(record.topic, record.value, record.key, headers=list(record.headers))
    producer.flush(30)
    os.write(1, f"sent {len(records)} behind {behind_ms:.0f}\n".encode())
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
