"""`crm.agent.*`: the people of the CRM who sell and answer."""

from typing import ClassVar, Literal

from pydantic import Field

from schemas.events.event import Event
from schemas.events.fields import Identifier, Label, Language, Line, Natural, Text, Zone


class AgentEvent(Event):
    """An event about one agent."""

    SUBJECT = (("agent", "agent_id"),)

    agent_id: Identifier


class AgentCreated(AgentEvent):
    """An agent joined. Reference data: deals and leads are counted by their owner's team."""

    TYPE = "crm.agent.created.v1"
    REFERENCE = True
    EXAMPLE: ClassVar = {
        "agent_id": "a-7",
        "name": "Moses Frase",
        "team_id": "t-2",
        "manager_id": "a-1",
        "region": "Central",
        "skills": ["enterprise"],
        "languages": ["en", "de"],
        "territories": ["DE", "AT"],
        "capacity": 20,
        "timezone": "Europe/Berlin",
        "working_hours": "Mo-Fr 09:00-17:30",
    }

    name: Line | None = None
    team_id: Identifier | None = None
    manager_id: Identifier | None = None
    region: Label | None = None
    skills: list[Label] = Field(default_factory=list, max_length=200)
    languages: list[Language] = Field(default_factory=list, max_length=200)
    territories: list[Label] = Field(default_factory=list, max_length=200)
    capacity: Natural | None = None
    timezone: Zone | None = None
    working_hours: Line | None = None


class AgentUpdated(AgentCreated):
    """Something about an agent changed; carries the agent as it is now, like `created`."""

    TYPE = "crm.agent.updated.v1"
    REFERENCE = True
    EXAMPLE: ClassVar = {
        "agent_id": "a-7",
        "name": "Moses Frase",
        "team_id": "t-3",
        "region": "East",
    }


class AgentStatusChanged(AgentEvent):
    """An agent is there, busy, away or gone."""

    TYPE = "crm.agent.status_changed.v1"
    EXAMPLE: ClassVar = {"agent_id": "a-7", "status": "away", "reason": "lunch"}

    status: Literal["online", "busy", "away", "offline"]
    reason: Text | None = None
