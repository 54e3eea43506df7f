"""The B2B pipeline as events: true times, stable ids, and the totals of the published data."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from statistics import fmean, median

import pytest

from infra.commands.publishing import Outgoing
from infra.pipeline_import.files import locate, texts
from infra.pipeline_import.mapping import deal_events, reference_events
from infra.pipeline_import.reading import read
from infra.pipeline_import.rows import Pipeline
from infra.pipeline_import.summary import summarise
from schemas.cloudevents import read as read_event
from schemas.errors import ConfigurationError
from schemas.events import AgentCreated, DealCreated, DealLost, DealStageChanged, DealWon

FOLDER = Path(__file__).parents[2] / "examples" / "b2b-pipeline"
DAY_MS = 86_400_000
SOURCE = "daybook/import/b2b-pipeline"


@cache
def _pipeline() -> Pipeline:
    return read(texts(FOLDER))


@cache
def _deals() -> tuple[Outgoing, ...]:
    return tuple(deal_events(_pipeline(), "b2b", SOURCE))


@cache
def _reference() -> tuple[Outgoing, ...]:
    return tuple(reference_events(_pipeline(), "b2b", SOURCE))


def _regions() -> dict[str | None, str | None]:
    agents = [o.event for o in _reference() if isinstance(o.event, AgentCreated)]
    return {agent.agent_id: agent.region for agent in agents}


def test_every_row_of_the_published_files_is_readable() -> None:
    """The files as published have no bad row."""
    assert _pipeline().bad == ()


def test_events_add_up_to_the_published_totals() -> None:
    """Counting the events gives 8,800 deals, 4,238 won, 2,473 lost, 10,005,534 dollars."""
    counts = Counter(type(o.event) for o in _deals())
    assert counts[DealCreated] == 8_800
    assert counts[DealWon] == 4_238
    assert counts[DealLost] == 2_473
    won = [o.event.amount_minor for o in _deals() if isinstance(o.event, DealWon)]
    assert sum(amount or 0 for amount in won) == 10_005_534_00


def test_open_deals_are_engaging_or_prospecting() -> None:
    """Of the 2,089 open deals 1,589 were engaged and 500 never were."""
    closed = {o.event.deal_id for o in _deals() if isinstance(o.event, DealWon | DealLost)}
    engaged = {o.event.deal_id for o in _deals() if isinstance(o.event, DealStageChanged)}
    created = {o.event.deal_id for o in _deals() if isinstance(o.event, DealCreated)}
    assert len(created - closed) == 2_089
    assert len(engaged - closed) == 1_589
    assert len(created - engaged) == 500


@pytest.mark.parametrize(
    ("outcome", "mean", "middle"), [(DealWon, 51.78, 57), (DealLost, 41.48, 14)]
)
def test_cycles_run_from_engagement_to_closing(
    outcome: type[DealWon] | type[DealLost], mean: float, middle: float
) -> None:
    """Days between a deal's events give the published means and medians."""
    engaged = {
        o.event.deal_id: o.time_ms for o in _deals() if isinstance(o.event, DealStageChanged)
    }
    days = [
        (o.time_ms - engaged[o.event.deal_id]) / DAY_MS
        for o in _deals()
        if isinstance(o.event, outcome)
    ]
    assert round(fmean(days), 2) == mean
    assert median(days) == middle


def test_owners_regions_split_the_won_amount() -> None:
    """Central, West and East have the published amounts by their agents' regional office."""
    regions, won = _regions(), defaultdict[str | None, int](int)
    for outgoing in _deals():
        if isinstance(outgoing.event, DealWon):
            won[regions[outgoing.event.owner_id]] += outgoing.event.amount_minor or 0
    assert won == {"Central": 3_346_293_00, "West": 3_568_647_00, "East": 3_090_594_00}


def test_march_2017_has_its_published_closings() -> None:
    """In March 2017 647 deals closed, 531 of them won for 1,134,672 dollars."""
    start, end = (int(datetime(2017, month, 1, tzinfo=UTC).timestamp()) * 1000 for month in (3, 4))
    closed = [
        o.event
        for o in _deals()
        if start <= o.time_ms < end and isinstance(o.event, DealWon | DealLost)
    ]
    won = [event for event in closed if isinstance(event, DealWon)]
    assert len(closed) == 647
    assert len(won) == 531
    assert sum(event.amount_minor or 0 for event in won) == 1_134_672_00


def test_deals_come_in_order_of_time_and_of_their_own_life() -> None:
    """Times never go back, and each deal is created before it moves and moves before it closes."""
    times = [o.time_ms for o in _deals()]
    assert times == sorted(times)
    rank = {DealCreated: 0, DealStageChanged: 1, DealWon: 2, DealLost: 2}
    seen: dict[str, int] = {}
    for outgoing in _deals():
        event = outgoing.event
        assert isinstance(event, DealCreated | DealStageChanged | DealWon | DealLost)
        assert rank[type(event)] > seen.get(event.deal_id, -1)
        seen[event.deal_id] = rank[type(event)]


def test_a_time_the_file_does_not_know_says_so() -> None:
    """Undated deals carry the file's last date and the mark file_end; others the engage date."""
    marks = Counter(
        (o.event.model_extra or {})["time_source"]
        for o in _deals()
        if isinstance(o.event, DealCreated)
    )
    assert marks == {"engage_date": 8_300, "file_end": 500}
    ends = {
        o.time_ms for o in _deals() if (o.event.model_extra or {}).get("time_source") == "file_end"
    }
    assert ends == {int(datetime(2017, 12, 31, tzinfo=UTC).timestamp()) * 1000}


def test_products_are_named_as_in_the_catalogue() -> None:
    """GTXPro of the pipeline is the product GTX Pro, and the summary says how often."""
    products = {
        product
        for o in _deals()
        if isinstance(o.event, DealCreated)
        for product in o.event.product_ids
    }
    assert products <= {product.name for product in _pipeline().products}
    assert _pipeline().corrections["GTXPro → GTX Pro"] == 1_480


def test_a_missing_account_is_not_invented() -> None:
    """Opportunities without account give deals without account, and are counted."""
    empty = [o for o in _deals() if isinstance(o.event, DealCreated) and o.event.account_id is None]
    assert len(empty) == summarise(_pipeline()).without_account == 1_425


def test_agents_have_team_manager_and_region() -> None:
    """All 35 agents carry what their deals are judged by; 30 of them have deals."""
    agents = [o.event for o in _reference() if isinstance(o.event, AgentCreated)]
    assert len(agents) == 35
    assert all(a.team_id and a.manager_id and a.region for a in agents)
    owners = {o.event.owner_id for o in _deals() if isinstance(o.event, DealCreated)}
    assert len(owners) == 30
    assert owners <= {a.agent_id for a in agents}


def test_the_same_files_give_the_same_ids() -> None:
    """A second import publishes exactly the same events, so all of them are duplicates."""
    assert tuple(deal_events(_pipeline(), "b2b", SOURCE)) == _deals()
    identities = [o.id for o in (*_reference(), *_deals())]
    assert len(set(identities)) == len(identities)


def test_every_event_is_one_that_ingest_accepts() -> None:
    """The records written are read back as the same events, tenant, time and origin."""
    for outgoing in (*_reference(), *_deals()[::200]):
        record = outgoing.record()
        received = read_event(record.headers, record.value, now_ms=2_000_000_000_000)
        assert (received.event, received.id) == (outgoing.event, outgoing.id)
        assert (received.tenant, received.time_ms) == ("b2b", outgoing.time_ms)
        assert received.origin == "import"


def test_an_event_goes_to_the_topic_of_its_noun_under_its_subject() -> None:
    """A deal's record is keyed by tenant and deal, in crm.deal.v1."""
    record = _deals()[0].record()
    assert (record.topic, record.key) == ("crm.deal.v1", b"b2b|deal/1C1I7A6R")


def test_the_example_is_found_by_its_name() -> None:
    """`b2b-pipeline` and the path of its pipeline file name the same folder."""
    assert locate("b2b-pipeline").resolve() == FOLDER.resolve()
    assert locate(str(FOLDER / "sales_pipeline.csv")).resolve() == FOLDER.resolve()


def test_an_unknown_name_says_what_there_is() -> None:
    """A name that is neither example nor folder is a configuration error naming the examples."""
    with pytest.raises(ConfigurationError, match="b2b-pipeline"):
        locate("no-such-pipeline")


def test_a_folder_without_all_files_says_which_are_missing(tmp_path: Path) -> None:
    """A folder lacking one of the four files is refused by that file's name."""
    (tmp_path / "sales_pipeline.csv").write_text("")
    with pytest.raises(ConfigurationError, match=r"accounts\.csv"):
        locate(str(tmp_path))
