"""Messages: each state counts once per message, however often and late a provider reports it.

Source: docs/domain/messages.md.
"""

from schemas.derived.effect import Fact
from schemas.events.message import (
    MessageBounced,
    MessageClicked,
    MessageDelivered,
    MessageOpened,
    MessageSent,
)
from schemas.state.rows import Message
from streams.domain.module import Module, on
from streams.domain.table import MESSAGES
from streams.domain.turn import Turn

Reported = MessageSent | MessageDelivered | MessageOpened | MessageClicked | MessageBounced


def sent(turn: Turn, event: MessageSent) -> None:
    """Handed to the provider."""
    message = _touch(turn, event)
    if not message.sent_ms:
        message.sent_ms = turn.time_ms
        _count(turn, "message_sent", event, message)


def delivered(turn: Turn, event: MessageDelivered) -> None:
    """Accepted by the recipient's side."""
    message = _touch(turn, event)
    if not message.delivered_ms:
        message.delivered_ms = turn.time_ms
        _count(turn, "message_delivered", event, message)


def opened(turn: Turn, event: MessageOpened) -> None:
    """Opened by a person; suspected bots are kept as events, not counted."""
    message = _touch(turn, event)
    if not message.opened_ms and not event.bot_suspected:
        message.opened_ms = turn.time_ms
        _count(turn, "message_opened", event, message)


def clicked(turn: Turn, event: MessageClicked) -> None:
    """Clicked by a person; suspected bots are kept as events, not counted."""
    message = _touch(turn, event)
    if not message.clicked_ms and not event.bot_suspected:
        message.clicked_ms = turn.time_ms
        _count(turn, "message_clicked", event, message)


def bounced(turn: Turn, event: MessageBounced) -> None:
    """Refused by the recipient's side."""
    message = _touch(turn, event)
    if not message.bounced_ms:
        message.bounced_ms = turn.time_ms
        _count(turn, "message_bounced", event, message)


MODULE = Module(
    "messages",
    (
        on(MessageSent, sent),
        on(MessageDelivered, delivered),
        on(MessageOpened, opened),
        on(MessageClicked, clicked),
        on(MessageBounced, bounced),
    ),
)


def _touch(turn: Turn, event: Reported) -> Message:
    message = turn.row(MESSAGES, event.message_id)
    message.channel = message.channel or event.channel or ""
    message.campaign = message.campaign or event.campaign_id or ""
    return message


def _count(turn: Turn, name: str, event: Reported, message: Message) -> None:
    turn.fact(
        Fact(
            name,
            event.message_id,
            ended_ms=turn.time_ms,
            campaign=message.campaign,
            channel=message.channel,
        )
    )
