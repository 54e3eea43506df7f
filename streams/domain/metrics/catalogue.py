"""The first metrics. A metric is a few lines here; the docs page and ClickHouse read this list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.derived.effect import Fact
from schemas.derived.metric import GRAINS

Measure = Callable[[Fact], int | None]


def one(_: Fact) -> int:
    """Measure: each fact counts 1."""
    return 1


def money(fact: Fact) -> int:
    """Measure: the fact's amount in minor units."""
    return fact.amount_minor


def duration(fact: Fact) -> int | None:
    """Measure: how long it took, ms; nothing when its start is unknown or lies after its end."""
    return fact.duration_ms if fact.started_ms else None


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Args:
        name: Stable; key of every store.
        unit: Of the presented value.
        description: One sentence for people.
        facts: Fact name → sign: 1 adds, -1 takes away (gauges), 0 corrects the sum only.
        measure: What is added up; None leaves the fact out.
        value: What a person expects to see: the sum, or the mean (durations).
        dimensions: Attributes of `Fact` it is broken down by, besides the tenant's total.
        grains: Buckets kept. A gauge's value is in `all`; its days hold the net change.
        money: Amounts of other currencies than the tenant's count in dimension `currency` only.
        quantiles: Keeps a sketch of 1 % relative accuracy.
        scale: Divide stored numbers by this to present them.
    """

    name: str
    unit: Literal["count", "minor", "seconds"]
    description: str
    facts: Mapping[str, int]
    measure: Measure = one
    value: Literal["sum", "mean"] = "sum"
    dimensions: tuple[str, ...] = ()
    grains: tuple[str, ...] = GRAINS
    money: bool = False
    quantiles: bool = False
    scale: int = 1
    places: tuple[tuple[str, int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Note where in a fact each dimension stands: `dimension|` and index."""
        places = tuple((f"{name}|", Fact._fields.index(name)) for name in self.dimensions)
        object.__setattr__(self, "places", places)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A metric that is derived when read: `part` ÷ (`part` + `rest`), 0…1; none when both are 0."""

    name: str
    description: str
    part: str
    rest: str
    unit: Literal["ratio"] = "ratio"


LEAD = ("agent", "team", "campaign", "lead_source")
DEAL = ("agent", "team", "region", "product", "campaign", "lead_source")
GAUGE_GRAINS = ("day", "all")

_STORED = (
    Metric("leads_created", "count", "Leads created", {"lead_created": 1}, dimensions=LEAD),
    Metric(
        "leads_contacted",
        "count",
        "Leads contacted for the first time",
        {"lead_contacted": 1},
        dimensions=LEAD,
    ),
    Metric(
        "leads_qualified",
        "count",
        "Leads qualified for the first time",
        {"lead_qualified": 1},
        dimensions=LEAD,
    ),
    Metric(
        "leads_converted",
        "count",
        "Leads converted; a reopened lead is taken back",
        {"lead_converted": 1},
        dimensions=LEAD,
    ),
    Metric(
        "leads_sla_breached",
        "count",
        "Live leads without contact within the tenant's `first_contact_within`",
        {"lead_sla_breached": 1},
        dimensions=LEAD,
    ),
    Metric("deals_created", "count", "Deals created", {"deal_created": 1}, dimensions=DEAL),
    Metric(
        "deals_won",
        "count",
        "Deals won, by the day they were won; a reopened deal is taken back",
        {"deal_won": 1},
        dimensions=DEAL,
    ),
    Metric(
        "deals_lost",
        "count",
        "Deals lost, by the day they were lost; a reopened deal is taken back",
        {"deal_lost": 1},
        dimensions=DEAL,
    ),
    Metric(
        "won_amount",
        "minor",
        "Amount of the deals won; later corrections count on the day of the win",
        {"deal_won": 1, "deal_won_amount": 0, "deal_won_amount_moved": 1},
        money,
        dimensions=(*DEAL, "currency"),
        money=True,
    ),
    Metric(
        "sales_cycle",
        "seconds",
        "Deal engaged (first stage change, else created) to won or lost",
        {"deal_won": 1, "deal_lost": 1},
        duration,
        "mean",
        dimensions=("outcome", "agent", "team", "region", "product"),
        quantiles=True,
        scale=1000,
    ),
    Metric(
        "open_deals",
        "count",
        "Deals neither won nor lost",
        {"deal_stage_entered": 1, "deal_stage": -1},
        dimensions=("stage", "agent", "team", "region", "product"),
        grains=GAUGE_GRAINS,
    ),
    Metric(
        "pipeline_amount",
        "minor",
        "Amount of the deals neither won nor lost",
        {"deal_stage_entered": 1, "deal_stage": -1, "deal_amount": 0, "deal_amount_moved": 1},
        money,
        dimensions=("stage", "agent", "team", "region", "product", "currency"),
        grains=GAUGE_GRAINS,
        money=True,
    ),
    Metric(
        "tasks_created", "count", "Tasks created", {"task_created": 1}, dimensions=("agent", "team")
    ),
    Metric(
        "tasks_completed",
        "count",
        "Tasks completed",
        {"task_completed": 1},
        dimensions=("agent", "team"),
    ),
    Metric(
        "tasks_overdue",
        "count",
        "Tasks that passed their due time uncompleted; taken back when rescheduled",
        {"task_overdue": 1},
        dimensions=("agent", "team"),
    ),
    Metric(
        "first_response_time",
        "seconds",
        "Conversation opened (reopened, assigned: the latest) to the first human reply",
        {"first_response": 1},
        duration,
        "mean",
        dimensions=("agent", "team", "channel"),
        quantiles=True,
        scale=1000,
    ),
    *(
        Metric(
            f"messages_{state}",
            "count",
            f"Messages {state}, each once{note}",
            {f"message_{state}": 1},
            dimensions=("campaign", "channel"),
        )
        for state, note in (
            ("sent", ""),
            ("delivered", ""),
            ("opened", "; suspected bots left out"),
            ("clicked", "; suspected bots left out"),
            ("bounced", ""),
        )
    ),
    Metric(
        "campaign_spend",
        "minor",
        "Money spent on campaigns, as recorded",
        {"campaign_spend": 1},
        money,
        dimensions=("campaign", "channel", "currency"),
        money=True,
    ),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _STORED}
"""Name → metric, those that are stored."""

RATIOS: Mapping[str, Ratio] = {
    "win_rate": Ratio(
        "win_rate",
        "Won ÷ (won + lost) of the deals closed in the period",
        "deals_won",
        "deals_lost",
    )
}
"""Name → metric derived from two stored ones when it is read."""
