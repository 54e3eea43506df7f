"""Laws of deals."""

from schemas.derived.metric import MetricKey
from schemas.events.agent import AgentCreated
from schemas.events.deal import (
    DealAmountChanged,
    DealCreated,
    DealLost,
    DealReopened,
    DealStageChanged,
    DealWon,
)
from schemas.events.event import Event
from tests.streams.journal_builder import Folded, Journal

DAY_MS = 86_400_000


def deal(stage: str = "prospecting", **more: object) -> DealCreated:
    """Return the creation of deal `d` of 100.00 USD, owned by `ann`."""
    fields = {"amount_minor": 10_000, "currency": "USD", "owner_id": "ann"} | more
    return DealCreated.model_validate({"deal_id": "d", "stage": stage, **fields})


def won(**more: object) -> DealWon:
    """Return the win of deal `d`."""
    return DealWon.model_validate({"deal_id": "d", **more})


def moved(to: str) -> DealStageChanged:
    """Return a stage change of deal `d`."""
    return DealStageChanged.model_validate({"deal_id": "d", "to": to})


def told(*events: tuple[Event, str]) -> Folded:
    """Fold events after agent `ann` of team `east`, region `East` is known."""
    journal = Journal()
    ann = AgentCreated(agent_id="ann", team_id="east", region="East", manager_id="bo")
    journal.event(ann, "2026-01-01")
    for event, at in events:
        journal.event(event, at)
    return journal.fold()


def test_open_deal_is_in_the_pipeline_of_its_stage() -> None:
    """A created deal counts as open and with its amount, in all and by every dimension."""
    folded = told((deal(product_ids=["gtx"]), "2026-02-01"))
    assert folded.total("deals_created") == 1
    for by, member in (("", ""), ("stage", "prospecting"), ("team", "east"), ("region", "East"),
                       ("agent", "ann"), ("product", "gtx")):  # fmt: skip
        assert folded.total("open_deals", by, member) == 1
        assert folded.total("pipeline_amount", by, member) == 10_000


def test_stage_change_moves_the_deal_and_states_the_interval() -> None:
    """The stage that is left loses the deal, the one entered gains it, the total stays."""
    folded = told((deal(), "2026-02-01"), (moved("engaging"), "2026-02-04"))
    assert folded.total("pipeline_amount", "stage", "prospecting") == 0
    assert folded.total("pipeline_amount", "stage", "engaging") == 10_000
    assert folded.total("pipeline_amount") == 10_000
    (interval,) = folded.facts("deal_stage")
    assert (interval.stage, interval.duration_ms) == ("prospecting", 3 * DAY_MS)


def test_sales_cycle_runs_from_the_first_stage_change() -> None:
    """Engaged on the 4th, won on the 14th: ten days, whatever the creation."""
    folded = told(
        (deal(), "2026-02-01"), (moved("engaging"), "2026-02-04"), (moved("demo"), "2026-02-09"),
        (won(), "2026-02-14"),
    )  # fmt: skip
    assert folded.total("sales_cycle") == 10 * DAY_MS
    assert folded.total("sales_cycle", "outcome", "won") == 10 * DAY_MS


def test_deal_never_moved_has_its_cycle_from_creation() -> None:
    """Without a stage change the creation engages."""
    assert told((deal(), "2026-02-01"), (won(), "2026-02-03")).total("sales_cycle") == 2 * DAY_MS


def test_won_deal_leaves_the_pipeline_with_its_final_amount() -> None:
    """The pipeline loses what it held, the win counts what was signed."""
    folded = told((deal(), "2026-02-01"), (won(amount_minor=12_000), "2026-02-10"))
    assert folded.total("pipeline_amount") == 0
    assert folded.total("open_deals") == 0
    assert folded.day("won_amount", "2026-02-10") == 12_000
    assert folded.day("deals_won", "2026-02-10", "region", "East") == 1


def test_win_said_twice_counts_once_and_corrects_the_amount() -> None:
    """A repeated win of another amount changes the won amount on the day of the win."""
    folded = told(
        (deal(), "2026-02-01"),
        (won(amount_minor=12_000), "2026-02-10"),
        (won(amount_minor=11_500), "2026-02-12"),
    )
    assert folded.total("deals_won") == 1
    assert folded.day("won_amount", "2026-02-10") == 11_500
    assert folded.day("won_amount", "2026-02-12") == 0
    assert folded.counts()["repeated_outcome"] == 1


def test_reopened_deal_takes_its_win_back_where_it_was_counted() -> None:
    """No day shows a win that did not last; the deal is open again in its stage."""
    folded = told(
        (deal(), "2026-02-01"),
        (moved("engaging"), "2026-02-02"),
        (won(), "2026-02-10"),
        (DealReopened(deal_id="d"), "2026-03-01"),
    )
    assert folded.day("deals_won", "2026-02-10") == 0
    assert folded.total("won_amount", "team", "east") == 0
    assert folded.total("sales_cycle") == 0
    assert folded.total("pipeline_amount", "stage", "engaging") == 10_000


def test_reopening_restarts_the_sales_cycle() -> None:
    """Won again five days after reopening: five days, counted once."""
    folded = told(
        (deal(), "2026-02-01"),
        (won(), "2026-02-10"),
        (DealReopened(deal_id="d"), "2026-03-01"),
        (won(), "2026-03-06"),
    )
    assert folded.total("deals_won") == 1
    assert folded.total("sales_cycle") == 5 * DAY_MS


def test_lost_after_won_turns_the_outcome() -> None:
    """The newest outcome stands, the older one is taken back."""
    folded = told(
        (deal(), "2026-02-01"), (won(), "2026-02-10"), (DealLost(deal_id="d"), "2026-02-20")
    )
    assert (folded.total("deals_won"), folded.total("deals_lost")) == (0, 1)
    assert (folded.total("won_amount"), folded.total("open_deals")) == (0, 0)


def test_taking_back_uses_the_dimensions_counted_under() -> None:
    """A team change between win and reopening leaves no team with half a deal."""
    folded = told(
        (deal(), "2026-02-01"),
        (won(), "2026-02-10"),
        (AgentCreated(agent_id="ann", team_id="west", region="West"), "2026-02-11"),
        (DealReopened(deal_id="d"), "2026-02-12"),
    )
    assert folded.total("deals_won", "team", "east") == 0
    assert folded.total("deals_won", "team", "west") == 0
    assert folded.total("open_deals", "team", "east") == 0
    assert folded.total("open_deals", "team", "west") == 1


def test_new_owner_at_the_win_gets_it() -> None:
    """The pipeline is taken from the owner it was counted under, the win goes to the new one."""
    folded = told((deal(), "2026-02-01"), (won(owner_id="cem"), "2026-02-10"))
    assert folded.total("open_deals", "agent", "ann") == 0
    assert folded.total("deals_won", "agent", "cem") == 1
    assert folded.total("deals_won", "agent", "ann") == 0


def test_amount_change_corrects_the_pipeline() -> None:
    """The difference goes to the buckets the deal is in; it stays one deal."""
    change = DealAmountChanged(deal_id="d", to_minor=7_000)
    folded = told((deal(), "2026-02-01"), (change, "2026-02-03"), (change, "2026-02-04"))
    assert folded.total("pipeline_amount", "stage", "prospecting") == 7_000
    assert folded.total("open_deals") == 1
    assert len(folded.facts("deal_amount")) == 1


def test_foreign_currency_is_shown_apart() -> None:
    """Euros of a dollar tenant are in dimension `currency` only; the deal itself counts."""
    folded = told((deal(currency="EUR"), "2026-02-01"), (won(), "2026-02-10"))
    assert folded.total("won_amount") == 0
    assert folded.total("won_amount", "currency", "EUR") == 10_000
    assert folded.total("deals_won") == 1


def test_change_of_currency_moves_the_amount() -> None:
    """What was counted in dollars is taken out in dollars and put in in euros."""
    change = DealAmountChanged(deal_id="d", to_minor=9_000, currency="EUR")
    folded = told((deal(), "2026-02-01"), (change, "2026-02-03"))
    assert folded.total("pipeline_amount") == 0
    assert folded.total("pipeline_amount", "currency", "USD") == 0
    assert folded.total("pipeline_amount", "currency", "EUR") == 9_000


def test_change_of_currency_after_the_win_moves_the_win() -> None:
    """The win leaves the tenant's total whole, and reopening takes it back where it went."""
    change = DealAmountChanged(deal_id="d", to_minor=9_000, currency="EUR")
    events = [(deal(), "2026-02-01"), (won(), "2026-02-10"), (change, "2026-02-11")]
    folded = told(*events)
    assert folded.buckets()[MetricKey("acme", "won_amount", "all", 0, "", "")].count == 0
    assert folded.total("won_amount", "currency", "EUR") == 9_000
    folded = told(*events, (DealReopened(deal_id="d"), "2026-02-12"))
    for currency in ("USD", "EUR"):
        bucket = MetricKey("acme", "won_amount", "all", 0, "currency", currency)
        assert (folded.buckets()[bucket].count, folded.buckets()[bucket].sum) == (0, 0)


def test_reopening_takes_back_the_cycle_that_was_counted() -> None:
    """Won before its creation was told: counted without a duration, taken back without one."""
    folded = told((won(), "2026-02-10"), (deal(), "2026-02-01"),
                  (DealReopened(deal_id="d"), "2026-02-12"))  # fmt: skip
    assert not any(key.metric == "sales_cycle" for key in folded.buckets())


def test_amount_change_of_a_lost_deal_changes_no_metric() -> None:
    """A lost deal has no amount anywhere to correct."""
    change = DealAmountChanged(deal_id="d", to_minor=9_000)
    folded = told((deal(), "2026-02-01"), (DealLost(deal_id="d"), "2026-02-02"),
                  (change, "2026-02-03"))  # fmt: skip
    assert folded.total("pipeline_amount") == 0
    assert not folded.facts("deal_amount")


def test_win_of_an_unknown_deal_counts_without_a_cycle() -> None:
    """Nothing is invented about a deal we weren't told of; a late creation only counts."""
    folded = told((won(amount_minor=500), "2026-02-10"), (deal(), "2026-02-01"))
    assert folded.total("deals_won") == 1
    assert folded.total("sales_cycle") == 0
    assert folded.total("deals_created") == 1
    assert folded.total("open_deals") == 0


def test_negative_cycle_is_an_anomaly_and_left_out() -> None:
    """Won before it was engaged: the win counts, the duration doesn't."""
    folded = told((deal(), "2026-02-01"), (moved("engaging"), "2026-02-20"), (won(), "2026-02-10"))
    assert folded.total("deals_won") == 1
    assert folded.total("sales_cycle") == 0
    assert folded.counts()["negative_duration"] == 2


def test_repeats_change_nothing() -> None:
    """Created twice, moved to where it is, moved after closing, reopened while open."""
    once = told((deal(), "2026-02-01"), (moved("a"), "2026-02-02"), (won(), "2026-02-03"))
    again = told(
        (deal(), "2026-02-01"),
        (DealReopened(deal_id="d"), "2026-02-01"),
        (deal(amount_minor=1), "2026-02-01"),
        (moved("a"), "2026-02-02"),
        (moved("a"), "2026-02-02"),
        (won(), "2026-02-03"),
        (moved("b"), "2026-02-04"),
    )
    assert again.facts() == once.facts()


def test_win_of_a_deal_without_amount_repeated_corrects_nothing() -> None:
    """Said twice without an amount: the first one stands."""
    folded = told((deal(), "2026-02-01"), (won(), "2026-02-10"), (won(), "2026-02-11"))
    assert folded.total("won_amount") == 10_000
    assert folded.total("deals_won") == 1


def test_deal_without_stage_is_open() -> None:
    """A deal whose upstream has no stages is in stage `open`."""
    created = DealCreated(deal_id="d")
    assert told((created, "2026-02-01")).total("open_deals", "stage", "open") == 1
