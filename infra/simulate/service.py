"""Tasks, conversations, calls and meetings."""

from infra.simulate.scene import Life, Scene
from schemas.events import (
    ActivityCallEnded,
    ActivityMeetingBooked,
    ActivityMeetingHeld,
    ActivityMeetingNoShow,
    ConversationAssigned,
    ConversationOpened,
    ConversationRated,
    ConversationReopened,
    ConversationReplied,
    ConversationResolved,
    ConversationStatusChanged,
    TaskAssigned,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskOverdue,
    TaskRescheduled,
    TaskStarted,
)

VOICEMAIL_S = 20
"""Shorter talk is a machine answering."""
HUMAN, BOT, CONTACT = "human", "bot", "contact"


def task(scene: Scene) -> Life:
    """Something to do within seconds; one in three isn't done in time."""
    person = scene.known_person()
    about = {"contact_id": person.id, "task_id": scene.new_id("task")}
    due_s = scene.rng.uniform(5, 25)
    due = scene.in_s(due_s)
    yield TaskCreated(
        **about,
        title=f"Call {person.company} back",
        kind=scene.rng.choice(("call", "email", "offer")),
        priority=scene.rng.choice(("low", "normal", "high")),
        due_at=due,
        assignee_id=person.owner.id,
        related_to=f"contact/{person.id}",
    )
    if scene.chance(0.2):
        yield scene.wait(2)
        yield TaskAssigned(**about, assignee_id=scene.agent().id)
    if scene.chance(0.08):
        yield TaskCancelled(**about, outcome="no longer needed")
        return
    yield scene.wait(3)
    yield TaskStarted(**about, assignee_id=person.owner.id)
    if scene.chance(0.33):
        yield int(due_s * 1000)
        yield TaskOverdue(**about, due_at=due)
        yield scene.wait(5)
        if scene.chance(0.4):
            yield TaskRescheduled(**about, due_at=scene.in_s(30))
            yield scene.wait(5)
    yield TaskCompleted(**about, assignee_id=person.owner.id, outcome="reached")


def conversation(scene: Scene) -> Life:
    """A contact writes; a bot may answer first; a person answers, mostly; it ends, mostly."""
    person = scene.known_person()
    channel = scene.rng.choice(("chat", "email", "whatsapp"))
    about = {"contact_id": person.id, "conversation_id": scene.new_id("conversation")}
    agent = scene.agent().id
    yield ConversationOpened(**about, channel=channel, inbox_id="support", author=CONTACT)
    if scene.chance(0.4):
        yield scene.wait(0.5)
        yield ConversationReplied(**about, channel=channel, author=BOT)
    yield scene.wait(2)
    yield ConversationAssigned(**about, agent_id=agent)
    if scene.chance(0.1):
        return  # never answered
    for _ in range(scene.rng.randint(1, 3)):
        yield scene.wait(6)
        yield ConversationReplied(**about, channel=channel, agent_id=agent, author=HUMAN)
        if scene.chance(0.6):
            yield scene.wait(5)
            yield ConversationReplied(**about, channel=channel, author=CONTACT)
    yield ConversationStatusChanged(**about, from_="open", to="pending")
    yield scene.wait(5)
    yield ConversationResolved(**about, agent_id=agent, author=HUMAN)
    if scene.chance(0.4):
        yield ConversationRated(**about, agent_id=agent, score=scene.rng.randint(1, 5))
    if scene.chance(0.1):
        yield scene.wait(15)
        yield ConversationReopened(**about)
        yield scene.wait(6)
        yield ConversationReplied(**about, channel=channel, agent_id=agent, author=HUMAN)
        yield ConversationResolved(**about, agent_id=agent, author=HUMAN)


def call(scene: Scene) -> Life:
    """One call."""
    talk = int(scene.rng.expovariate(1 / 180))
    yield ActivityCallEnded(
        contact_id=scene.known_person().id,
        call_id=scene.new_id("call"),
        agent_id=scene.agent().id,
        direction=scene.rng.choice(("inbound", "outbound")),
        duration_s=talk + scene.rng.randint(5, 40),
        talk_s=talk,
        disposition="connected" if talk > VOICEMAIL_S else "no answer",
    )


def meeting(scene: Scene) -> Life:
    """A meeting is booked, then held, or the contact doesn't come."""
    agent = scene.agent().id
    about = {"contact_id": scene.known_person().id, "meeting_id": scene.new_id("meeting")}
    yield ActivityMeetingBooked(**about, agent_id=agent, starts_at=scene.in_s(20))
    yield 20_000
    if scene.chance(0.2):
        yield ActivityMeetingNoShow(**about, agent_id=agent)
    else:
        yield ActivityMeetingHeld(**about, agent_id=agent, duration_s=scene.rng.randint(600, 3600))
