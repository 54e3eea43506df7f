"""`crm.campaign.*`: marketing campaigns, their cost and whom they touched."""

from typing import ClassVar

from schemas.events.event import Event
from schemas.events.fields import Currency, Day, Identifier, Label, Line, Money, Natural


class CampaignEvent(Event):
    """An event about one campaign."""

    SUBJECT = (("campaign", "campaign_id"),)

    campaign_id: Identifier
    name: Line | None = None
    channel: Label | None = None


class CampaignCreated(CampaignEvent):
    """A campaign was planned."""

    TYPE = "crm.campaign.created.v1"
    REFERENCE = True
    EXAMPLE: ClassVar = {"campaign_id": "cmp-3", "name": "Spring", "channel": "paid_search"}


class CampaignStarted(CampaignEvent):
    """A campaign runs."""

    TYPE = "crm.campaign.started.v1"
    EXAMPLE: ClassVar = {"campaign_id": "cmp-3"}


class CampaignPaused(CampaignEvent):
    """A campaign was halted for a time."""

    TYPE = "crm.campaign.paused.v1"
    EXAMPLE: ClassVar = {"campaign_id": "cmp-3"}


class CampaignFinished(CampaignEvent):
    """A campaign is over."""

    TYPE = "crm.campaign.finished.v1"
    EXAMPLE: ClassVar = {"campaign_id": "cmp-3"}


class CampaignSpendRecorded(CampaignEvent):
    """Money was spent on a campaign in a period, first and last day included."""

    TYPE = "crm.campaign.spend_recorded.v1"
    EXAMPLE: ClassVar = {
        "campaign_id": "cmp-3",
        "channel": "paid_search",
        "amount_minor": 12050,
        "currency": "EUR",
        "period_start": "2026-03-01",
        "period_end": "2026-03-01",
        "impressions": 10400,
        "clicks": 212,
    }

    amount_minor: Money
    currency: Currency | None = None
    period_start: Day | None = None
    period_end: Day | None = None
    impressions: Natural | None = None
    clicks: Natural | None = None


class CampaignTouched(Event):
    """A campaign touched a contact."""

    TYPE = "crm.campaign.touched.v1"
    SUBJECT = (("contact", "contact_id"),)
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "campaign_id": "cmp-3",
        "channel": "paid_search",
        "medium": "cpc",
    }

    contact_id: Identifier
    campaign_id: Identifier
    channel: Label | None = None
    medium: Label | None = None
