"""Reads what is to be pushed: every partition, without a group, from as far back as is kept.

Each gateway reads all of it, so any of them can resume any client. Before the first connection the
rings are filled.
"""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

import structlog
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from gateway.protocol.channels import Address
from gateway.protocol.history import Publication
from gateway.websocket.telemetry import UNREADABLE, Telemetry
from schemas.derived.push import read_push
from schemas.errors import ConfigurationError, CorruptLog, InvalidEvent, Unavailable
from schemas.partitioner import partition_of
from schemas.topics import PUSH

TIMEOUT_S = 10.0
BATCH = 500
WAIT_S = 0.1

Deliver = Callable[[Sequence[Publication]], Coroutine[Any, Any, None]]

log = structlog.get_logger(__name__)


class Place(NamedTuple):
    """What of the log will be read.

    Args:
        epoch: Names the log: cluster, topic and partition count.
        starts: Per partition, the offset of the first record that will be read.
        ends: Per partition, the offset after the last record there was.
    """

    epoch: str
    starts: Sequence[int]
    ends: Sequence[int]


class PushReader:
    """Reads `derived.push.v1`.

    Args:
        bootstrap: Kafka servers.
        telemetry: Counts what can't be read.
    """

    def __init__(self, bootstrap: str, telemetry: Telemetry) -> None:
        self._bootstrap, self._telemetry = bootstrap, telemetry
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "daybook-gateway",  # asked for by the client, never joined
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                # A position outside the log is loud: what it held can't be told from nothing.
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 250,
                "queued.max.messages.kbytes": 32_768,
            }
        )
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._partitions = 0
        self.failure: Exception | None = None

    def locate(self, since_ms: int) -> Place:
        """Find where to begin; blocks.

        Args:
            since_ms: Publications from then on are wanted, UTC ms.

        Raises:
            ConfigurationError: There is no such topic.
            Unavailable: No broker answers.
        """
        try:
            epoch, self._partitions = self._identify()
            parts = [TopicPartition(PUSH, number, since_ms) for number in range(self._partitions)]
            marks = [self._consumer.get_watermark_offsets(part, TIMEOUT_S) for part in parts]
            found = self._consumer.offsets_for_times(parts, timeout=TIMEOUT_S)
        except KafkaException as error:
            raise Unavailable("kafka", 1.0, f"{self._bootstrap}: {error.args[0].str()}") from error
        ends = [high for _, high in marks]
        # Negative: no record is as late as that.
        starts = [at.offset if at.offset >= 0 else end for at, end in zip(found, ends, strict=True)]
        self._consumer.assign(
            [TopicPartition(PUSH, number, start) for number, start in enumerate(starts)]
        )
        return Place(epoch, starts, ends)

    async def run(self, place: Place, deliver: Deliver, failed: Callable[[], None]) -> None:
        """Deliver what there was; returns then, while a thread goes on with what comes.

        Args:
            place: From `locate`.
            deliver: Runs on this loop; nothing is read meanwhile.
            failed: Called on this loop when it can't go on; `failure` says why.
        """
        caught_up = asyncio.Event()
        loop = asyncio.get_running_loop()

        def work() -> None:
            try:
                self._work(place, loop, deliver, caught_up)
            except Exception as error:  # noqa: BLE001 - whatever it is, the gateway must end with it
                self.failure = error
                loop.call_soon_threadsafe(failed)
                loop.call_soon_threadsafe(caught_up.set)

        self._thread = threading.Thread(target=work, name="push-reader", daemon=True)
        self._thread.start()
        await caught_up.wait()

    async def close(self) -> None:
        """Stop reading."""
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        self._consumer.close()

    def _identify(self) -> tuple[str, int]:
        admin = AdminClient({"bootstrap.servers": self._bootstrap})
        cluster = admin.describe_cluster(request_timeout=TIMEOUT_S).result(TIMEOUT_S + 5)
        futures = admin.describe_topics(TopicCollection([PUSH]), request_timeout=TIMEOUT_S)
        try:
            topic = futures[PUSH].result(TIMEOUT_S + 5)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                problem = f"{PUSH} doesn't exist; run `daybook topics create`"
                raise ConfigurationError("topics", problem) from error
            raise
        count = len(topic.partitions)
        named = f"{cluster.cluster_id}/{topic.topic_id}/{count}"
        return hashlib.sha256(named.encode()).hexdigest()[:16], count

    def _work(
        self,
        place: Place,
        loop: asyncio.AbstractEventLoop,
        deliver: Deliver,
        caught_up: asyncio.Event,
    ) -> None:
        behind = {
            number
            for number, (start, end) in enumerate(zip(place.starts, place.ends, strict=True))
            if start < end
        }
        waiting = True
        while not self._stopping.is_set():
            messages = self._consumer.consume(BATCH, WAIT_S)
            publications = [each for each in map(self._read, messages) if each is not None]
            if publications:
                # Nothing more is read before these are handed out.
                asyncio.run_coroutine_threadsafe(deliver(publications), loop).result()
            if waiting:
                behind = {number for number in behind if self._at(number) < place.ends[number]}
                if not behind:
                    waiting = False
                    loop.call_soon_threadsafe(caught_up.set)

    def _at(self, partition: int) -> int:
        """Return the offset read next, past markers and what was aborted."""
        (at,) = self._consumer.position([TopicPartition(PUSH, partition)])
        return int(at.offset)

    def _read(self, message: Message) -> Publication | None:
        error = message.error()
        if error is not None:
            self._judge(error)
            return None
        partition, offset = message.partition() or 0, message.offset() or 0
        try:
            record = read_push(_bytes(message.key()), _bytes(message.value()), _headers(message))
            if partition_of(record.key, self._partitions) != partition:
                raise InvalidEvent("invalid_attribute", "key", "another partition's")  # noqa: TRY301
        except InvalidEvent as problem:
            self._telemetry.count(UNREADABLE)
            log.warning("push_not_readable", partition=partition, offset=offset,
                        problem=str(problem))  # fmt: skip
            return None
        address = Address(record.tenant, record.channel)
        return Publication(address, offset + 1, record.data, record.at_ms)

    def _judge(self, error: KafkaError) -> None:
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - the constant has no other name
            raise CorruptLog(f"{PUSH}: what is to be read next isn't there ({error.str()})")
        if error.fatal():
            raise KafkaException(error)
        log.warning("kafka_reported", error=error.name(), detail=error.str())


def _bytes(value: Any) -> bytes | None:
    return value if isinstance(value, bytes) else None


def _headers(message: Message) -> list[tuple[str, bytes | None]]:
    given: Any = message.headers() or []
    return [(name, value) for name, value in given]
