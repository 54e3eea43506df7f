"""The probe of progress must survive what it is there to notice."""

import pytest
from confluent_kafka import Producer

from infra.embedded.running import RunningStack
from schemas.topics import JOURNAL
from streams.runtime.config import WorkerConfig
from streams.runtime.ends import Ends
from tests.integration.running import wait_for

pytestmark = pytest.mark.integration


def test_ends_are_known_again_after_an_outage(engines: RunningStack, kafka: str, app: str) -> None:
    """While the broker is away the end is unknown, not old; it is known soon after it is back."""
    producer = Producer({"bootstrap.servers": kafka})
    for _ in range(3):
        producer.produce(JOURNAL, b"entry", partition=1)
    producer.flush(30)
    ends = Ends(WorkerConfig(bootstrap=kafka, app=app))
    source = (JOURNAL, 1)
    assert ends.ask([source]) == {source: 3}
    engines.hold("kafka")
    engines.kill("kafka")
    try:
        assert ends.ask([source], timeout_s=0.5) == {source: None}
    finally:
        engines.release("kafka")
    engines.wait_healthy("kafka")
    wait_for(lambda: ends.ask([source]) == {source: 3}, "the end is known again", 20)
