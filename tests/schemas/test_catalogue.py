"""The catalogue of event types: what each accepts, refuses and is about."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.definitions.applied import DefinitionApplied
from schemas.events import CATALOGUE, Event, LeadCreated, LeadStatusChanged
from schemas.released import EVENTS
from schemas.topics import NOUNS

DOCUMENTED = [
    "contact.created",
    "contact.updated",
    "contact.merged",
    "contact.subscription_changed",
    "contact.erased",
    "lead.created",
    "lead.assigned",
    "lead.contacted",
    "lead.qualified",
    "lead.disqualified",
    "lead.status_changed",
    "lead.score_changed",
    "lead.converted",
    "lead.reopened",
    "deal.created",
    "deal.stage_changed",
    "deal.amount_changed",
    "deal.won",
    "deal.lost",
    "deal.reopened",
    "task.created",
    "task.assigned",
    "task.started",
    "task.completed",
    "task.overdue",
    "task.rescheduled",
    "task.cancelled",
    "conversation.opened",
    "conversation.assigned",
    "conversation.replied",
    "conversation.status_changed",
    "conversation.resolved",
    "conversation.reopened",
    "conversation.rated",
    "activity.call_ended",
    "activity.meeting_booked",
    "activity.meeting_held",
    "activity.meeting_no_show",
    "activity.page_viewed",
    "activity.form_submitted",
    "message.requested",
    "message.rendered",
    "message.sent",
    "message.delivered",
    "message.opened",
    "message.clicked",
    "message.replied",
    "message.bounced",
    "message.complained",
    "message.unsubscribed",
    "message.failed",
    "message.suppressed",
    "campaign.created",
    "campaign.started",
    "campaign.paused",
    "campaign.finished",
    "campaign.spend_recorded",
    "campaign.touched",
    "agent.created",
    "agent.updated",
    "agent.status_changed",
    "product.created",
    "product.updated",
    "account.created",
    "account.updated",
]


def _event(type_: str, **data: Any) -> Event:
    return CATALOGUE[f"crm.{type_}.v1"].model_validate(data)


def test_catalogue_holds_exactly_the_documented_types() -> None:
    """Upstream builds on these names: one more or less is another contract."""
    assert set(CATALOGUE) == {f"crm.{name}.v1" for name in DOCUMENTED}


@pytest.mark.parametrize("cls", EVENTS)
def test_every_type_has_a_valid_example_and_a_name_that_says_it(cls: type[Event]) -> None:
    """Class, type and example belong together, and the type's noun has a topic."""
    assert cls.model_validate(cls.EXAMPLE).derived_subject()
    assert (cls.__doc__ or "").strip()
    _, noun, verb, _ = cls.TYPE.split(".")
    assert noun in (*NOUNS, "definition")
    words = f"{noun}_{verb}".split("_")
    assert cls.__name__ == "".join(word.title() for word in words)
    assert re.fullmatch(r"crm\.[a-z]+\.[a-z_]+\.v1", cls.TYPE)


def test_reference_data_is_what_other_subjects_are_judged_by() -> None:
    """Only these are broadcast to every journal partition."""
    assert {cls.TYPE for cls in EVENTS if cls.REFERENCE} == {
        "crm.agent.created.v1",
        "crm.agent.updated.v1",
        "crm.product.created.v1",
        "crm.product.updated.v1",
        "crm.campaign.created.v1",
        "crm.definition.applied.v1",
    }


@pytest.mark.parametrize(
    ("type_", "data", "subject"),
    [
        ("lead.created", {"lead_id": "l-1", "contact_id": "c-1"}, "contact/c-1"),
        ("lead.created", {"lead_id": "l-1"}, "contact/l-1"),
        ("deal.won", {"deal_id": "d-1", "contact_id": "c-1"}, "contact/c-1"),
        ("deal.won", {"deal_id": "d-1"}, "deal/d-1"),
        ("task.created", {"task_id": "k-1"}, "task/k-1"),
        ("conversation.opened", {"conversation_id": "v-1"}, "conversation/v-1"),
        ("message.sent", {"message_id": "m-1"}, "message/m-1"),
        ("activity.call_ended", {"call_id": "x-1"}, "activity/x-1"),
        ("activity.meeting_held", {"meeting_id": "x-1"}, "activity/x-1"),
        ("activity.page_viewed", {"url": "/"}, None),
        ("campaign.touched", {"campaign_id": "p-1", "contact_id": "c-1"}, "contact/c-1"),
        ("campaign.spend_recorded", {"campaign_id": "p-1", "amount_minor": 1}, "campaign/p-1"),
        ("agent.created", {"agent_id": "a-1"}, "agent/a-1"),
        ("product.created", {"product_id": "p-1"}, "product/p-1"),
        ("account.created", {"account_id": "o-1"}, "account/o-1"),
    ],
)
def test_subject_is_the_person_else_the_thing(
    type_: str, data: dict[str, Any], subject: str | None
) -> None:
    """All that concerns a person is ordered together; the rest by its own id."""
    assert _event(type_, **data).derived_subject() == subject


@pytest.mark.parametrize(
    ("type_", "data", "field"),
    [
        ("lead.created", {}, "lead_id"),
        ("lead.created", {"lead_id": ""}, "lead_id"),
        ("lead.created", {"lead_id": "x" * 201}, "lead_id"),
        ("lead.created", {"lead_id": "a\x00b"}, "lead_id"),
        ("lead.created", {"lead_id": 7}, "lead_id"),
        ("lead.created", {"lead_id": "l", "country": "de"}, "country"),
        ("lead.created", {"lead_id": "l", "score": 7.5}, "score"),
        ("lead.created", {"lead_id": "l", "score": True}, "score"),
        ("lead.created", {"lead_id": "l", "score": "7"}, "score"),
        ("lead.created", {"lead_id": "l", "score": 2**63}, "score"),
        ("lead.created", {"lead_id": "l", "anything": 2**63}, "anything"),
        ("lead.created", {"lead_id": "l", "anything": [float("inf")]}, "anything"),
        ("lead.created", {"lead_id": "l", "anything": {1: 2}}, "anything"),
        ("lead.created", {"lead_id": "l", "anything": object()}, "anything"),
        ("lead.created", {"lead_id": "l", "anything": "\ud800"}, "anything"),
        ("lead.created", {"lead_id": "l", "utm": {"source": 1}}, "utm"),
        ("lead.contacted", {"lead_id": "l", "direction": "sideways"}, "direction"),
        ("deal.won", {"deal_id": "d", "amount_minor": 10**15 + 1}, "amount_minor"),
        ("deal.won", {"deal_id": "d", "currency": "EURO"}, "currency"),
        ("deal.won", {"deal_id": "d", "closed_on": "2026-02-30"}, "closed_on"),
        ("deal.won", {"deal_id": "d", "closed_on": 1767225600}, "closed_on"),
        ("deal.won", {"deal_id": "d", "closed_on": "2026-03-17T00:00:00Z"}, "closed_on"),
        ("deal.stage_changed", {"deal_id": "d", "to": "x", "probability": 40}, "probability"),
        ("task.created", {"task_id": "k", "due_at": "2026-03-02T15:00:00"}, "due_at"),
        ("task.created", {"task_id": "k", "due_at": 1767225600}, "due_at"),
        ("task.created", {"task_id": "k", "due_at": "1767225600"}, "due_at"),
        ("contact.created", {"contact_id": "c", "phone_e164": "030 123"}, "phone_e164"),
        ("campaign.spend_recorded", {"campaign_id": "c"}, "amount_minor"),
    ],
)
def test_wrong_fields_are_refused_by_name(type_: str, data: dict[str, Any], field: str) -> None:
    """A wrong value is never bent into a right one; the field at fault is named."""
    with pytest.raises(ValidationError) as caught:
        _event(type_, **data)
    assert {error["loc"][0] for error in caught.value.errors()} == {field}


def test_unknown_fields_are_kept() -> None:
    """Upstream may send more than the catalogue names, at any level."""
    event = _event("lead.created", lead_id="l", colour={"r": 1}, utm={"source": "x", "gclid": "g"})
    assert isinstance(event, LeadCreated)
    assert event.model_extra == {"colour": {"r": 1}}
    assert event.utm is not None
    assert event.utm.model_extra == {"gclid": "g"}


def test_a_keyword_of_python_has_its_own_name_on_the_wire() -> None:
    """`from` is `from_` in Python and `from` everywhere else."""
    event = _event("lead.status_changed", lead_id="l", to="b", **{"from": "a"})
    assert event == LeadStatusChanged(lead_id="l", to="b", from_="a")
    assert event.wire_data() == {"lead_id": "l", "from": "a", "to": "b"}


def test_old_and_new_of_a_change_become_text() -> None:
    """Upstream reports values of any type; text is what all of them can be."""
    event = _event(
        "contact.updated", contact_id="c", changes=[{"field": "n", "old": 5, "new": [1]}]
    )
    assert event.wire_data()["changes"] == [{"field": "n", "old": "5", "new": "[1]"}]


def test_times_are_cut_to_milliseconds_in_utc() -> None:
    """What isn't kept must not make two equal events differ."""
    event = _event("task.created", task_id="k", due_at="2026-03-02T16:00:00.1239+01:00")
    assert event.wire_data()["due_at"] == "2026-03-02T15:00:00.123000Z"


def test_events_are_frozen() -> None:
    """An event is what happened: nobody changes it afterwards."""
    event = _event("deal.won", deal_id="d")
    with pytest.raises(ValidationError):
        event.deal_id = "e"  # type: ignore[attr-defined]  # the point of the test


def test_definition_writes_out_its_defaults_in_one_form() -> None:
    """A later change of a default can't change what was decided; equal specs are equal text."""
    one = DefinitionApplied.model_validate(
        {"kind": "settings", "id": "default", "spec": {"timezone": "UTC", "currency": "EUR"}}
    )
    two = DefinitionApplied(kind="settings", id="default", spec='{"currency": "EUR"}')
    assert one == two
    assert one.spec == (
        '{"currency":"EUR","first_contact_within":null,"hour_retention":"P35D","timezone":"UTC"}'
    )
    assert one.derived_subject() == "definition/settings/default"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"kind": "nonsense", "id": "x", "spec": {}}, "kind"),
        ({"kind": "settings", "spec": {}}, "id"),
        ({"kind": "settings", "id": "x"}, "spec"),
        ({"kind": "settings", "id": "x", "spec": {"currency": "e"}}, "spec"),
        ({"kind": "settings", "id": "x", "spec": {"no_such": 1}}, "spec"),
        ({"kind": "settings", "id": "x", "spec": "{"}, "spec"),
        ({"kind": "settings", "id": "x", "spec": "[]"}, "spec"),
        ({"kind": "settings", "id": "x", "spec": 5}, "spec"),
        ({"kind": "settings", "id": "x", "spec": {"first_contact_within": 1e300}}, "spec"),
    ],
)
def test_definition_with_a_wrong_spec_is_refused(data: dict[str, Any], field: str) -> None:
    """A definition reaches the journal only when the fold can use it."""
    with pytest.raises(ValidationError) as caught:
        DefinitionApplied.model_validate(data)
    assert caught.value.errors()[0]["loc"] == (field,)
