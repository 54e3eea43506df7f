"""`crm.deal.*`: opportunities."""

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.events.event import PersonEvent
from schemas.events.fields import Currency, Day, Identifier, Label, Line, Money, Share, Text


class DealEvent(PersonEvent):
    """An event about one deal."""

    SUBJECT = (("contact", "contact_id"), ("deal", "deal_id"))

    deal_id: Identifier


class DealCreated(DealEvent):
    """A deal was opened."""

    TYPE = "crm.deal.created.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "deal_id": "d-77",
        "account_id": "acme",
        "lead_id": "l-1001",
        "name": "Acme: 40 seats",
        "pipeline_id": "b2b",
        "stage": "prospecting",
        "amount_minor": 250000,
        "currency": "EUR",
        "owner_id": "a-7",
        "product_ids": ["gtx-basic"],
        "expected_close": "2026-03-31",
        "campaign_id": "cmp-3",
        "lead_source": "web",
    }

    account_id: Identifier | None = None
    lead_id: Identifier | None = None
    name: Line | None = None
    pipeline_id: Identifier | None = None
    stage: Label | None = None
    amount_minor: Money | None = None
    currency: Currency | None = None
    owner_id: Identifier | None = None
    product_ids: list[Identifier] = Field(default_factory=list, max_length=200)
    expected_close: Day | None = None
    campaign_id: Identifier | None = None
    lead_source: Label | None = None


class DealStageChanged(DealEvent):
    """A deal moved to another stage of its pipeline."""

    TYPE = "crm.deal.stage_changed.v1"
    EXAMPLE: ClassVar = {
        "deal_id": "d-77",
        "from": "prospecting",
        "to": "engaging",
        "probability": 0.4,
    }

    from_: Annotated[Label | None, Field(alias="from")] = None
    to: Label
    probability: Share | None = None


class DealAmountChanged(DealEvent):
    """A deal is expected to bring another amount."""

    TYPE = "crm.deal.amount_changed.v1"
    EXAMPLE: ClassVar = {
        "deal_id": "d-77",
        "from_minor": 250000,
        "to_minor": 310000,
        "currency": "EUR",
    }

    from_minor: Money | None = None
    to_minor: Money
    currency: Currency | None = None


class DealOutcome(DealEvent):
    """A deal was closed, or opened again."""

    amount_minor: Money | None = None
    currency: Currency | None = None
    owner_id: Identifier | None = None
    reason: Text | None = None
    closed_on: Day | None = None


class DealWon(DealOutcome):
    """A deal was won; the amount, when given, is the final one."""

    TYPE = "crm.deal.won.v1"
    EXAMPLE: ClassVar = {
        "deal_id": "d-77",
        "amount_minor": 310000,
        "currency": "EUR",
        "owner_id": "a-7",
        "closed_on": "2026-03-17",
    }


class DealLost(DealOutcome):
    """A deal was lost."""

    TYPE = "crm.deal.lost.v1"
    EXAMPLE: ClassVar = {"deal_id": "d-78", "reason": "chose another", "closed_on": "2026-03-18"}


class DealReopened(DealOutcome):
    """A closed deal is open again."""

    TYPE = "crm.deal.reopened.v1"
    EXAMPLE: ClassVar = {"deal_id": "d-78", "owner_id": "a-7"}
