"""What `/health` and the gauges say about a running sink."""

import time
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from sinks.clickhouse.assignment import Assignment
from sinks.health import Health, Progress
from sinks.telemetry import DONE, LAG, Telemetry

PATIENCE_S = 60.0


class Status:
    """Asked by probes, from their threads.

    Args:
        consumer: Knows the ends of the logs.
        assignment: The lanes.
        telemetry: Gets the gauges.
    """

    def __init__(self, consumer: Consumer, assignment: Assignment, telemetry: Telemetry) -> None:
        self._consumer, self._assignment, self._telemetry = consumer, assignment, telemetry
        self._progress = Progress(PATIENCE_S, time.monotonic())
        self._shown: set[tuple[str, str]] = set()

    def health(self) -> Health:
        """Return whether lanes move or have nothing to do, with the position of each."""
        lanes: list[dict[str, Any]] = []
        shown: set[tuple[str, str]] = set()
        for lane in list(self._assignment.lanes.values()):
            lag = max(0, self._end(lane.topic, lane.partition) - lane.done)
            lanes.append(
                {
                    "topic": lane.topic,
                    "partition": lane.partition,
                    "done": lane.done,
                    "lag": lag,
                    "busy": lane.busy,
                    "epoch": lane.stand.epoch,
                }
            )
            labels = {"topic": lane.topic, "partition": str(lane.partition)}
            self._telemetry.set(LAG, lag, **labels)
            self._telemetry.set(DONE, lane.done, **labels)
            shown.add((lane.topic, str(lane.partition)))
        for gone in self._shown - shown:
            self._telemetry.forget(LAG, *gone)
            self._telemetry.forget(DONE, *gone)
        self._shown = shown
        lag = sum(lane["lag"] for lane in lanes)
        position = tuple(lane["done"] for lane in lanes)
        healthy = self._progress.healthy(position, lag, time.monotonic())
        return Health(healthy, {"healthy": healthy, "lag": lag, "lanes": lanes})

    def _end(self, topic: str, partition: int) -> int:
        """Return the end of a log as last seen by a fetch; no question to the broker."""
        try:
            watermarks = self._consumer.get_watermark_offsets(
                TopicPartition(topic, partition), cached=True
            )
        except (KafkaException, RuntimeError):
            return 0
        return int(watermarks[1]) if watermarks else 0
