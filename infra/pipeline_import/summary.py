"""What a pipeline amounts to: the figures an import is checked against. Pure."""

from collections import Counter
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from infra.pipeline_import.rows import LOST, WON, Opportunity, Pipeline


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals of a pipeline.

    Args:
        deals: All opportunities.
        stages: Stage → opportunities.
        won_minor: Of all won deals, US cents.
        regions_minor: Region → the same.
        cycle_days: Outcome → (mean, median) days from engagement to closing.
        agents: All agents.
        agents_with_deals: Those with at least one opportunity.
        without_account: Opportunities the file names no account of.
        without_date: Opportunities without any date.
    """

    deals: int
    stages: dict[str, int]
    won_minor: int
    regions_minor: dict[str, int]
    cycle_days: dict[str, tuple[float, float]]
    agents: int
    agents_with_deals: int
    without_account: int
    without_date: int

    @property
    def open(self) -> int:
        """Opportunities neither won nor lost."""
        return self.deals - self.stages.get(WON, 0) - self.stages.get(LOST, 0)

    def as_json(self) -> dict[str, Any]:
        """Return the totals for programs; money in minor units."""
        return {
            "deals": self.deals,
            "won": self.stages.get(WON, 0),
            "lost": self.stages.get(LOST, 0),
            "open": self.open,
            "stages": self.stages,
            "won_minor": self.won_minor,
            "regions_minor": self.regions_minor,
            "cycle_days": {
                outcome: {"mean": round(mean, 2), "median": middle}
                for outcome, (mean, middle) in self.cycle_days.items()
            },
            "agents": self.agents,
            "agents_with_deals": self.agents_with_deals,
            "without_account": self.without_account,
            "without_date": self.without_date,
        }


def summarise(pipeline: Pipeline) -> Summary:
    """Add up a pipeline."""
    deals = pipeline.opportunities
    region_of = {agent.name: agent.region for agent in pipeline.agents}
    regions: Counter[str] = Counter()
    for deal in deals:
        if deal.stage == WON:
            regions[region_of[deal.agent]] += deal.value_minor or 0
    return Summary(
        deals=len(deals),
        stages=dict(Counter(deal.stage for deal in deals)),
        won_minor=sum(regions.values()),
        regions_minor=dict(sorted(regions.items())),
        cycle_days={
            outcome: (fmean(days), median(days))
            for outcome in (WON, LOST)
            if (days := _cycles(deals, outcome))
        },
        agents=len(pipeline.agents),
        agents_with_deals=len({deal.agent for deal in deals}),
        without_account=sum(not deal.account for deal in deals),
        without_date=sum(deal.engaged is None for deal in deals),
    )


def _cycles(deals: tuple[Opportunity, ...], outcome: str) -> list[int]:
    return [
        (deal.closed - deal.engaged).days
        for deal in deals
        if deal.stage == outcome and deal.closed and deal.engaged
    ]
