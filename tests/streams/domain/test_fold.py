"""Laws of the fold itself."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.derived.metric import MetricKey
from schemas.errors import CorruptLog
from schemas.events.agent import AgentCreated
from schemas.events.deal import DealCreated
from schemas.events.lead import LeadCreated
from schemas.events.task import TaskCompleted, TaskCreated
from schemas.state.rows import Deal
from streams.domain.fold import fold
from streams.domain.state import State
from streams.domain.table import DEALS, HEAD_KEY, HOURS, TIMERS
from tests.streams.drawn_journals import journals
from tests.streams.journal_builder import Folded, Journal, Record, ms


def last_values(folded: Folded) -> dict[bytes, bytes]:
    """Return the last value published of every bucket: what ClickHouse ends up with."""
    said = (metric for batch in folded.batches for metric in batch.metrics)
    return {key: value for key, value in said if value is not None}


@given(journals(), st.lists(st.integers(0, 30), max_size=6))
@settings(max_examples=40, deadline=None)
def test_any_cut_into_batches_gives_the_same_bytes(journal: Journal, cuts: list[int]) -> None:
    """State rows and every effect are equal, byte for byte, however the journal is cut."""
    inside = tuple(cut for cut in cuts if cut < len(journal.records))
    whole, cut = journal.fold(), journal.fold(inside)
    assert dict(cut.state.rows()) == dict(whole.state.rows())
    assert [e for b in cut.batches for e in b.effects] == whole.batches[0].effects
    assert last_values(cut) == last_values(whole)


@given(journals())
@settings(max_examples=20, deadline=None)
def test_state_read_back_from_its_changelog_goes_on_alike(journal: Journal) -> None:
    """Loading what was written and folding on is the same as never having stopped."""
    half = len(journal.records) // 2
    state = State()
    state.apply(fold(state, journal.records[:half], partition=0))
    loaded = State.load(state.rows())
    assert dict(loaded.rows()) == dict(state.rows())
    assert list(loaded.timers) == list(state.timers)
    assert loaded.hours == state.hours
    assert fold(loaded, journal.records[half:], partition=0) == fold(
        state, journal.records[half:], partition=0
    )


@given(journals())
@settings(max_examples=20, deadline=None)
def test_fold_never_changes_the_state_it_is_given(journal: Journal) -> None:
    """A batch that fails leaves nothing to undo."""
    half = len(journal.records) // 2
    state = State()
    state.apply(fold(state, journal.records[:half], partition=0))
    before = dict(state.rows()), list(state.timers)
    fold(state, journal.records[half:], partition=0)
    assert (dict(state.rows()), list(state.timers)) == before


@given(journals())
@settings(max_examples=20, deadline=None)
def test_effects_are_numbered_densely(journal: Journal) -> None:
    """Readers prove by `seq` that they missed nothing; identities never repeat."""
    effects = journal.fold((3, 7)).effects
    assert [effect.seq for effect in effects] == list(range(len(effects)))
    assert len({effect.id for effect in effects}) == len(effects)


def test_repeated_event_changes_nothing() -> None:
    """The same `id` and `source` again is skipped and counted."""
    deal = DealCreated(deal_id="d")
    journal = Journal().event(deal, "2026-03-02", event_id="x")
    journal.event(deal, "2026-03-02", event_id="x")
    folded = journal.fold()
    assert folded.total("deals_created") == 1
    assert folded.counts() == {"entries": 1, "duplicates": 1}


def test_entry_written_again_by_ingest_is_skipped() -> None:
    """What isn't higher than the highest source offset applied was applied."""
    journal = Journal()
    journal.event(DealCreated(deal_id="a"), "2026-03-02", origin_offset=5)
    journal.event(DealCreated(deal_id="b"), "2026-03-02", origin_offset=5)
    journal.event(DealCreated(deal_id="c"), "2026-03-02", origin_offset=4)
    journal.event(DealCreated(deal_id="d"), "2026-03-02", origin_offset=9)
    folded = journal.fold()
    assert folded.counts() == {"entries": 2, "replays": 2}
    assert folded.state.head.sources == {"upstream:0": 9}


def test_ticks_never_go_back() -> None:
    """A clock stepped back leaves fold time where it was."""
    folded = Journal().tick("2026-03-02T10:00").tick("2026-03-02T09:00").fold()
    assert folded.state.head.now_ms == ms("2026-03-02T10:00")


def test_batch_of_ticks_only_moves_the_head() -> None:
    """Such a batch need not be committed at once; it writes the head alone."""
    (batch,) = Journal().tick("2026-03-02T10:00").tick("2026-03-02T10:01").fold().batches
    assert not batch.changed
    assert [key for key, _ in batch.rows] == [HEAD_KEY]


def test_event_that_no_module_folds_is_remembered_only() -> None:
    """Its subject remembers it; nothing else changes."""
    from schemas.events.activity import ActivityPageViewed

    folded = Journal().event(ActivityPageViewed(contact_id="c", url="https://x.y/"),
                             "2026-03-02").fold()  # fmt: skip
    assert [key[:1] for key, _ in folded.batches[0].rows] == [b"s", b"!"]


def test_record_that_is_no_entry_stops_the_fold() -> None:
    """The journal is ours: what isn't an entry is corruption, not bad input."""
    with pytest.raises(CorruptLog):
        fold(State(), [Record(0, b"not an entry")], partition=0)


def test_late_event_updates_its_own_day_but_no_closed_hour() -> None:
    """40 days late: the fact is marked, day and all-time count, the hour stays closed."""
    journal = Journal().tick("2026-04-20").event(LeadCreated(lead_id="l"), "2026-03-02T10:20")
    folded = journal.fold()
    assert folded.facts("lead_created")[0].late
    assert folded.day("leads_created", "2026-03-02") == 1
    assert not any(key.grain == "hour" for key in folded.buckets())


def test_hours_close_after_their_retention() -> None:
    """The bucket is forgotten by state and topic, in the batch that made it or a later one."""
    journal = Journal().tick("2026-03-02T10:00")
    journal.event(LeadCreated(lead_id="l", lead_source="web"), "2026-03-02T10:20")
    hour = MetricKey("acme", "leads_created", "hour", ms("2026-03-02T10:00"), "", "")
    assert hour in journal.fold().buckets()
    journal.tick("2026-04-07T10:00")
    for cuts in ((), (2,)):
        folded = journal.fold(cuts)
        assert not any(key.grain == "hour" for key in folded.buckets())
        assert not folded.state.tables[TIMERS.prefix]
        assert not folded.state.hours
        assert folded.total("leads_created") == 1
        assert hour.text().encode() in last_values(folded)
    assert (hour.text().encode(), None) in journal.fold((2,)).batches[1].metrics


def test_hour_closed_before_loading_leaves_nothing_to_close() -> None:
    """A changelog may still hold the deletion of a bucket whose value was compacted away."""
    key = MetricKey("acme", "leads_created", "hour", ms("2026-03-02T10:00"), "", "")
    state = State.load([(HOURS.prefix + key.text().encode(), None), (HEAD_KEY, None)])
    assert not state.hours
    assert state.head.applied == -1


def test_timer_changed_within_a_batch_does_not_fire_as_it_was() -> None:
    """A task completed in the batch whose tick would have made it overdue isn't overdue."""
    due = TaskCreated.model_validate({"task_id": "k", "due_at": "2026-03-02T10:00:00Z"})
    journal = Journal().event(due, "2026-03-01").event(TaskCompleted(task_id="k"), "2026-03-02")
    journal.tick("2026-03-03")
    assert journal.fold((1,)).total("tasks_overdue") == journal.fold().total("tasks_overdue") == 0


def test_agent_is_the_same_for_every_turn_of_a_batch() -> None:
    """Reference rows stay decoded between batches, and a change replaces the shared one."""
    journal = Journal().event(AgentCreated(agent_id="ann", team_id="t"), "2026-03-01")
    for number, team in enumerate("tuv"):
        journal.event(DealCreated(deal_id=str(number), owner_id="ann"), "2026-03-02")
        journal.event(AgentCreated(agent_id="ann", team_id=team), "2026-03-02", event_id=team)
    cuts = tuple(range(len(journal.records)))
    assert journal.fold(cuts).facts("deal_created") == journal.fold().facts("deal_created")
    assert [fact.team for fact in journal.fold(cuts).facts("deal_created")] == ["t", "t", "u"]


def test_closed_hour_stays_closed_when_the_retention_is_raised() -> None:
    """Counting on from zero would replace the hour's true value in ClickHouse."""
    journal = Journal().settings(hour_retention="P2D").tick("2026-03-02T10:00")
    journal.event(LeadCreated(lead_id="l"), "2026-03-02T10:20").tick("2026-03-05")
    journal.settings("2026-03-05", hour_retention="P35D")
    folded = journal.event(LeadCreated(lead_id="m"), "2026-03-02T10:40").fold()
    assert not any(key.grain == "hour" for key in folded.buckets())
    assert folded.facts("lead_created")[1].late
    assert folded.day("leads_created", "2026-03-02") == 2


def test_hours_of_several_tenants_close_apart() -> None:
    """One tenant's retention doesn't close another's hours."""
    journal = Journal().settings(hour_retention="P2D")
    journal.event(LeadCreated(lead_id="l"), "2026-03-02T10:20")
    journal.event(LeadCreated(lead_id="l"), "2026-03-02T10:20", tenant="other")
    folded = journal.tick("2026-03-06").fold()
    assert {key.tenant for key in folded.buckets() if key.grain == "hour"} == {"other"}
    assert len(folded.state.tables[HOURS.prefix]) == 1


def test_days_follow_the_tenants_zone() -> None:
    """23:30 UTC of the first is the second in Berlin."""
    journal = Journal().settings(timezone="Europe/Berlin")
    folded = journal.event(LeadCreated(lead_id="l"), "2026-03-01T23:30").fold()
    assert folded.day("leads_created", "2026-03-01T23:00") == 1


def test_other_definitions_change_no_settings() -> None:
    """A kind this version doesn't know passes by."""
    from schemas.definitions.applied import DefinitionApplied

    later = DefinitionApplied.model_construct(kind="funnel", id="f", spec="{}")
    journal = Journal().event(later, "2026-03-01")
    assert not journal.fold().batches[0].changed


def test_tenants_do_not_share_rows() -> None:
    """The same deal id of two tenants is two deals."""
    journal = Journal().event(DealCreated(deal_id="d"), "2026-03-02")
    folded = journal.event(DealCreated(deal_id="d"), "2026-03-02", tenant="other").fold()
    assert folded.total("deals_created", tenant="other") == 1
    deal = folded.state.find(DEALS, b"acme|d")
    assert deal == Deal(stage="open", stage_since_ms=ms("2026-03-02"), created_ms=ms("2026-03-02"))
    assert folded.state.find(DEALS, b"acme|e") is None


_HASHED = """
import hashlib
from tests.streams.domain.sample import sample
folded = sample().fold((5, 40))
rows = b"".join(k + v for k, v in folded.state.rows())
said = b"".join(v for b in folded.batches for _, _, v in b.effects)
print(hashlib.sha256(rows + said).hexdigest())
"""


def test_result_does_not_depend_on_the_hash_seed() -> None:
    """No set's or dict's hash order reaches state or effects."""
    root = Path(__file__).parents[3]
    digests = {
        subprocess.run(
            [sys.executable, "-c", _HASHED],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            cwd=root, check=True, capture_output=True, text=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1
