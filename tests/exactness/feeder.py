"""Upstream: publishes a workload and ends when the broker has acknowledged all of it.

Run as `python -m tests.exactness.feeder KAFKA SEED EVENTS NOW_MS RATE PROGRESS`. The broker may be
killed meanwhile: nothing is given up, and the client's queue is flushed however long it takes.
"""

import json
import sys
import time
from pathlib import Path

from confluent_kafka import KafkaError, Message, Producer

from infra.commands.publishing import Outbound
from tests.exactness.workload import Workload

REPORT_S = 0.5


class Feeder:
    """An upstream system.

    Args:
        kafka: Bootstrap servers.
        progress: JSON file that says how far it is.
    """

    def __init__(self, kafka: str, progress: Path) -> None:
        self._progress = progress
        self._reported = 0.0
        self.published = self.acknowledged = 0
        self._producer = Producer({
            "bootstrap.servers": kafka,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "message.timeout.ms": 0,
            "linger.ms": 5,
            "message.max.bytes": 9 * 1024 * 1024,
            "log_level": 2,
        })  # fmt: skip

    def publish(self, record: Outbound) -> None:
        """Hand over one record; waits while the client's queue is full."""
        while True:
            try:
                self._producer.produce(record.topic, record.value, record.key,
                                       headers=list(record.headers),
                                       on_delivery=self._delivered)  # fmt: skip
            except BufferError:
                self.turn(0.2)
            else:
                self.published += 1
                return

    def turn(self, wait_s: float) -> None:
        """Take in acknowledgements."""
        self._producer.poll(wait_s)
        if time.monotonic() - self._reported > REPORT_S:
            self.report()

    def flush(self) -> None:
        """Return when everything is acknowledged."""
        while len(self._producer):
            self._producer.flush(REPORT_S)
            self.report()

    def report(self) -> None:
        """Say how far it is."""
        self._reported = time.monotonic()
        draft = self._progress.with_suffix(".new")
        draft.write_text(json.dumps([self.published, self.acknowledged]))
        draft.replace(self._progress)

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            sys.exit(f"upstream can't go on: {error}")
        self.acknowledged += 1


def main(kafka: str, seed: int, events: int, now_ms: int, rate: float, progress: Path) -> int:
    """Publish at a rate (events per second; 0: as fast as possible)."""
    feeder = Feeder(kafka, progress)
    began = time.monotonic()
    for number, planned in enumerate(Workload(seed, events, now_ms).records()):
        while rate and (ahead_s := number / rate - (time.monotonic() - began)) > 0:
            feeder.turn(min(ahead_s, 0.1))
        feeder.publish(planned.record)
        feeder.turn(0)
    feeder.flush()
    feeder.report()
    return 0 if feeder.published == feeder.acknowledged else 1


if __name__ == "__main__":
    _, kafka, seed, events, now_ms, rate, progress = sys.argv
    sys.exit(main(kafka, int(seed), int(events), int(now_ms), float(rate), Path(progress)))
