"""What the API needs of the world: small protocols, so that it runs without any engine in tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.protocol.permissions import Authority


class Outgoing(NamedTuple):
    """One event on its way to Kafka.

    Args:
        topic: Upstream topic.
        key: `tenant|subject`, so that one subject keeps its order.
        value: The event in structured content mode.
        headers: Of the record.
    """

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class Written(NamedTuple):
    """Where Kafka keeps a record it has acknowledged."""

    topic: str
    partition: int
    offset: int


class EventLog(Protocol):
    """Writes events to Kafka."""

    async def publish(self, records: Sequence[Outgoing]) -> list[Written | None]:
        """Write records; answer when all in-sync replicas have each of them, or it has failed.

        Args:
            records: In the order in which those of one key are to be read.

        Returns:
            For each record where it is; None when Kafka has not acknowledged it. Such a record may
            have been written all the same: sending it again is a duplicate, which changes nothing.
        """


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything the API reaches outside of itself.

    Args:
        authority: Checks tokens.
        now_ms: The clock, UTC ms.
        events: See `EventLog`.
    """

    authority: Authority
    now_ms: Callable[[], int]
    events: EventLog
