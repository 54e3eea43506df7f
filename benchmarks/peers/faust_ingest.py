"""Ingest as Faust's tutorial would have it: one event at a time. Arguments: broker, output topic.

The checks, the encoding and the records written are those of `daybook ingest`; only Faust's own
way of reading and sending differs.
"""

import os
import sys
import tempfile
import time
from typing import Any

import faust

from schemas.topics import DEFINITION, UPSTREAM
from streams.runtime.translation import Source, translate

PARTITIONS = 4


def app_of(bootstrap: str, output: str, folder: str) -> faust.App:
    """Return the app; it says `begin` at the first event."""
    app = faust.App(
        output,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        datadir=folder,
        web_enabled=False,
        topic_disable_leader=True,
        topic_partitions=PARTITIONS,
        consumer_auto_offset_reset="earliest",
        producer_compression_type="lz4",
        # Faust's default of -1, spelled out: as durable as the others.
        producer_acks=-1,
        producer_linger=0.005,
    )
    raw: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw",
           "value_serializer": "raw"}  # fmt: skip
    upstream = app.topic(*UPSTREAM, DEFINITION, **raw)
    journal = app.topic(output, partitions=PARTITIONS, **raw)
    began = False

    async def record_events(stream: Any) -> None:
        nonlocal began
        async for event in stream.events():
            if not began:
                began = True
                os.write(1, b"begin\n")  # Faust replaces sys.stdout
            message = event.message
            source = Source(
                message.topic, message.partition, message.offset, message.key, message.value,
                list(event.headers.items()),
            )  # fmt: skip
            now_ms = time.time_ns() // 1_000_000
            for out in translate(source, now_ms=now_ms, partitions=PARTITIONS):
                await journal.send(key=out.key, value=out.value, partition=out.partition)

    app.agent(upstream)(record_events)
    return app


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        faust.Worker(
            app_of(sys.argv[1], sys.argv[2], scratch), loglevel="WARN", redirect_stdouts=False
        ).execute_from_commandline()
