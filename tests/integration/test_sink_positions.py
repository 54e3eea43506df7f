"""How a long-lived consumer must be polled."""

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from schemas.topics import JOURNAL
from sinks.kafka import consumer_config, coordinates, poll
from tests.integration.conftest import MakeTopics
from tests.integration.running import wait_for
from tests.integration.sink_support import Log

pytestmark = pytest.mark.integration


def test_polling_skips_nothing_after_the_end_of_the_log(kafka: str, topics: MakeTopics) -> None:
    """After an end-of-log event the position is right, so a rebalance skips no record."""
    topics(1)
    log = Log(kafka, 1)
    log.ticks(10)
    consumer = Consumer(consumer_config(kafka, "positions", ""))
    place = TopicPartition(JOURNAL, 0, 0)
    consumer.assign([place])
    offsets: list[int] = []

    def read() -> bool:
        ended = False
        for message in poll(consumer, 0.1, 100):
            error = message.error()
            if error is None:
                offsets.append(coordinates(message)[2])
            else:
                assert error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001
                ended = True
        return ended

    wait_for(read, "the end of the log")
    assert consumer.position([place])[0].offset == 10
    consumer.pause([place])
    consumer.resume([place])
    log.ticks(5)
    wait_for(lambda: read() and len(offsets) >= 14, "the end of the log")
    consumer.close()
    assert offsets == list(range(15))
