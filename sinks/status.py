"""What `/health` and the gauges say about a running sink."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sinks.health import Health, Progress
from sinks.kafka import LogEnds
from sinks.telemetry import DONE, LAG, Telemetry

PATIENCE_S = 60.0


class Place(NamedTuple):
    """Where one partition stands.

    Args:
        topic: Kafka topic.
        partition: Its partition.
        done: Everything below this offset is in the store.
        detail: More, for people.
    """

    topic: str
    partition: int
    done: int
    detail: Mapping[str, Any]


class Status:
    """Asked by probes, from their threads.

    Args:
        ends: Of the logs.
        places: Returns where the partitions of this process stand.
        telemetry: Gets the gauges.
    """

    def __init__(
        self, ends: LogEnds, places: Callable[[], Sequence[Place]], telemetry: Telemetry
    ) -> None:
        self._ends, self._places, self._telemetry = ends, places, telemetry
        self._progress = Progress(PATIENCE_S, time.monotonic())
        self._shown: set[tuple[str, str]] = set()

    def health(self) -> Health:
        """Return whether partitions move or have nothing to do, with the position of each."""
        places = self._places()
        lags = [
            max(0, self._ends.end(place.topic, place.partition) - place.done) for place in places
        ]
        self._show(places, lags)
        position = tuple(place.done for place in places)
        healthy = self._progress.healthy(position, sum(lags), time.monotonic())
        partitions = [
            {"topic": topic, "partition": partition, "done": done, "lag": lag, **detail}
            for (topic, partition, done, detail), lag in zip(places, lags, strict=True)
        ]
        return Health(
            healthy,
            {
                "healthy": healthy,
                "state": "running" if places else "starting",
                "lag": sum(lags),
                "partitions": partitions,
            },
        )

    def _show(self, places: Sequence[Place], lags: Sequence[int]) -> None:
        shown = set()
        for place, lag in zip(places, lags, strict=True):
            labels = {"topic": place.topic, "partition": str(place.partition)}
            self._telemetry.set(LAG, lag, **labels)
            self._telemetry.set(DONE, place.done, **labels)
            shown.add((place.topic, str(place.partition)))
        for gone in self._shown - shown:
            self._telemetry.forget(LAG, *gone)
            self._telemetry.forget(DONE, *gone)
        self._shown = shown
