"""The traffic every benchmark uses: the simulator's, as upstream records and as a journal. Pure.

The simulator's mix has some 60 types of the catalogue: leads and deals with their whole lives,
tasks, conversations, messages, campaigns, page views; 0.4 % are repeats, 2 % late.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from infra.commands.publishing import Outbound, Outgoing
from infra.simulate.settings import definitions
from infra.simulate.traffic import Plan, reference, traffic
from schemas.cloudevents import read
from schemas.codec import encode_entry
from schemas.definitions.applied import DefinitionApplied
from schemas.events import CATALOGUE, DealCreated
from schemas.journal import tick
from schemas.partitioner import partition_of
from streams.runtime.translation import Source, translate

SEED = 7
RATE = 100.0
"""Simulated events per second: how close together the events of one life are. Slow enough that a
short backlog already holds whole lives, not only their beginnings."""
TENANTS = 5
TICK_EVERY = 250
"""Events between two ticks of a partition: what a worker appends at 1,000 events per second."""
PROBE_TENANT = "probe"
PROBE_EVERY = 10
"""One event of so many is a probe: a new deal whose event time is its scheduled send time."""
PROBE_CONTACTS = 997


class Kept(NamedTuple):
    """One journal record, as the fold wants it.

    Args:
        offset: Dense within its partition.
        value: Encoded entry.
        key: Kafka key; None for a tick.
    """

    offset: int
    value: bytes
    key: bytes | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """Upstream records, and how many journal entries they give.

    Args:
        records: In order.
        entries: Reference data and definitions go to every partition.
    """

    records: list[Outbound]
    entries: int


def plan(start_ms: int, seed: int = SEED, rate: float = RATE) -> Plan:
    """Return what is simulated from `start_ms` (UTC ms) on."""
    return Plan(seed=seed, start_ms=start_ms, rate=rate, tenants=TENANTS)


def opening(what: Plan) -> list[Outgoing]:
    """Return settings and reference data, which come before the traffic."""
    return [*definitions(what), *reference(what)]


def upstream(events: int, what: Plan, partitions: int) -> Backlog:
    """Return settings, reference data and `events` events, as upstream publishes them."""
    first = opening(what)
    events_ = [*first, *(due.outgoing for due in islice(traffic(what), events))]
    copies = sum(
        isinstance(outgoing.event, DefinitionApplied) or outgoing.event.REFERENCE
        for outgoing in events_
    )
    records = [outgoing.record() for outgoing in events_]
    return Backlog(records, len(records) + copies * (partitions - 1))


def paced(what: Plan, seconds: float) -> Iterator[tuple[int, Outbound]]:
    """Yield (scheduled time in UTC ms, record) at the plan's rate, with probes."""
    lives = traffic(what)
    for slot in range(int(what.rate * seconds)):
        at_ms = what.start_ms + int(slot * 1000 / what.rate)
        outgoing = probe(slot, at_ms) if slot % PROBE_EVERY == 0 else next(lives).outgoing
        yield at_ms, outgoing.record()


def probe(number: int, at_ms: int) -> Outgoing:
    """Return a new deal of the probes' tenant; the fold states `deal_created` with its time."""
    deal = DealCreated(
        contact_id=f"contact-{number % PROBE_CONTACTS}",
        deal_id=f"probe-{number}",
        stage="prospecting",
        amount_minor=1_000,
        currency="USD",
    )
    return Outgoing(PROBE_TENANT, f"probe-{at_ms}-{number}", "benchmarks", at_ms, deal)


def journal(events: int, what: Plan, partitions: int) -> list[list[Kept]]:
    """Return a journal by partition, with as many ticks as at 1,000 events per second.

    Args:
        events: Of the traffic; settings and reference data come before and aren't counted.
        what: The simulation.
        partitions: Of the journal.
    """
    logs: list[list[Kept]] = [[] for _ in range(partitions)]
    positions: dict[tuple[str, int], int] = {}

    def append(partition: int, value: bytes, key: bytes | None) -> None:
        logs[partition].append(Kept(len(logs[partition]), value, key))

    def ingest(outgoing: Outgoing, at_ms: int) -> None:
        source = _source(outgoing.record(), positions, partitions)
        for out in translate(source, now_ms=at_ms, partitions=partitions):
            append(out.partition, out.value or b"", out.key)

    for outgoing in opening(what):
        ingest(outgoing, what.start_ms)
    for number, due in enumerate(islice(traffic(what), events)):
        if number % TICK_EVERY == 0:
            for partition in range(partitions):
                append(partition, encode_entry(tick(due.at_ms)), None)
        ingest(due.outgoing, due.at_ms)
    return logs


def _source(record: Outbound, positions: dict[tuple[str, int], int], partitions: int) -> Source:
    """Return the record as a broker would deliver it, at the next offset of its partition."""
    partition = partition_of(record.key, partitions) if record.key else 0
    offset = positions.get((record.topic, partition), 0)
    positions[record.topic, partition] = offset + 1
    return Source(record.topic, partition, offset, record.key, record.value, record.headers)


def batches(log: Sequence[Kept], size: int) -> Iterator[Sequence[Kept]]:
    """Cut a log into runs of `size`."""
    for start in range(0, len(log), size):
        yield log[start : start + size]


def event_types(records: Sequence[Outbound], now_ms: int) -> dict[str, int]:
    """Return how many events of each type there are, most first."""
    counts = dict.fromkeys(CATALOGUE, 0)
    for record in records:
        received = read(record.headers, record.value, now_ms=now_ms)
        counts[received.type] = counts.get(received.type, 0) + 1
    present = ((name, count) for name, count in counts.items() if count)
    return dict(sorted(present, key=lambda pair: -pair[1]))
