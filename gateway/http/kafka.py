"""The event log as a port: an idempotent producer whose acknowledgements wake coroutines."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from gateway.http.ports import Outgoing, Written

log = structlog.get_logger(__name__)

POLL_S = 0.1
DELIVERY_MS = 10_000
"""How long a request waits for Kafka; afterwards the client is told to send the event again."""
MAX_MESSAGE_BYTES = 9 * 1024 * 1024

Acknowledged = asyncio.Future[Written | None]


class KafkaEvents:
    """Writes events with `acks=all`; one thread polls for acknowledgements.

    Args:
        bootstrap: Kafka servers, host:port[,host:port].
    """

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,  # implies acks=all
                "partitioner": "murmur2_random",
                "linger.ms": 2,
                "delivery.timeout.ms": DELIVERY_MS,
                "message.max.bytes": MAX_MESSAGE_BYTES,
            },
            logger=logging.getLogger("kafka.producer"),
        )
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="kafka-events", daemon=True)
        self._thread.start()

    async def publish(self, records: Sequence[Outgoing]) -> list[Written | None]:
        """Write records; see `gateway.http.ports.EventLog`."""
        return list(await asyncio.gather(*[self._put(each) for each in records]))

    def close(self) -> None:
        """Wait for what is under way, and end."""
        self._producer.flush(DELIVERY_MS / 1000)
        self._closed.set()
        self._thread.join()

    def _put(self, record: Outgoing) -> Acknowledged:
        loop = asyncio.get_running_loop()
        waiting: Acknowledged = loop.create_future()
        try:
            self._producer.produce(
                record.topic,
                value=record.value,
                key=record.key,
                headers=list(record.headers),
                on_delivery=_delivered(loop, waiting),
            )
        except (BufferError, KafkaException) as problem:
            log.warning("event_not_written", topic=record.topic, problem=str(problem))
            waiting.set_result(None)
        return waiting

    def _poll(self) -> None:
        while not self._closed.is_set():
            self._producer.poll(POLL_S)


def _delivered(
    loop: asyncio.AbstractEventLoop, waiting: Acknowledged
) -> Callable[[KafkaError | None, Message], None]:
    """Return what the producer calls, in its own thread, with the fate of a record."""

    def settle(written: Written | None) -> None:
        if not waiting.done():  # the client may have gone
            waiting.set_result(written)

    def delivered(error: KafkaError | None, message: Message) -> None:
        written = None
        if error is None:
            place = (message.topic(), message.partition(), message.offset())
            written = Written(str(place[0]), int(place[1] or 0), int(place[2] or 0))
        else:
            log.warning("event_not_acknowledged", topic=message.topic(), problem=error.str())
        loop.call_soon_threadsafe(settle, written)

    return delivered
