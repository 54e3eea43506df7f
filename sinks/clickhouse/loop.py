"""The poller: reads, maps, cuts batches; the main thread of the sink."""

import time
from collections.abc import Callable

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from schemas.errors import CorruptLog
from sinks.clickhouse.assignment import Assignment
from sinks.clickhouse.writer import Work, Writer
from sinks.kafka import coordinates, is_fatal, poll
from sinks.mapping.lanes import Policy

log = structlog.get_logger(__name__)
POLL_S = 0.02
MOST_MESSAGES = 5_000
FULL_WAIT_S = 0.005


class Loop:
    """Feeds the lanes of an assignment until told to stop.

    Args:
        consumer: Subscribed.
        assignment: The lanes.
        writer: Started.
        policy: When batches are cut.
    """

    def __init__(
        self, consumer: Consumer, assignment: Assignment, writer: Writer, policy: Policy
    ) -> None:
        self._consumer, self._assignment = consumer, assignment
        self._writer, self._policy = writer, policy

    def run(self, stopped: Callable[[], bool]) -> None:
        """Run until `stopped()`.

        Raises:
            CorruptLog: a log or the table isn't what it must be.
            Fenced: another process has claimed a lane.
            Unavailable: ClickHouse stayed away.
        """
        while not stopped():
            self._writer.check()
            self.step()

    def step(self) -> None:
        """Read what has arrived, cut what is due."""
        lanes = self._assignment.lanes
        if any(lane.ahead(self._policy) for lane in lanes.values()):
            time.sleep(FULL_WAIT_S)
        else:
            for message in poll(self._consumer, POLL_S, MOST_MESSAGES):
                self._take(message)
        now = time.monotonic()
        for lane in list(lanes.values()):
            lane.advance()
            if lane.due(self._policy, now):
                self._writer.submit(Work(lane, lane.cut()))
            elif lane.stale(self._policy, now):
                self._writer.submit(Work(lane, None))

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            self._judge(error, message)
            return
        topic, partition, offset = coordinates(message)
        lane = self._assignment.lanes.get((topic, partition))
        if lane is None:
            return  # prefetched before a revocation
        value = message.value()
        row = self._assignment.mappers[topic](message.key(), value, offset)
        lane.accept(offset, value, row, time.monotonic())
        if lane.complete(self._policy):
            self._writer.submit(Work(lane, lane.cut()))

    def _judge(self, error: KafkaError, message: Message) -> None:
        topic, partition, offset = coordinates(message)
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the constant has no other name
            lane = self._assignment.lanes.get((topic, partition))
            if lane is not None:
                lane.end_of_log(offset)
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - same
            raise CorruptLog(
                f"{topic}/{partition}: offset {offset} isn't in the log any more: retention "
                f"passed the sink ({error.str()})"
            )
        elif is_fatal(error):
            raise KafkaException(error)
        else:
            log.warning("kafka_reported", error=error.name(), detail=error.str())
