"""Laws of messages and campaigns."""

import pytest

from schemas.events.campaign import CampaignSpendRecorded
from schemas.events.event import Event
from schemas.events.message import (
    MessageBounced,
    MessageClicked,
    MessageDelivered,
    MessageOpened,
    MessageSent,
)
from tests.streams.journal_builder import Journal

STATES = [
    (MessageSent, "sent"),
    (MessageDelivered, "delivered"),
    (MessageOpened, "opened"),
    (MessageClicked, "clicked"),
    (MessageBounced, "bounced"),
]


@pytest.mark.parametrize(("event", "state"), STATES)
def test_each_state_counts_once_per_message(event: type[Event], state: str) -> None:
    """A provider that calls back twice is heard once."""
    said = event.model_validate({"message_id": "m", "channel": "email", "campaign_id": "c1"})
    journal = Journal().event(said, "2026-03-02").event(said, "2026-03-03")
    folded = journal.fold()
    assert folded.total(f"messages_{state}") == 1
    assert folded.total(f"messages_{state}", "campaign", "c1") == 1
    assert folded.total(f"messages_{state}", "channel", "email") == 1


@pytest.mark.parametrize("event", [MessageOpened, MessageClicked])
def test_suspected_bots_are_not_counted(event: type[Event]) -> None:
    """A bot's open leaves the person's still to count."""
    bot = event.model_validate({"message_id": "m", "bot_suspected": True})
    journal = Journal().event(bot, "2026-03-02")
    assert not journal.fold().facts()
    person = event.model_validate({"message_id": "m"})
    assert len(journal.event(person, "2026-03-03").fold().facts()) == 1


def test_callback_without_campaign_counts_for_the_messages_one() -> None:
    """What the first report said of the message is known to the later ones."""
    journal = Journal().event(
        MessageSent(message_id="m", channel="email", campaign_id="c1"), "2026-03-02"
    )
    folded = journal.event(MessageDelivered(message_id="m"), "2026-03-02").fold()
    assert folded.total("messages_delivered", "campaign", "c1") == 1


def test_spend_adds_up_per_campaign() -> None:
    """Money spent in the tenant's currency, by campaign and channel."""
    journal = Journal()
    for amount in (500, 700):
        journal.event(
            CampaignSpendRecorded(
                campaign_id="c1", channel="ads", amount_minor=amount, currency="USD"
            ),
            "2026-03-02",
        )
    folded = journal.fold()
    assert folded.total("campaign_spend", "campaign", "c1") == 1_200
    assert folded.day("campaign_spend", "2026-03-02", "channel", "ads") == 1_200
