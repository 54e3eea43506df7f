"""Simulated traffic: seeded, of every type, at an exact rate, with lives that make sense."""

from collections import defaultdict
from functools import cache
from itertools import islice
from random import Random

import pytest

from infra.simulate.settings import definitions
from infra.simulate.spoiling import spoil
from infra.simulate.traffic import Due, Plan, reference, tenants, traffic
from schemas.cloudevents import read
from schemas.definitions.settings import Settings
from schemas.errors import InvalidEvent
from schemas.events import (
    CATALOGUE,
    AgentCreated,
    DealCreated,
    LeadConverted,
    LeadCreated,
    MessageDelivered,
    MessageSent,
    TaskCreated,
)

START_MS = 1_767_225_600_000
PLAN = Plan(seed=1, start_ms=START_MS, rate=50)


@cache
def _events(count: int = 9_000) -> tuple[Due, ...]:
    return tuple(islice(traffic(PLAN), count))


def test_the_same_seed_and_start_give_the_same_events() -> None:
    """Two runs of one plan are equal, event by event."""
    assert tuple(islice(traffic(PLAN), 1_000)) == _events()[:1_000]
    assert reference(PLAN) == reference(PLAN)


@pytest.mark.parametrize("other", [Plan(2, START_MS), Plan(1, START_MS + 1)])
def test_another_seed_or_start_gives_other_ids(other: Plan) -> None:
    """Two runs never speak of the same event, so none is taken for a duplicate."""
    ids = {due.outgoing.id for due in _events()[:500]}
    assert ids.isdisjoint(due.outgoing.id for due in islice(traffic(other), 500))


def test_every_type_of_the_catalogue_occurs() -> None:
    """Reference data and three minutes of traffic together hold each event type."""
    seen = {outgoing.event.TYPE for outgoing in reference(PLAN)}
    seen |= {due.outgoing.event.TYPE for due in _events()}
    assert seen == set(CATALOGUE)


def test_the_rate_is_exact() -> None:
    """Event n is due n / rate after the start."""
    assert [due.at_ms - START_MS for due in _events()[:100]] == [n * 20 for n in range(100)]


def test_times_are_those_of_the_slots_but_for_late_events() -> None:
    """An event's own time is its slot's or, for a few, earlier; never later."""
    late = [due for due in _events() if due.outgoing.time_ms != due.at_ms]
    assert all(due.outgoing.time_ms < due.at_ms for due in late)
    assert 0.001 < len(late) / len(_events()) < 0.05


def test_some_events_are_repeated_unchanged() -> None:
    """A small share of ids occurs twice, each time as the same event."""
    seen: dict[str, Due] = {}
    repeats = 0
    for due in _events():
        first = seen.setdefault(due.outgoing.id, due)
        if first is not due:
            repeats += 1
            assert first.outgoing == due.outgoing
    assert 0.001 < repeats / len(_events()) < 0.02


def test_a_life_keeps_its_order() -> None:
    """A lead is created before it converts, and a deal comes after its lead's conversion."""
    created: set[str] = set()
    converted: set[str | None] = set()
    for due in _events():
        event = due.outgoing.event
        if isinstance(event, LeadCreated):
            created.add(event.lead_id)
        elif isinstance(event, LeadConverted):
            assert event.lead_id in created
            converted.add(event.deal_id)
        elif isinstance(event, DealCreated):
            assert event.deal_id in converted


def test_a_message_is_sent_before_it_is_delivered() -> None:
    """No message is delivered that wasn't sent."""
    sent: set[str] = set()
    for due in _events():
        event = due.outgoing.event
        if isinstance(event, MessageSent):
            sent.add(event.message_id)
        elif isinstance(event, MessageDelivered):
            assert event.message_id in sent


def test_tasks_fall_due_within_the_minute() -> None:
    """A task's due time lies seconds ahead, so that an overdue one is soon seen."""
    ahead = [
        due.outgoing.event.due_at.timestamp() - due.at_ms / 1000
        for due in _events()
        if isinstance(due.outgoing.event, TaskCreated) and due.outgoing.event.due_at
    ]
    assert ahead
    assert all(4 <= seconds <= 26 for seconds in ahead)


def test_all_that_concerns_a_person_has_one_subject() -> None:
    """Events with a contact are ordered under that contact, whatever else they name."""
    for due in _events()[:3_000]:
        contact = getattr(due.outgoing.event, "contact_id", None)
        if contact is not None:
            assert due.outgoing.event.derived_subject() == f"contact/{contact}"


def test_tenants_live_in_their_own_zone_and_currency() -> None:
    """Each tenant's settings are valid and name another zone."""
    specs = [
        Settings.model_validate_json(getattr(outgoing.event, "spec", ""))
        for outgoing in definitions(PLAN)
    ]
    assert len({spec.timezone for spec in specs}) == len(specs) == 3
    assert {outgoing.tenant for outgoing in definitions(PLAN)} == {t.id for t in tenants(PLAN)}


@pytest.mark.parametrize(("wanted", "users"), [(1, 1), (7, 5)])
def test_tenants_and_agents_are_as_many_as_asked_for(wanted: int, users: int) -> None:
    """Markets repeat beyond five, under other tenant ids; each tenant has its agents."""
    plan = Plan(seed=3, start_ms=START_MS, tenants=wanted, users=users)
    agents = defaultdict[str, set[str]](set)
    for outgoing in reference(plan):
        if isinstance(outgoing.event, AgentCreated):
            agents[outgoing.tenant].add(outgoing.event.agent_id)
    assert len(agents) == wanted
    assert {len(found) for found in agents.values()} == {users}


def test_every_record_is_one_that_ingest_accepts() -> None:
    """Records are read back as the same event."""
    for outgoing in [*definitions(PLAN), *reference(PLAN), *(d.outgoing for d in _events()[::100])]:
        record = outgoing.record()
        received = read(record.headers, record.value, now_ms=START_MS + 3_600_000)
        assert received.event == outgoing.event
        assert received.tenant == outgoing.tenant


def test_a_spoilt_record_is_refused_for_one_of_the_reasons_meant() -> None:
    """With share 1 every record is a dead letter, of all five kinds."""
    dice, reasons = Random(1), set()  # noqa: S311 - dice
    for due in _events()[:200]:
        record = spoil(due.outgoing.record(), dice, 1.0)
        with pytest.raises(InvalidEvent) as caught:
            read(record.headers, record.value, now_ms=START_MS + 3_600_000)
        reasons.add(caught.value.reason)
    assert reasons == {"not_json", "missing_field", "unknown_type", "bad_tenant", "time_in_future"}


def test_nothing_is_spoilt_unless_asked_for() -> None:
    """With share 0 a record stays as it is."""
    record = _events()[0].outgoing.record()
    assert spoil(record, Random(1), 0.0) is record  # noqa: S311 - dice
