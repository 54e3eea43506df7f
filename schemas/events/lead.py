"""`crm.lead.*`: people or companies that may buy."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.events.event import PersonEvent, Utm
from schemas.events.fields import Country, Identifier, Label, Language, Number, Text


class LeadEvent(PersonEvent):
    """An event about one lead; without a contact the lead's id stands in for the contact's."""

    SUBJECT = (("contact", "contact_id"), ("contact", "lead_id"))

    lead_id: Identifier


class LeadCreated(LeadEvent):
    """A lead came in."""

    TYPE = "crm.lead.created.v1"
    EXAMPLE: ClassVar = {
        "contact_id": "c-42",
        "lead_id": "l-1001",
        "lead_source": "web",
        "utm": {"source": "google", "medium": "cpc", "campaign": "spring"},
        "campaign_id": "cmp-3",
        "score": 35,
        "owner_id": "a-7",
        "team_id": "t-2",
        "country": "DE",
        "language": "de",
        "product_interest": "GTX Basic",
    }

    lead_source: Label | None = None
    utm: Utm | None = None
    campaign_id: Identifier | None = None
    score: Number | None = None
    owner_id: Identifier | None = None
    team_id: Identifier | None = None
    country: Country | None = None
    language: Language | None = None
    product_interest: Label | None = None


class LeadAssigned(LeadEvent):
    """A lead got an owner; without `owner_id` it has none now."""

    TYPE = "crm.lead.assigned.v1"
    EXAMPLE: ClassVar = {
        "lead_id": "l-1001",
        "owner_id": "a-7",
        "method": "round_robin",
        "rule_id": "r-1",
    }

    owner_id: Identifier | None = None
    previous_owner_id: Identifier | None = None
    method: Literal["manual", "rule", "round_robin", "import"] | None = None
    rule_id: Identifier | None = None


class LeadContacted(LeadEvent):
    """Someone got in touch with the lead (outbound) or it with us (inbound)."""

    TYPE = "crm.lead.contacted.v1"
    EXAMPLE: ClassVar = {
        "lead_id": "l-1001",
        "agent_id": "a-7",
        "channel": "phone",
        "direction": "outbound",
    }

    agent_id: Identifier | None = None
    channel: Label | None = None
    direction: Literal["inbound", "outbound"] | None = None


class LeadQualified(LeadEvent):
    """A lead is worth pursuing, by marketing (mql) or sales (sql)."""

    TYPE = "crm.lead.qualified.v1"
    EXAMPLE: ClassVar = {"lead_id": "l-1001", "level": "sql", "score": 80}

    level: Literal["mql", "sql"] | None = None
    score: Number | None = None


class LeadDisqualified(LeadEvent):
    """A lead is not worth pursuing."""

    TYPE = "crm.lead.disqualified.v1"
    EXAMPLE: ClassVar = {"lead_id": "l-1001", "reason": "no budget"}

    reason: Text | None = None


class LeadStatusChanged(LeadEvent):
    """A lead's status changed."""

    TYPE = "crm.lead.status_changed.v1"
    EXAMPLE: ClassVar = {
        "lead_id": "l-1001",
        "from": "new",
        "to": "working",
        "reason": "called back",
    }

    from_: Annotated[Label | None, Field(alias="from")] = None
    to: Label
    reason: Text | None = None


class LeadScoreChanged(LeadEvent):
    """A lead's score changed."""

    TYPE = "crm.lead.score_changed.v1"
    EXAMPLE: ClassVar = {"lead_id": "l-1001", "from": 35, "to": 80, "reasons": ["visited pricing"]}

    from_: Annotated[Number | None, Field(alias="from")] = None
    to: Number
    reasons: list[Text] = Field(default_factory=list, max_length=50)


class LeadConverted(LeadEvent):
    """A lead became a deal."""

    TYPE = "crm.lead.converted.v1"
    EXAMPLE: ClassVar = {"lead_id": "l-1001", "deal_id": "d-77", "account_id": "acme"}

    deal_id: Identifier | None = None
    account_id: Identifier | None = None


class LeadReopened(LeadEvent):
    """A lead that was disqualified or converted is open again."""

    TYPE = "crm.lead.reopened.v1"
    EXAMPLE: ClassVar = {"lead_id": "l-1001"}
