"""Journals drawn at random: what a property of the fold is tried on."""

from hypothesis import strategies as st

from schemas.events.agent import AgentCreated
from schemas.events.deal import DealCreated, DealReopened, DealStageChanged, DealWon
from schemas.events.event import Event
from schemas.events.lead import LeadContacted, LeadCreated
from schemas.events.task import TaskCompleted, TaskCreated, TaskRescheduled
from tests.streams.journal_builder import Journal, Record

IDS = st.sampled_from("abc")


def events() -> st.SearchStrategy[Event]:
    """Draw events of three deals, leads and tasks."""
    due = st.integers(0, 60).map(lambda minutes: f"2026-03-02T10:{minutes % 60:02d}:00Z")
    return st.one_of(
        IDS.map(lambda i: DealCreated(deal_id=i, owner_id="ann", amount_minor=5, stage="new")),
        st.builds(lambda i, to: DealStageChanged(deal_id=i, to=to), IDS, IDS),
        IDS.map(lambda i: DealWon(deal_id=i, amount_minor=7)),
        IDS.map(lambda i: DealReopened(deal_id=i)),
        IDS.map(lambda i: LeadCreated(lead_id=i, owner_id="ann")),
        IDS.map(lambda i: LeadContacted(lead_id=i)),
        st.builds(
            lambda i, at: TaskCreated.model_validate(
                {"task_id": i, "due_at": at, "assignee_id": "ann"}
            ),
            IDS,
            due,
        ),
        st.builds(
            lambda i, at: TaskRescheduled.model_validate({"task_id": i, "due_at": at}), IDS, due
        ),
        IDS.map(lambda i: TaskCompleted(task_id=i)),
    )


@st.composite
def journals(draw: st.DrawFn, tenants: tuple[str, ...] = ("acme",)) -> Journal:
    """Draw a journal of events, repeats, late events, settings and ticks of some tenants."""
    journal = Journal()
    for tenant in tenants:
        agent = AgentCreated(agent_id="ann", team_id="t", manager_id="m")
        journal.event(agent, "2026-03-01", tenant=tenant)
    for minute in range(draw(st.integers(0, 25))):
        journal.tenant = draw(st.sampled_from(tenants))
        at = f"2026-03-02T10:{draw(st.integers(0, 59)):02d}:00"
        kind = draw(st.sampled_from(["event", "event", "event", "tick", "repeat", "settings"]))
        if kind == "tick":
            journal.tick(f"2026-03-02T10:{minute * 2:02d}:30")
        elif kind == "settings":
            journal.settings(first_contact_within=f"PT{minute + 1}M", timezone="Europe/Berlin")
        elif kind == "event":
            journal.event(draw(events()), at, event_id=f"id{draw(st.integers(0, 40))}")
        else:
            journal.records.append(Record(len(journal.records), journal.records[-1].value))
    return journal
