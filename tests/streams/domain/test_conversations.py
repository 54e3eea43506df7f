"""Laws of the first response."""

import pytest

from schemas.events.agent import AgentCreated
from schemas.events.conversation import (
    ConversationAssigned,
    ConversationOpened,
    ConversationReopened,
    ConversationReplied,
)
from tests.streams.journal_builder import Journal

MINUTE_MS = 60_000


def given() -> Journal:
    """Return a journal with agent `ann` and a conversation opened at 10:00."""
    journal = Journal().event(AgentCreated(agent_id="ann", team_id="east"), "2026-01-01")
    return journal.event(ConversationOpened(conversation_id="c", channel="chat"),
                         "2026-03-02T10:00")  # fmt: skip


def reply(author: str = "human", agent: str | None = "ann") -> ConversationReplied:
    """Return a reply in conversation `c`."""
    return ConversationReplied.model_validate(
        {"conversation_id": "c", "author": author, "agent_id": agent}
    )


def test_first_human_reply_is_measured_from_opening() -> None:
    """Seven minutes, by agent, team and channel; the second reply isn't a first one."""
    journal = given().event(reply(), "2026-03-02T10:07").event(reply(), "2026-03-02T10:30")
    folded = journal.fold()
    for by, member in (("", ""), ("agent", "ann"), ("team", "east"), ("channel", "chat")):
        assert folded.total("first_response_time", by, member) == 7 * MINUTE_MS


@pytest.mark.parametrize("author", ["bot", "contact"])
def test_bots_and_the_contact_do_not_answer(author: str) -> None:
    """Only a person of ours answers; a conversation never answered is not a 0."""
    folded = given().event(reply(author, None), "2026-03-02T10:01").fold()
    assert not folded.facts("first_response")


def test_assignment_restarts_the_wait() -> None:
    """The later of opened and assigned counts."""
    journal = given().event(
        ConversationAssigned(conversation_id="c", agent_id="ann"), "2026-03-02T10:05"
    )
    assert journal.event(reply(agent=None), "2026-03-02T10:07").fold().total(
        "first_response_time", "agent", "ann") == 2 * MINUTE_MS  # fmt: skip


def test_assignment_after_the_answer_changes_nothing() -> None:
    """An answered conversation isn't waiting, whoever gets it."""
    journal = given().event(reply(), "2026-03-02T10:07")
    journal.event(ConversationAssigned(conversation_id="c", agent_id="bo"), "2026-03-02T10:10")
    journal.event(ConversationOpened(conversation_id="c"), "2026-03-02T10:11")
    folded = journal.event(reply(agent="bo"), "2026-03-02T10:20").fold()
    assert len(folded.facts("first_response")) == 1


def test_reopening_waits_for_another_first_answer() -> None:
    """Each wait is measured once."""
    journal = given().event(reply(), "2026-03-02T10:07")
    journal.event(ConversationReopened(conversation_id="c"), "2026-03-03T10:00")
    folded = journal.event(reply(), "2026-03-03T10:01").fold()
    assert [f.duration_ms for f in folded.facts("first_response")] == [
        7 * MINUTE_MS, MINUTE_MS]  # fmt: skip


def test_answer_to_an_unknown_conversation_has_no_duration() -> None:
    """The fact is stated, the metric leaves it out."""
    folded = Journal().event(reply(), "2026-03-02T10:07").fold()
    assert folded.facts("first_response")[0].started_ms == 0
    assert folded.total("first_response_time") == 0
