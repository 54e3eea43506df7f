"""Campaigns: what was spent.

Source: docs/domain/campaigns.md.
"""

from schemas.derived.effect import Fact
from schemas.events.campaign import CampaignSpendRecorded
from streams.domain.module import Module, on
from streams.domain.turn import Turn


def spend_recorded(turn: Turn, event: CampaignSpendRecorded) -> None:
    """Add money spent, on the day it was recorded for (the event's time)."""
    turn.fact(
        Fact(
            "campaign_spend",
            event.campaign_id,
            ended_ms=turn.time_ms,
            amount_minor=event.amount_minor,
            currency=event.currency or "",
            campaign=event.campaign_id,
            channel=event.channel or "",
        )
    )


MODULE = Module("campaigns", (on(CampaignSpendRecorded, spend_recorded),))
