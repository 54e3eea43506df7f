"""Rows of a pipeline → events with their true times and ids that never change. Pure.

Reference data (accounts, products, agents) comes first and carries the first date of the file; a
deal's events follow in order of time. Dates become midnight UTC. Whatever time the file doesn't
know, an event says so in `time_source`: `engage_date` for the creation of a deal we know the
engagement of, `file_end` for deals without any date, `file_start` for reference data.
"""

import re
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from infra.commands.publishing import Outgoing
from infra.pipeline_import.rows import (
    ENGAGING,
    LOST,
    PROSPECTING,
    WON,
    Account,
    Agent,
    Opportunity,
    Pipeline,
    Product,
)
from schemas.events import (
    AccountCreated,
    AgentCreated,
    DealCreated,
    DealLost,
    DealStageChanged,
    DealWon,
    Event,
    ProductCreated,
)

NAMESPACE = uuid.UUID("6f0f6d0b-2a0e-5c0e-9d5e-6a3f0c1b7a42")
CURRENCY = "USD"
PIPELINE_ID = "b2b"
ORIGIN = "import"


@dataclass(frozen=True, slots=True)
class Span:
    """First and last date of a file."""

    start: date
    end: date


def span(pipeline: Pipeline) -> Span:
    """Return the first and last date that occurs; 1970-01-01 twice when none does."""
    dates = [
        day
        for deal in pipeline.opportunities
        for day in (deal.engaged, deal.closed)
        if day is not None
    ]
    return Span(min(dates), max(dates)) if dates else Span(date(1970, 1, 1), date(1970, 1, 1))


def reference_events(pipeline: Pipeline, tenant: str, source: str) -> list[Outgoing]:
    """Return accounts, products and agents: what deals are judged by.

    Args:
        pipeline: What was read.
        tenant: Tenant id.
        source: CloudEvents `source`; the same files under the same source are duplicates.
    """
    at = midnight_ms(span(pipeline).start)
    events = [
        *((a.name, _account(a)) for a in pipeline.accounts),
        *((p.name, _product(p)) for p in pipeline.products),
        *((a.name, _agent(a)) for a in pipeline.agents),
    ]
    return [_outgoing(tenant, source, row, at, event) for row, event in events]


def deal_events(pipeline: Pipeline, tenant: str, source: str) -> list[Outgoing]:
    """Return the events of all deals in order of time, then of the file, then of a deal's life."""
    end = span(pipeline).end
    events = [
        _outgoing(tenant, source, deal.id, midnight_ms(day), event)
        for deal in pipeline.opportunities
        for day, event in _deal(deal, end)
    ]
    events.sort(key=lambda outgoing: outgoing.time_ms)  # stable: a deal's own order stays
    return events


def slug(name: str) -> str:
    """Return a name as an id: ASCII letters, digits and hyphens.

    >>> slug("Mei-Mei Johns"), slug("Gekko & Co")
    ('mei-mei-johns', 'gekko-co')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def midnight_ms(day: date) -> int:
    """Return the first instant of a day in UTC, ms since the epoch."""
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1000


def _outgoing(tenant: str, source: str, row: str, time_ms: int, event: Event) -> Outgoing:
    identity = str(uuid.uuid5(NAMESPACE, f"{source}|{event.TYPE}|{row}"))
    return Outgoing(tenant, identity, source, time_ms, event, origin=ORIGIN)


def _account(account: Account) -> Event:
    return AccountCreated(
        account_id=slug(account.name),
        name=account.name,
        sector=account.sector,
        country=account.country,
        employees=account.employees,
        revenue_minor=account.revenue_minor,
        currency=CURRENCY,
        parent_account_id=slug(account.parent) if account.parent else None,
        year_established=account.established,
        time_source="file_start",
    )


def _product(product: Product) -> Event:
    return ProductCreated(
        product_id=product.name,
        name=product.name,
        series=product.series,
        list_price_minor=product.list_price_minor,
        currency=CURRENCY,
        time_source="file_start",
    )


def _agent(agent: Agent) -> Event:
    return AgentCreated(
        agent_id=slug(agent.name),
        name=agent.name,
        team_id=slug(agent.manager),
        manager_id=slug(agent.manager),
        region=agent.region,
        time_source="file_start",
    )


def _deal(deal: Opportunity, end: date) -> Iterator[tuple[date, Event]]:
    owner = slug(deal.agent)
    yield (
        deal.engaged or end,
        DealCreated(
            deal_id=deal.id,
            account_id=slug(deal.account) if deal.account else None,
            pipeline_id=PIPELINE_ID,
            stage=PROSPECTING,
            owner_id=owner,
            product_ids=[deal.product],
            currency=CURRENCY,
            time_source="engage_date" if deal.engaged else "file_end",
        ),
    )
    if deal.engaged is None:
        return
    yield (
        deal.engaged,
        DealStageChanged(deal_id=deal.id, from_=PROSPECTING, to=ENGAGING),
    )
    if deal.closed is None:
        return
    closing = {WON: DealWon, LOST: DealLost}[deal.stage]
    yield (
        deal.closed,
        closing(
            deal_id=deal.id,
            amount_minor=deal.value_minor,
            currency=CURRENCY,
            owner_id=owner,
            closed_on=deal.closed,
        ),
    )
