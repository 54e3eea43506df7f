"""Laws of leads and their first contact."""

from schemas.events.agent import AgentCreated
from schemas.events.lead import (
    LeadAssigned,
    LeadContacted,
    LeadConverted,
    LeadCreated,
    LeadDisqualified,
    LeadQualified,
    LeadReopened,
    LeadStatusChanged,
)
from tests.streams.journal_builder import Journal, ms

HOUR_MS = 3_600_000


def given(origin: str = "live", within: str | None = "PT4H") -> Journal:
    """Return a journal with agent `ann` under manager `mo`, an SLA of four hours, and lead `l`."""
    journal = Journal()
    journal.event(AgentCreated(agent_id="ann", team_id="east", manager_id="mo"), "2026-01-01")
    journal.settings(**({"first_contact_within": within} if within else {}))
    lead = LeadCreated(lead_id="l", owner_id="ann", lead_source="web", campaign_id="c1")
    return journal.event(lead, "2026-03-02T08:00", origin=origin)


def contacted(direction: str = "outbound") -> LeadContacted:
    """Return a contact with lead `l`."""
    return LeadContacted.model_validate(
        {"lead_id": "l", "agent_id": "ann", "channel": "phone", "direction": direction}
    )


def test_lead_without_contact_breaches_its_sla_once() -> None:
    """Fact, metric and one notification to owner and manager, at the first tick after."""
    journal = given().tick("2026-03-02T11:59:59")
    assert not journal.fold().notifications()
    folded = journal.tick("2026-03-02T12:00").tick("2026-03-03").fold()
    assert folded.total("leads_sla_breached", "agent", "ann") == 1
    (notify,) = folded.notifications()
    assert notify.to == ["ann", "mo"]
    assert notify.about == "contact/l"
    assert folded.facts("lead_sla_breached")[0].ended_ms == ms("2026-03-02T12:00")


def test_contact_in_time_keeps_the_sla() -> None:
    """An outbound contact before the limit cancels the timer."""
    folded = given().event(contacted(), "2026-03-02T09:00").tick("2026-03-09").fold()
    assert folded.total("leads_sla_breached") == 0
    (fact,) = folded.facts("lead_contacted")
    assert (fact.duration_ms, fact.channel) == (HOUR_MS, "phone")


def test_contact_by_the_lead_is_not_ours() -> None:
    """An inbound contact neither counts nor keeps the SLA."""
    journal = given().event(contacted("inbound"), "2026-03-02T09:00").tick("2026-03-09")
    folded = journal.fold()
    assert folded.total("leads_contacted") == 0
    assert folded.total("leads_sla_breached") == 1


def test_only_the_first_contact_counts() -> None:
    """Later ones are conversation."""
    journal = given().event(contacted(), "2026-03-02T09:00").event(contacted(), "2026-03-02T10:00")
    assert journal.fold().total("leads_contacted") == 1


def test_import_and_missing_setting_start_no_timer() -> None:
    """Bulk imports start nothing; without the setting there is no SLA."""
    for journal in (given(origin="import"), given(within=None)):
        assert journal.tick("2026-03-09").fold().total("leads_sla_breached") == 0


def test_setting_takes_effect_at_its_offset() -> None:
    """A lead created before the setting has no SLA, one created after it has."""
    journal = given(within=None).settings("2026-03-02T08:30", first_contact_within="PT1H")
    journal.event(LeadCreated(lead_id="m"), "2026-03-02T09:00")
    folded = journal.tick("2026-03-09").fold()
    assert [fact.entity for fact in folded.facts("lead_sla_breached")] == ["m"]
    assert not folded.notifications(), "nobody owns it, so nobody is told"


def test_disqualified_or_converted_lead_needs_no_contact() -> None:
    """Both end the watch."""
    for event in (LeadDisqualified(lead_id="l", reason="spam"), LeadConverted(lead_id="l")):
        folded = given().event(event, "2026-03-02T09:00").tick("2026-03-09").fold()
        assert folded.total("leads_sla_breached") == 0


def test_breach_is_said_to_the_owner_at_that_time() -> None:
    """An assignment moves the responsibility."""
    journal = given().event(LeadAssigned(lead_id="l", owner_id="bo"), "2026-03-02T09:00")
    (notify,) = journal.tick("2026-03-09").fold().notifications()
    assert notify.to == ["bo"]


def test_contact_reported_before_the_creation_starts_no_timer() -> None:
    """Events of one lead may arrive out of order."""
    journal = Journal().settings(first_contact_within="PT1H")
    journal.event(contacted(), "2026-03-02T09:00").event(LeadCreated(lead_id="l"), "2026-03-02")
    folded = journal.tick("2026-03-09").fold()
    assert folded.total("leads_sla_breached") == 0
    assert (folded.total("leads_created"), folded.total("leads_contacted")) == (1, 1)


def test_contact_before_the_timer_survives_a_breach_already_due() -> None:
    """A breach that a late contact overtakes in the journal is not said."""
    journal = given().event(contacted(), "2026-03-02T13:00").tick("2026-03-02T14:00")
    assert journal.fold().total("leads_sla_breached") == 0


def test_conversion_counts_until_the_lead_is_reopened() -> None:
    """Once, however often it is said; reopening takes it back from its day."""
    journal = given()
    for at in ("2026-03-03", "2026-03-04"):
        journal.event(LeadConverted(lead_id="l", deal_id="d"), at)
    assert journal.fold().day("leads_converted", "2026-03-03", "lead_source", "web") == 1
    journal.event(LeadReopened(lead_id="l"), "2026-03-05")
    assert journal.fold().day("leads_converted", "2026-03-03") == 0
    folded = journal.event(LeadConverted(lead_id="l"), "2026-03-06").fold()
    assert folded.total("leads_converted", "campaign", "c1") == 1


def test_conversion_before_the_creation_is_taken_back_as_counted() -> None:
    """What the creation told later was not counted, so it isn't taken back."""
    journal = Journal().event(LeadConverted(lead_id="l"), "2026-03-03")
    journal.event(LeadCreated(lead_id="l", lead_source="web", campaign_id="c1"), "2026-03-02")
    folded = journal.event(LeadReopened(lead_id="l"), "2026-03-05").fold()
    assert folded.total("leads_converted", "lead_source", "web") == 0
    assert folded.total("leads_converted", "campaign", "c1") == 0


def test_lead_already_over_when_its_creation_arrives_has_no_sla() -> None:
    """Converted or disqualified first, created later: nobody has to contact it."""
    for over in (LeadConverted(lead_id="l"), LeadDisqualified(lead_id="l", reason="spam")):
        journal = Journal().settings(first_contact_within="PT1H").event(over, "2026-03-02")
        folded = journal.event(LeadCreated(lead_id="l"), "2026-03-02").tick("2026-03-09").fold()
        assert folded.total("leads_sla_breached") == 0


def test_conversion_is_taken_back_from_whom_it_was_counted_for() -> None:
    """Converted by one agent, then assigned to another and reopened: nobody keeps half of it."""
    journal = given().event(LeadConverted(lead_id="l"), "2026-03-03")
    journal.event(LeadAssigned(lead_id="l", owner_id="bo"), "2026-03-04")
    folded = journal.event(LeadReopened(lead_id="l"), "2026-03-05").fold()
    assert folded.total("leads_converted", "agent", "ann") == 0
    assert folded.total("leads_converted", "agent", "bo") == 0


def test_reopening_an_unconverted_lead_changes_nothing() -> None:
    """There is nothing to take back."""
    assert given().event(LeadReopened(lead_id="l"), "2026-03-05").fold().total(
        "leads_converted") == 0  # fmt: skip


def test_qualification_counts_once() -> None:
    """MQL then SQL is one qualified lead."""
    journal = given()
    for level in ("mql", "sql"):
        journal.event(LeadQualified.model_validate({"lead_id": "l", "level": level}), "2026-03-03")
    assert journal.fold().total("leads_qualified") == 1


def test_status_interval_is_stated_when_it_is_left() -> None:
    """Two days in `new`, then repeated `working` says nothing."""
    journal = given()
    for at in ("2026-03-04T08:00", "2026-03-05T08:00"):
        journal.event(
            LeadStatusChanged.model_validate({"lead_id": "l", "from": "new", "to": "working"}), at
        )
    (fact,) = journal.fold().facts("lead_status")
    assert (fact.stage, fact.duration_ms) == ("new", 48 * HOUR_MS)


def test_status_without_a_former_one_is_only_remembered() -> None:
    """Nothing is left, so nothing is stated."""
    journal = given().event(
        LeadStatusChanged.model_validate({"lead_id": "l", "to": "working"}), "2026-03-04"
    )
    assert not journal.fold().facts("lead_status")


def test_second_creation_changes_nothing() -> None:
    """The first one stands."""
    folded = given().event(LeadCreated(lead_id="l", lead_source="tv"), "2026-03-04").fold()
    assert folded.total("leads_created") == 1
    assert folded.total("leads_created", "lead_source", "tv") == 0
