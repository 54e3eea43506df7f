"""Leads: contacted, qualified, converted, and the SLA of the first contact.

Source: docs/domain/leads.md.
"""

from schemas.derived.effect import Fact, Notify
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
from schemas.state.rows import Lead
from streams.domain.intervals import interval
from streams.domain.module import Module, on
from streams.domain.table import LEADS
from streams.domain.turn import Turn

SLA = "lead_sla"
"""Timer: a lead that should have been contacted by now."""


def created(turn: Turn, event: LeadCreated) -> None:
    """Count a new lead; a live one is to be contacted within the tenant's setting."""
    lead = turn.row(LEADS, event.lead_id)
    if lead.created_ms:
        turn.count("repeated_creation")
        return
    lead.created_ms = turn.time_ms
    lead.lead_source = event.lead_source or ""
    lead.campaign = event.campaign_id or ""
    lead.owner = event.owner_id or lead.owner
    _own(turn, lead, event.team_id)
    turn.fact(_fact("lead_created", event.lead_id, lead, turn.time_ms))
    within_ms = turn.settings.first_contact_within_ms
    over = lead.contacted_ms or lead.converted_ms or lead.disqualified_ms
    if within_ms and turn.origin == "live" and not over:
        turn.set_timer(SLA, event.lead_id, turn.time_ms + within_ms)


def assigned(turn: Turn, event: LeadAssigned) -> None:
    """Change the owner, to nobody if none is named; what is counted from now on is theirs."""
    lead = turn.row(LEADS, event.lead_id)
    lead.owner = event.owner_id or ""
    _own(turn, lead, None)


def contacted(turn: Turn, event: LeadContacted) -> None:
    """Count the first contact that we made; one by the lead (inbound) keeps the SLA running."""
    lead = turn.row(LEADS, event.lead_id)
    if lead.contacted_ms or event.direction == "inbound":
        return
    lead.contacted_ms = turn.time_ms
    turn.cancel_timer(SLA, event.lead_id)
    started_ms, duration_ms = interval(turn, lead.created_ms, turn.time_ms)
    turn.fact(
        _fact("lead_contacted", event.lead_id, lead, turn.time_ms)._replace(
            started_ms=started_ms, duration_ms=duration_ms, channel=event.channel or ""
        )
    )


def qualified(turn: Turn, event: LeadQualified) -> None:
    """Count the first qualification."""
    lead = turn.row(LEADS, event.lead_id)
    if not lead.qualified_ms:
        lead.qualified_ms = turn.time_ms
        turn.fact(_fact("lead_qualified", event.lead_id, lead, turn.time_ms))


def disqualified(turn: Turn, event: LeadDisqualified) -> None:
    """Nobody has to contact it any more."""
    turn.row(LEADS, event.lead_id).disqualified_ms = turn.time_ms
    turn.cancel_timer(SLA, event.lead_id)


def status_changed(turn: Turn, event: LeadStatusChanged) -> None:
    """State how long the lead was in the status it leaves."""
    lead = turn.row(LEADS, event.lead_id)
    if lead.status == event.to:
        turn.count("repeated_status")
        return
    left = lead.status or event.from_ or ""
    since_ms = lead.status_since_ms or lead.created_ms
    started_ms, duration_ms = interval(turn, since_ms, turn.time_ms)
    if left:
        turn.fact(
            _fact("lead_status", event.lead_id, lead, turn.time_ms)._replace(
                started_ms=started_ms, duration_ms=duration_ms, stage=left
            )
        )
    lead.status, lead.status_since_ms = event.to, turn.time_ms


def converted(turn: Turn, event: LeadConverted) -> None:
    """Count the conversion once, until the lead is reopened."""
    lead = turn.row(LEADS, event.lead_id)
    if lead.converted_ms:
        turn.count("repeated_outcome")
        return
    lead.converted_ms = turn.time_ms
    lead.converted_owner, lead.converted_team = lead.owner, lead.team
    lead.converted_region = lead.region
    lead.converted_campaign, lead.converted_lead_source = lead.campaign, lead.lead_source
    turn.cancel_timer(SLA, event.lead_id)
    turn.fact(_fact("lead_converted", event.lead_id, lead, turn.time_ms))


def reopened(turn: Turn, event: LeadReopened) -> None:
    """Take a conversion back from the day, and from whom, it was counted."""
    lead = turn.row(LEADS, event.lead_id)
    if lead.converted_ms:
        turn.fact(
            _fact("lead_converted", event.lead_id, lead, lead.converted_ms)._replace(
                value=-1,
                agent=lead.converted_owner,
                team=lead.converted_team,
                region=lead.converted_region,
                campaign=lead.converted_campaign,
                lead_source=lead.converted_lead_source,
            )
        )
        lead.converted_ms = 0


def breached(turn: Turn, lead_id: str) -> None:
    """Say to the owner and their manager that nobody contacted the lead in time.

    Once: the timer is set by the creation only, and whatever makes it void cancels it.
    """
    lead = turn.row(LEADS, lead_id)
    turn.fact(_fact("lead_sla_breached", lead_id, lead, turn.time_ms))
    manager = turn.agent(lead.owner).manager
    turn.notify(
        Notify(
            to=list(dict.fromkeys(filter(None, (lead.owner, manager)))),
            title="Lead without contact",
            body=f"Lead {lead_id} was not contacted within the agreed time.",
            about=turn.subject,
            reason="lead_sla_breached",
        )
    )


MODULE = Module(
    "leads",
    (
        on(LeadCreated, created),
        on(LeadAssigned, assigned),
        on(LeadContacted, contacted),
        on(LeadQualified, qualified),
        on(LeadDisqualified, disqualified),
        on(LeadStatusChanged, status_changed),
        on(LeadConverted, converted),
        on(LeadReopened, reopened),
    ),
    {SLA: breached},
)


def _own(turn: Turn, lead: Lead, team: str | None) -> None:
    agent = turn.agent(lead.owner)
    lead.team, lead.region = agent.team or team or "", agent.region


def _fact(name: str, lead_id: str, lead: Lead, ended_ms: int) -> Fact:
    return Fact(
        name,
        lead_id,
        ended_ms=ended_ms,
        stage=lead.status,
        agent=lead.owner,
        team=lead.team,
        region=lead.region,
        campaign=lead.campaign,
        lead_source=lead.lead_source,
    )
