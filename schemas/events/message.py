"""`crm.message.*`: the life of one outbound message. States arrive late, twice and out of order."""

from typing import ClassVar, Literal

from schemas.events.event import PersonEvent
from schemas.events.fields import Flag, Identifier, Label, Natural, Text


class MessageEvent(PersonEvent):
    """An event about one message; every type may repeat what is known of it."""

    SUBJECT = (("contact", "contact_id"), ("message", "message_id"))

    message_id: Identifier
    channel: Label | None = None
    template_id: Identifier | None = None
    template_version: Natural | None = None
    variant: Label | None = None
    campaign_id: Identifier | None = None
    run_id: Identifier | None = None
    provider: Label | None = None
    provider_message_id: Identifier | None = None
    reason: Text | None = None


class MessageRequested(MessageEvent):
    """Someone or a workflow wants a message sent."""

    TYPE = "crm.message.requested.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "message_id": "msg-1",
        "channel": "email",
        "template_id": "welcome",
        "template_version": 3,
        "variant": "b",
        "campaign_id": "cmp-3",
        "run_id": "run-12",
    }


class MessageRendered(MessageEvent):
    """A message's text is ready."""

    TYPE = "crm.message.rendered.v1"
    EXAMPLE: ClassVar = {"message_id": "msg-1", "template_id": "welcome", "template_version": 3}


class MessageSent(MessageEvent):
    """A provider took the message."""

    TYPE = "crm.message.sent.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "message_id": "msg-1",
        "channel": "email",
        "campaign_id": "cmp-3",
        "provider": "smtp",
        "provider_message_id": "<1@example.com>",
    }


class MessageDelivered(MessageEvent):
    """The message arrived."""

    TYPE = "crm.message.delivered.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "message_id": "msg-1", "channel": "email"}


class MessageOpened(MessageEvent):
    """The message was opened, perhaps by a machine."""

    TYPE = "crm.message.opened.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "message_id": "msg-1", "bot_suspected": False}

    bot_suspected: Flag | None = None


class MessageClicked(MessageEvent):
    """A link of the message was followed, perhaps by a machine."""

    TYPE = "crm.message.clicked.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "message_id": "msg-1",
        "url": "https://example.com/pricing",
        "bot_suspected": False,
    }

    url: Text | None = None
    bot_suspected: Flag | None = None


class MessageReplied(MessageEvent):
    """The contact answered the message."""

    TYPE = "crm.message.replied.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "message_id": "msg-1"}


class MessageBounced(MessageEvent):
    """The message could not be delivered: for good (hard) or for now (soft)."""

    TYPE = "crm.message.bounced.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "message_id": "msg-1",
        "bounce_class": "hard",
        "reason": "550 no such user",
    }

    bounce_class: Literal["hard", "soft"] | None = None


class MessageComplained(MessageEvent):
    """The contact called the message spam."""

    TYPE = "crm.message.complained.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "message_id": "msg-1"}


class MessageUnsubscribed(MessageEvent):
    """The contact unsubscribed by the message."""

    TYPE = "crm.message.unsubscribed.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "message_id": "msg-1", "reason": "one_click"}


class MessageFailed(MessageEvent):
    """The message can't be sent."""

    TYPE = "crm.message.failed.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "message_id": "msg-1", "reason": "provider refused"}


class MessageSuppressed(MessageEvent):
    """The message must not be sent; `reason` says by which rule."""

    TYPE = "crm.message.suppressed.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "message_id": "msg-1", "reason": "no_consent"}
