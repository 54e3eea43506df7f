"""Conversations: how long a person waits for the first human answer.

Source: docs/domain/conversations.md.
"""

from schemas.derived.effect import Fact
from schemas.events.conversation import (
    ConversationAssigned,
    ConversationOpened,
    ConversationReopened,
    ConversationReplied,
)
from schemas.state.rows import Conversation
from streams.domain.intervals import interval
from streams.domain.module import Module, on
from streams.domain.table import CONVERSATIONS
from streams.domain.turn import Turn


def opened(turn: Turn, event: ConversationOpened) -> None:
    """Somebody is waiting."""
    conversation = turn.row(CONVERSATIONS, event.conversation_id)
    conversation.channel = event.channel or conversation.channel
    conversation.agent = event.agent_id or conversation.agent
    if not conversation.replied_ms:
        _wait(turn, conversation)


def reopened(turn: Turn, event: ConversationReopened) -> None:
    """Somebody is waiting again, for another first answer."""
    conversation = turn.row(CONVERSATIONS, event.conversation_id)
    conversation.replied_ms = 0
    _wait(turn, conversation)


def assigned(turn: Turn, event: ConversationAssigned) -> None:
    """Whoever it is assigned to has the time from now, unless it was answered."""
    conversation = turn.row(CONVERSATIONS, event.conversation_id)
    conversation.agent = event.agent_id or ""
    if not conversation.replied_ms:
        _wait(turn, conversation)


def replied(turn: Turn, event: ConversationReplied) -> None:
    """Measure the first human reply; bots and the contact don't answer."""
    conversation = turn.row(CONVERSATIONS, event.conversation_id)
    if event.author != "human" or conversation.replied_ms:
        return
    conversation.replied_ms = turn.time_ms
    conversation.agent = event.agent_id or conversation.agent
    started_ms, duration_ms = interval(turn, conversation.waiting_since_ms, turn.time_ms)
    agent = turn.agent(conversation.agent)
    turn.fact(
        Fact(
            "first_response",
            event.conversation_id,
            started_ms=started_ms,
            ended_ms=turn.time_ms,
            duration_ms=duration_ms,
            agent=conversation.agent,
            team=agent.team,
            region=agent.region,
            channel=conversation.channel,
        )
    )


MODULE = Module(
    "conversations",
    (
        on(ConversationOpened, opened),
        on(ConversationReopened, reopened),
        on(ConversationAssigned, assigned),
        on(ConversationReplied, replied),
    ),
)


def _wait(turn: Turn, conversation: Conversation) -> None:
    conversation.waiting_since_ms = max(conversation.waiting_since_ms, turn.time_ms)
