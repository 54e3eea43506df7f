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
class CatalogueMetric:
    """One metric as the catalogue shows it, stored or a ratio of two.

    Args:
        name: Stable.
        unit: `count`, `minor` (minor units of currency), `seconds` or `ratio`.
        grains: Buckets kept: `hour`, `day`, `all`.
        dimensions: What it is broken down by, besides the total; a ratio by what its part is.
        description: One sentence.
    """

    name: str
    unit: str
    grains: tuple[str, ...]
    dimensions: tuple[str, ...]
    description: str


class Series(NamedTuple):
    """Which buckets of a metric are asked for: those that start in [`start_ms`, `end_ms`).

    Args:
        tenant: Tenant id.
        metric: Name in the catalogue.
        grain: `hour`, `day` or `all`.
        dimension: Empty for the total.
        start_ms: UTC ms.
        end_ms: UTC ms.
    """

    tenant: str
    metric: str
    grain: str
    dimension: str
    start_ms: int
    end_ms: int


class Figure(NamedTuple):
    """One bucket of one member.

    Args:
        bucket_ms: Its start, UTC ms; 0 for grain `all`.
        member: Which agent, team …; empty for the total.
        observations: How many.
        value: The figure a person expects, in `unit`.
        unit: As of the metric.
    """

    bucket_ms: int
    member: str
    observations: int
    value: float
    unit: str


class Place(NamedTuple):
    """Where an event stands among a contact's: by time, then id, then source.

    Args:
        ts_ms: Event time, UTC ms.
        event_id: CloudEvents `id`.
        source: CloudEvents `source`.
    """

    ts_ms: int
    event_id: str
    source: str


class Happening(NamedTuple):
    """One event about a contact.

    Args:
        place: Identity and order.
        type: Of the event.
        subject: What it is about.
        actor: Who did it, or empty.
        origin: `live`, `import` …
        props: Its fields as JSON.
    """

    place: Place
    type: str
    subject: str
    actor: str
    origin: str
    props: str


class Reports(Protocol):
    """Answers from what the sink has written: a second or two behind the events.

    Both raise `Unavailable` when there is no answer in time.
    """

    async def figures(self, asked: Series, *, limit: int) -> list[Figure]:
        """Return the buckets of a series by time and member, at most `limit`."""

    async def timeline(
        self, tenant: str, contact: str, before: Place, *, limit: int
    ) -> list[Happening]:
        """Return what happened to a contact before a place, newest first, at most `limit`."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything the API reaches outside of itself.

    Args:
        authority: Checks tokens.
        now_ms: The clock, UTC ms.
        events: See `EventLog`.
        reports: See `Reports`.
        metrics: The catalogue.
    """

    authority: Authority
    now_ms: Callable[[], int]
    events: EventLog
    reports: Reports
    metrics: tuple[CatalogueMetric, ...]
