"""Events on their way to the upstream topics: what the importer, the simulator and `emit` send."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from infra.commands.connect import RETRY_AFTER_S, answering
from schemas.errors import Unavailable
from schemas.topics import topic_of

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

    from schemas.events.event import Event

FLUSH_S = 30.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event with its envelope.

    Args:
        tenant: Tenant id.
        id: CloudEvents `id`; with `source` it makes a repeat a duplicate.
        source: CloudEvents `source`.
        time_ms: Event time, UTC ms.
        event: Its data.
        origin: `live`, `import` or `test`.
        actor: Who did it; may be empty.
    """

    tenant: str
    id: str
    source: str
    time_ms: int
    event: Event
    origin: str = "live"
    actor: str = ""

    def record(self, *, avro: bool = False) -> Outbound:
        """Return the Kafka record: a binary-mode CloudEvent keyed by its subject."""
        from schemas.cloudevents import write_binary

        headers, value = write_binary(
            self.event,
            id=self.id,
            source=self.source,
            tenant=self.tenant,
            time_ms=self.time_ms,
            origin=self.origin,
            actor=self.actor,
            avro=avro,
        )
        return Outbound(topic_of(self.event.TYPE), key_of(self.tenant, self.event), value, headers)


class Outbound(NamedTuple):
    """One Kafka record to be written.

    Args:
        topic: Upstream topic.
        key: `tenant|subject`, so that one subject keeps its order.
        value: Bytes of the event; None in a record without value.
        headers: As they are.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def key_of(tenant: str, event: Event) -> bytes | None:
    """Return the key of an upstream record; None for an event about nobody known.

    Definitions are keyed `tenant|kind|id`, by which their topic is compacted; everything else by
    its subject, so that one subject keeps its order.
    """
    from schemas.definitions.applied import DefinitionApplied

    if isinstance(event, DefinitionApplied):
        return f"{tenant}|{event.kind}|{event.id}".encode()
    subject = event.derived_subject()
    return f"{tenant}|{subject}".encode() if subject else None


@dataclass(slots=True)
class Publisher:
    """Writes records and remembers how far each source partition got.

    Args:
        producer: Idempotent, murmur2.
        last: (topic, partition) → highest offset acknowledged.
        written: Records acknowledged.
    """

    producer: Producer
    last: dict[tuple[str, int], int] = field(default_factory=dict)
    written: int = 0
    _failure: str = ""

    def put(self, record: Outbound) -> None:
        """Hand one record to the producer; waits while its queue is full.

        Raises:
            Unavailable: an earlier record failed, or the client refuses this one (too large).
        """
        while True:
            self._check()
            try:
                with answering("Kafka"):
                    self.producer.produce(
                        record.topic,
                        value=record.value,
                        key=record.key,
                        headers=list(record.headers),
                        on_delivery=self._delivered,
                    )
            except BufferError:
                self.producer.poll(0.5)
            else:
                self.producer.poll(0)
                return

    def flush(self) -> None:
        """Wait until everything is acknowledged.

        Raises:
            Unavailable: something failed or 30 s passed without an end.
        """
        left = self.producer.flush(FLUSH_S)
        self._check()
        if left:
            raise Unavailable("Kafka", RETRY_AFTER_S, f"{left} records not acknowledged")

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failure = self._failure or f"{message.topic()}: {error.str()}"
            return
        self.written += 1
        part = (str(message.topic()), int(message.partition() or 0))
        self.last[part] = max(self.last.get(part, -1), int(message.offset() or 0))

    def _check(self) -> None:
        if self._failure:
            raise Unavailable("Kafka", RETRY_AFTER_S, self._failure)
