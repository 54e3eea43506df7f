"""`crm.conversation.*`: threads with a person, in any channel."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.events.event import PersonEvent
from schemas.events.fields import Identifier, Label, Number


class ConversationEvent(PersonEvent):
    """An event about one conversation."""

    SUBJECT = (("contact", "contact_id"), ("conversation", "conversation_id"))

    conversation_id: Identifier
    channel: Label | None = None
    inbox_id: Identifier | None = None
    agent_id: Identifier | None = None


class ConversationOpened(ConversationEvent):
    """A conversation began."""

    TYPE = "crm.conversation.opened.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "conversation_id": "v-9",
        "channel": "chat",
        "inbox_id": "support",
        "author": "contact",
    }

    author: Literal["human", "bot", "contact"] | None = None


class ConversationAssigned(ConversationEvent):
    """A conversation got an agent; without `agent_id` it has none now."""

    TYPE = "crm.conversation.assigned.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "conversation_id": "v-9", "agent_id": "a-7"}


class ConversationReplied(ConversationEvent):
    """Someone wrote; `author` tells a person of ours from a bot and from the contact."""

    TYPE = "crm.conversation.replied.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "conversation_id": "v-9",
        "agent_id": "a-7",
        "author": "human",
    }

    author: Literal["human", "bot", "contact"] | None = None


class ConversationStatusChanged(ConversationEvent):
    """A conversation's status changed."""

    TYPE = "crm.conversation.status_changed.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "conversation_id": "v-9",
        "from": "open",
        "to": "pending",
    }

    from_: Annotated[Label | None, Field(alias="from")] = None
    to: Label


class ConversationResolved(ConversationEvent):
    """A conversation is settled."""

    TYPE = "crm.conversation.resolved.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "conversation_id": "v-9",
        "agent_id": "a-7",
        "author": "human",
    }

    author: Literal["human", "bot", "contact"] | None = None


class ConversationReopened(ConversationEvent):
    """A settled conversation goes on."""

    TYPE = "crm.conversation.reopened.v1"
    EXAMPLE: ClassVar = {"contact_id": "c-42", "conversation_id": "v-9"}


class ConversationRated(ConversationEvent):
    """The contact said how it was; higher is better, on the upstream's scale."""

    TYPE = "crm.conversation.rated.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "conversation_id": "v-9",
        "agent_id": "a-7",
        "score": 5,
    }

    score: Number
