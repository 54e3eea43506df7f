"""Agents of the CRM: reference data by which other subjects' entries are judged."""

from schemas.events.agent import AgentCreated, AgentUpdated
from streams.domain.module import Module, on
from streams.domain.table import AGENTS
from streams.domain.turn import Turn


def agent_known(turn: Turn, event: AgentCreated | AgentUpdated) -> None:
    """Keep what routing and breakdowns need; an update carries the agent as they are now."""
    row = turn.row(AGENTS, event.agent_id)
    row.name = event.name or ""
    row.team = event.team_id or ""
    row.manager = event.manager_id or ""
    row.region = event.region or ""


MODULE = Module("agents", (on(AgentCreated, agent_known), on(AgentUpdated, agent_known)))
