"""Kafka and Valkey really start, survive SIGKILL, keep their data and their ports."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.embedded.identity import identify
from infra.embedded.leftovers import wait_gone
from infra.embedded.running import RunningStack

pytestmark = pytest.mark.integration

CACHE = Path.home() / ".cache" / "daybook"
PARTS = ("kafka", "valkey")
TEN_MEBIBYTES = 10 * 1024 * 1024


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Yield both engines, running."""
    data = tmp_path_factory.mktemp("engines")
    with RunningStack.start(data, cache=CACHE, only=PARTS) as running:
        yield running


def create(stack: RunningStack, topic: str, **config: str) -> None:
    """Create a topic with one partition."""
    admin = AdminClient({"bootstrap.servers": str(stack.endpoints.kafka)})
    new = NewTopic(topic, num_partitions=1, config=config)
    admin.create_topics([new])[topic].result(20)


def produce(stack: RunningStack, topic: str, values: list[bytes], **config: object) -> None:
    """Append values, in one transaction if the configuration names one, acknowledged."""
    common = {"bootstrap.servers": stack.endpoints.kafka, "enable.idempotence": True}
    producer = Producer(common | {"message.max.bytes": 2 * TEN_MEBIBYTES} | config)
    if "transactional.id" in config:
        producer.init_transactions(20)
        producer.begin_transaction()
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(20) == 0
    if "transactional.id" in config:
        producer.commit_transaction(20)


def read(stack: RunningStack, topic: str, count: int) -> list[bytes]:
    """Return the first committed values of a topic."""
    config = {
        "bootstrap.servers": str(stack.endpoints.kafka),
        "group.id": "test",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "fetch.message.max.bytes": 2 * TEN_MEBIBYTES,
    }
    consumer = Consumer(config)
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[bytes] = []
    try:
        while len(values) < count:
            message = consumer.poll(20)
            assert message is not None, f"{len(values)} of {count} arrived"
            assert message.error() is None
            values.append(bytes(message.value() or b""))
    finally:
        consumer.close()
    return values


def valkey(stack: RunningStack) -> redis.Redis:
    """Return a client."""
    return redis.Redis.from_url(str(stack.endpoints.valkey))


def test_kafka_keeps_what_it_acknowledged_over_sigkill(stack: RunningStack) -> None:
    """After SIGKILL it is back on the same port, with every acknowledged record in order."""
    values = [str(number).encode() for number in range(1000)]
    create(stack, "kept")
    produce(stack, "kept", values)
    endpoint = stack.endpoints.kafka
    before = stack.process("kafka")
    stack.kill("kafka")
    after = stack.wait_healthy("kafka")
    assert stack.endpoints.kafka == endpoint
    assert (after.pid != before.pid, after.restarts) == (True, before.restarts + 1)
    assert read(stack, "kept", 1000) == values


def test_kafka_commits_transactions_before_and_after_sigkill(stack: RunningStack) -> None:
    """The transaction coordinator's state survives: the same transactional id goes on."""
    create(stack, "transactions")
    produce(stack, "transactions", [b"a", b"b"], **{"transactional.id": "t"})
    stack.kill("kafka")
    stack.wait_healthy("kafka")
    produce(stack, "transactions", [b"c"], **{"transactional.id": "t"})
    assert read(stack, "transactions", 3) == [b"a", b"b", b"c"]


def test_kafka_takes_large_messages_where_a_topic_allows_them(stack: RunningStack) -> None:
    """10 MiB in one record."""
    create(stack, "large", **{"max.message.bytes": str(TEN_MEBIBYTES + 1000)})
    value = bytes(TEN_MEBIBYTES)
    produce(stack, "large", [value])
    assert read(stack, "large", 1) == [value]


def test_kafka_creates_no_topic_by_itself(stack: RunningStack) -> None:
    """A misspelt topic is an error, not a new topic."""
    producer = Producer(
        {"bootstrap.servers": str(stack.endpoints.kafka), "message.timeout.ms": 1500}
    )
    producer.produce("misspelt", b"value")
    producer.flush(10)
    admin = AdminClient({"bootstrap.servers": str(stack.endpoints.kafka)})
    assert "misspelt" not in admin.list_topics(timeout=10).topics


def test_valkey_keeps_what_it_answered_over_sigkill(stack: RunningStack) -> None:
    """After SIGKILL it is back on the same port, with every answered command in effect."""
    endpoint = stack.endpoints.valkey
    with valkey(stack) as client:
        for number in range(1000):
            client.hset("metrics", str(number), number)
    stack.kill("valkey")
    stack.wait_healthy("valkey")
    assert stack.endpoints.valkey == endpoint
    with valkey(stack) as client:
        assert client.hlen("metrics") == 1000


def test_engines_listen_on_127_0_0_1_only(stack: RunningStack) -> None:
    """Another address of this machine, here another loopback address, is refused."""
    for url in (stack.endpoints.kafka, stack.endpoints.valkey):
        port = int(str(url).removesuffix("/0").rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port), 5).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), 5)


def test_a_paused_engine_is_reported_and_not_ended(stack: RunningStack) -> None:
    """SIGSTOP looks like a busy machine: unhealthy, then healthy again, in the same process."""
    before = stack.process("valkey")
    stack.kill("valkey", signal.SIGSTOP)
    try:
        deadline = time.monotonic() + 20
        while stack.process("valkey").healthy:
            assert time.monotonic() < deadline, "it was never reported"
            time.sleep(0.02)
        assert not stack.status.is_healthy
    finally:
        stack.kill("valkey", signal.SIGCONT)
    after = stack.wait_healthy("valkey")
    assert (after.pid, after.restarts) == (before.pid, before.restarts)


def test_a_stack_that_starts_again_has_its_ports_and_data(tmp_path: Path) -> None:
    """Clients and data outlive a stop, and a SIGKILL of the supervisor with all its engines."""
    with RunningStack.start(tmp_path, cache=CACHE, only=PARTS) as first:
        endpoints = first.endpoints
        create(first, "kept")
        produce(first, "kept", [b"1"])
        with valkey(first) as client:
            client.set("kept", "1")
    second = RunningStack.start(tmp_path, cache=CACHE, only=PARTS)
    try:
        assert second.endpoints == endpoints
        engines = [identify(second.process(name).pid or 0) for name in PARTS]
        produce(second, "kept", [b"2"])
        second.child.kill()  # type: ignore[union-attr]
        assert wait_gone([engine for engine in engines if engine is not None], 20)
    finally:
        second.stop()
    with RunningStack.start(tmp_path, cache=CACHE, only=PARTS) as third:
        assert third.endpoints == endpoints
        assert read(third, "kept", 2) == [b"1", b"2"]
        with valkey(third) as client:
            assert client.get("kept") == b"1"


def test_restart_is_orderly_and_counted(stack: RunningStack) -> None:
    """A restart by hand ends the process with SIGTERM and waits until it is healthy again."""
    before = stack.process("valkey")
    after = stack.restart("valkey")
    assert (after.pid != before.pid, after.restarts) == (True, before.restarts + 1)


def test_an_outage_of_kafka_lasts_until_it_is_released(stack: RunningStack) -> None:
    """While it is held nobody answers; after that the same client goes on."""
    admin = AdminClient({"bootstrap.servers": str(stack.endpoints.kafka)})
    assert admin.list_topics(timeout=10).brokers
    stack.hold("kafka")
    stack.kill("kafka")
    with pytest.raises(KafkaException):
        admin.list_topics(timeout=1)
    stack.release("kafka")
    stack.wait_healthy("kafka")
    assert admin.list_topics(timeout=20).brokers
