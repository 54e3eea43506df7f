"""Keys go where Kafka's other clients put them."""

import pytest
from aiokafka.partitioner import (  # type: ignore[import-untyped]  # no stubs
    murmur2 as aiokafka_murmur2,
)
from confluent_kafka import KafkaError, Message, Producer
from hypothesis import given
from hypothesis import strategies as st

from schemas.partitioner import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_hash_is_kafkas(key: bytes, signed: int) -> None:
    """Source: org.apache.kafka.common.utils.UtilsTest.testMurmur2; Java's int is signed."""
    assert murmur2(key) == signed % 2**32


@given(st.binary(max_size=64))
def test_hash_is_aiokafkas(key: bytes) -> None:
    """Any bytes, any length; aiokafka ports the Java code independently."""
    assert murmur2(key) == aiokafka_murmur2(key) % 2**32


def test_partition_is_librdkafkas() -> None:
    """The producer places an entry; ingest says beforehand where: they must agree."""
    placed: dict[bytes, int] = {}

    def note(problem: KafkaError | None, message: Message) -> None:
        assert problem is None
        key, partition = message.key(), message.partition()
        assert key is not None
        assert partition is not None
        placed[key.encode() if isinstance(key, str) else key] = partition

    # The mock broker lives inside the client's process and gives a new topic four partitions.
    producer = Producer({"test.mock.num.brokers": 1, "partitioner": "murmur2", "log_level": 3})
    keys = [f"tenant-{n % 7}|contact/{n * 7919}-é".encode() for n in range(400)]
    for key in keys:
        producer.produce("journal.v1", b"", key=key, on_delivery=note)
    assert producer.flush(30) == 0
    assert placed == {key: partition_of(key, 4) for key in keys}
    assert set(placed.values()) == {0, 1, 2, 3}
