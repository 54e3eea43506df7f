"""Deals: stages, amounts, winning, losing, reopening.

Every deal is counted under the dimensions kept in its row. Leaving a stage or taking back a win
uses those, so each bucket that was added to is the one that is taken from.

Source: docs/domain/deals.md.
"""

from schemas.derived.effect import Fact
from schemas.events.deal import (
    DealAmountChanged,
    DealCreated,
    DealLost,
    DealReopened,
    DealStageChanged,
    DealWon,
)
from schemas.state.rows import Deal
from streams.domain.intervals import interval
from streams.domain.module import Module, on
from streams.domain.table import DEALS
from streams.domain.turn import Turn

FIRST_STAGE = "open"
"""Stage of a deal whose upstream names none."""


def created(turn: Turn, event: DealCreated) -> None:
    """Count a new deal and enter its first stage.

    A second creation of the same deal changes nothing (`repeated_creation`). One that arrives after
    other events of the deal only counts: the dimensions those were counted under stand.
    """
    deal = turn.row(DEALS, event.deal_id)
    if deal.created_ms:
        turn.count("repeated_creation")
        return
    deal.created_ms = turn.time_ms
    known = bool(deal.stage or deal.outcome)
    if not known:
        _own(turn, deal, event.owner_id)
        deal.amount_minor, deal.currency = event.amount_minor or 0, event.currency or ""
        deal.product = next(iter(event.product_ids), "")
        deal.lead_source, deal.campaign = event.lead_source or "", event.campaign_id or ""
    turn.fact(_fact("deal_created", event.deal_id, deal, turn.time_ms))
    if not known:
        _enter(turn, event.deal_id, deal, event.stage or FIRST_STAGE)


def stage_changed(turn: Turn, event: DealStageChanged) -> None:
    """Leave one stage, enter another; the first change engages the deal."""
    deal = turn.row(DEALS, event.deal_id)
    if deal.outcome:
        turn.count("stage_after_close")
        return
    if deal.stage == event.to:
        turn.count("repeated_stage")
        return
    _leave(turn, event.deal_id, deal)
    deal.engaged_ms = deal.engaged_ms or turn.time_ms
    _enter(turn, event.deal_id, deal, event.to)


def amount_changed(turn: Turn, event: DealAmountChanged) -> None:
    """Correct the pipeline, or the won amount on the day of the win."""
    deal = turn.row(DEALS, event.deal_id)
    _set_amount(turn, event.deal_id, deal, event.to_minor, event.currency or deal.currency)


def won(turn: Turn, event: DealWon) -> None:
    """Close the deal as won."""
    _close(turn, event, "won")


def lost(turn: Turn, event: DealLost) -> None:
    """Close the deal as lost."""
    _close(turn, event, "lost")


def reopened(turn: Turn, event: DealReopened) -> None:
    """Take the outcome back from the day it was counted on; the sales cycle restarts now."""
    deal = turn.row(DEALS, event.deal_id)
    if not deal.outcome:
        turn.count("reopened_while_open")
        return
    stage = deal.stage
    _take_back(turn, event.deal_id, deal)
    turn.fact(_fact("deal_reopened", event.deal_id, deal, turn.time_ms))
    deal.engaged_ms = turn.time_ms
    deal.owner = event.owner_id or deal.owner
    _enter(turn, event.deal_id, deal, stage or FIRST_STAGE)


MODULE = Module(
    "deals",
    (
        on(DealCreated, created),
        on(DealStageChanged, stage_changed),
        on(DealAmountChanged, amount_changed),
        on(DealWon, won),
        on(DealLost, lost),
        on(DealReopened, reopened),
    ),
)


def _close(turn: Turn, event: DealWon | DealLost, outcome: str) -> None:
    deal = turn.row(DEALS, event.deal_id)
    amount = deal.amount_minor if event.amount_minor is None else event.amount_minor
    currency = event.currency or deal.currency
    if deal.outcome == outcome:
        # Said twice: the outcome stands, a different amount is a correction of it.
        turn.count("repeated_outcome")
        if event.amount_minor is not None:
            _set_amount(turn, event.deal_id, deal, amount, currency)
        return
    if deal.outcome:
        _take_back(turn, event.deal_id, deal)
    else:
        _leave(turn, event.deal_id, deal, outcome)
    _own(turn, deal, event.owner_id)
    deal.amount_minor, deal.currency = amount, currency
    deal.outcome, deal.closed_ms = outcome, turn.time_ms
    deal.cycle_started_ms = deal.engaged_ms or deal.created_ms
    _count_outcome(turn, event.deal_id, deal, 1)


def _take_back(turn: Turn, deal_id: str, deal: Deal) -> None:
    _count_outcome(turn, deal_id, deal, -1)
    deal.outcome, deal.closed_ms = "", 0


def _count_outcome(turn: Turn, deal_id: str, deal: Deal, value: int) -> None:
    started_ms, duration_ms = interval(turn, deal.cycle_started_ms, deal.closed_ms)
    fact = _fact(f"deal_{deal.outcome}", deal_id, deal, deal.closed_ms, value=value,
                 started_ms=started_ms, duration_ms=duration_ms)  # fmt: skip
    turn.fact(fact)


def _set_amount(turn: Turn, deal_id: str, deal: Deal, amount_minor: int, currency: str) -> None:
    before = (deal.amount_minor, deal.currency)
    if before == (amount_minor, currency):
        return
    deal.amount_minor, deal.currency = amount_minor, currency
    if deal.outcome == "won":
        name, ended_ms = "deal_won_amount", deal.closed_ms
    elif deal.stage and not deal.outcome:
        name, ended_ms = "deal_amount", turn.time_ms
    else:
        return
    fact = _fact(name, deal_id, deal, ended_ms)
    if before[1] == currency:
        turn.fact(fact._replace(amount_minor=amount_minor - before[0]))
    else:
        # Out of one currency with the observation itself, into the other with it.
        moved = f"{name}_moved"
        turn.fact(fact._replace(name=moved, amount_minor=before[0], currency=before[1], value=-1))
        turn.fact(fact._replace(name=moved))


def _enter(turn: Turn, deal_id: str, deal: Deal, stage: str) -> None:
    _own(turn, deal, deal.owner)
    deal.stage, deal.stage_since_ms = stage, turn.time_ms
    turn.fact(_fact("deal_stage_entered", deal_id, deal, turn.time_ms, started_ms=turn.time_ms))


def _leave(turn: Turn, deal_id: str, deal: Deal, outcome: str = "") -> None:
    if not deal.stage:
        return
    # The start is said even when it lies after the end: it tells which stay is over.
    _, duration_ms = interval(turn, deal.stage_since_ms, turn.time_ms)
    fact = _fact("deal_stage", deal_id, deal, turn.time_ms, started_ms=deal.stage_since_ms,
                 duration_ms=duration_ms)  # fmt: skip
    turn.fact(fact._replace(outcome=outcome) if outcome else fact)


def _own(turn: Turn, deal: Deal, owner: str | None) -> None:
    deal.owner = owner or deal.owner
    agent = turn.agent(deal.owner)
    deal.team, deal.region = agent.team, agent.region


def _fact(
    name: str,
    deal_id: str,
    deal: Deal,
    ended_ms: int,
    *,
    started_ms: int = 0,
    duration_ms: int = 0,
    value: int = 1,
) -> Fact:
    return Fact(
        name,
        deal_id,
        started_ms,
        ended_ms,
        duration_ms,
        deal.amount_minor,
        deal.currency,
        value,
        deal.stage,
        deal.outcome,
        agent=deal.owner,
        team=deal.team,
        region=deal.region,
        product=deal.product,
        campaign=deal.campaign,
        lead_source=deal.lead_source,
    )
