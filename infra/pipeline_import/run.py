"""Publishing a pipeline: reference data first and waited for, then the deals in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.commands.arrival import journal_ends, not_applied, not_ingested, wait
from infra.commands.connect import admin, producer
from infra.commands.heads import Heads
from infra.commands.publishing import Publisher
from infra.commands.settling import told
from infra.pipeline_import.mapping import deal_events, reference_events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.commands.publishing import Outgoing
    from infra.pipeline_import.rows import Pipeline
    from infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Imported:
    """What was published.

    Args:
        reference: Events of accounts, products and agents.
        deals: Events of deals.
        journal_ends: Journal partition → offset after its last entry when all had arrived there.
    """

    reference: int
    deals: int
    journal_ends: dict[int, int]


def run(
    pipeline: Pipeline,
    settings: Settings,
    *,
    tenant: str,
    source: str,
    report: Callable[[str, int, int], None],
) -> Imported:
    """Publish everything and wait until the fold has applied it.

    Deals are judged by their owners' team and region, so agents and products must stand in every
    journal partition, and be folded there, before the first deal arrives. A repeat, or another
    attempt after a crash, publishes the same ids again, which change nothing.

    Args:
        pipeline: What was read.
        settings: Where to.
        tenant: Tenant id.
        source: CloudEvents `source`.
        report: Called with (stage, done, total).

    Raises:
        Unavailable: a service doesn't answer or a process doesn't get on.
    """
    publisher = Publisher(producer(settings))
    client = admin(settings)
    reference = reference_events(pipeline, tenant, source)
    deals = deal_events(pipeline, tenant, source)
    with Heads(settings) as heads:
        for stage, events in (("reference data", reference), ("deals", deals)):
            _publish(publisher, events, stage, report)
            ingested = not_ingested(client, settings, publisher.last)
            wait(told(ingested, f"{stage}: journalled", report), "journalled", "daybook ingest")
            ends = journal_ends(settings)
            applied = not_applied(heads, ends)
            wait(told(applied, f"{stage}: folded", report), "folded", "daybook worker")
    return Imported(len(reference), len(deals), ends)


def _publish(
    publisher: Publisher,
    events: Sequence[Outgoing],
    stage: str,
    report: Callable[[str, int, int], None],
) -> None:
    for number, outgoing in enumerate(events, start=1):
        publisher.put(outgoing.record())
        if number % 500 == 0:
            report(f"{stage}: published", number, len(events))
    publisher.flush()
    report(f"{stage}: published", len(events), len(events))
