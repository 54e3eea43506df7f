"""The workload in Quix Streams: its stateful apply on RocksDB, its changelog, its checkpoints.

Arguments: broker, input topic, output topic, records, `at-least-once` or `exactly-once`. Runs in an
environment of its own (`benchmarks.peers.environments`).

State belongs to the message key in Quix Streams, so the partials live under the subject: as many
reads and writes as the others', but more rows. Partials over subjects would take a second topic and
a second hop.
"""

import sys
import tempfile
from typing import Any

from quixstreams import Application

from benchmarks.peers.marks import Marks, say
from benchmarks.peers.workload import step


def main(folder: str, bootstrap: str, source: str, output: str, records: str, how: str) -> None:
    """Fold everything, commit, say `done`."""
    app = Application(
        broker_address=bootstrap,
        consumer_group=output,
        processing_guarantee=how,
        auto_offset_reset="earliest",
        auto_create_topics=True,
        state_dir=folder,
        loglevel="WARNING",
        # acks=all and idempotence are librdkafka's defaults.
        producer_extra_config={"linger.ms": 20, "compression.type": "lz4"},
    )
    marks = Marks(int(records))

    def fold(value: bytes, _key: Any, _timestamp: int, _headers: Any, state: Any) -> bytes | None:
        # The store adds the message's own key, so the partition needn't tell partials apart.
        action = step(value, 0, state.get_bytes, state.set_bytes)
        if marks.count():
            app.stop()
        return None if action is None else action[1]

    raw = {"key_deserializer": "bytes", "value_deserializer": "bytes"}
    frame = app.dataframe(app.topic(source, **raw))
    frame = frame.apply(fold, stateful=True, metadata=True)
    frame = frame[frame.apply(lambda action: action is not None)]
    frame.to_topic(app.topic(output, key_serializer="bytes", value_serializer="bytes"))
    app.run()  # returns after the last checkpoint
    say("done")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(scratch, *sys.argv[1:])
