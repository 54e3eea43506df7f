"""The comparison finds what it is for: records lost, doubled, invented or half applied."""

import pytest

from schemas.events import DealCreated, DealStageChanged
from tests.exactness.expected import JournalRecord, Trail, follow
from tests.exactness.verdict import Verdict
from tests.streams.journal_builder import Journal

SAID = ((b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"a", None), (b"b", b"2"), (b"a", b"3"))
"""What the fold gives two buckets, entry by entry; the first is closed once."""


def judged(*published: tuple[bytes, bytes | None]) -> list[str]:
    """Return what a trail says of published records."""
    trail, verdict = Trail(published), Verdict()
    for key, value in SAID:
        trail.follow(key, value)
    trail.finish(verdict)
    return verdict.differences


@pytest.mark.parametrize(
    "published",
    [
        SAID,
        ((b"a", b"3"), (b"b", b"2")),
        ((b"a", b"2"), (b"a", None), (b"b", b"2"), (b"a", b"3")),
        ((b"b", b"1"), (b"b", b"2"), (b"a", b"1"), (b"a", b"3")),
    ],
)
def test_any_cut_into_batches_is_right(published: tuple[tuple[bytes, bytes | None], ...]) -> None:
    """However batches conflate, a subsequence with the last value is what must be in the log."""
    assert judged(*published) == []


@pytest.mark.parametrize(
    "published",
    [
        ((b"a", b"3"),),
        ((b"a", b"2"), (b"b", b"2")),
        ((b"a", b"3"), (b"a", b"3"), (b"b", b"2")),
        ((b"a", b"2"), (b"a", b"1"), (b"a", b"3"), (b"b", b"2")),
        ((b"a", b"3"), (b"b", b"9"), (b"b", b"2")),
        ((b"a", b"3"), (b"b", b"2"), (b"c", b"1")),
        ((b"a", b"3"), (b"b", b"1"), (b"b", None), (b"b", b"2")),
    ],
)
def test_anything_else_is_a_difference(published: tuple[tuple[bytes, bytes | None], ...]) -> None:
    """A lost last value, a repeat, a step back, a value, bucket or closing that never was."""
    assert judged(*published)


def test_fold_entry_by_entry_follows_the_journal() -> None:
    """What is wanted comes from the fold, with its dense effects and its last state."""
    journal = Journal()
    for number in range(5):
        journal.event(DealCreated(deal_id=f"d-{number}", stage="new"), "2026-03-01")
        journal.event(DealStageChanged(deal_id=f"d-{number}", to="next"), "2026-03-02")
    records = [JournalRecord(record.offset, record.value) for record in journal.records]
    trail, verdict = Trail([]), Verdict()
    folded = follow(records, trail, partition=0, generation=1)
    trail.finish(verdict)
    assert folded.state.head.applied == len(records) - 1
    assert folded.state.head.seq == len(folded.effects) > 5
    assert verdict.differences, "nothing was published, and nobody noticed"


def test_verdict_tells_missing_extra_and_other() -> None:
    """Each difference is told with its kind and an example."""
    verdict = Verdict()
    verdict.mappings("rows", {1: "a", 2: "b", 4: "d"}, {1: "a", 2: "x", 3: "c"})
    verdict.sequences("effects", [1, 2], [1, 3, 4])
    verdict.equal("heads", 1, 1)
    assert verdict.compared == {"rows": 3, "effects": 3, "heads": 1}
    assert [each.split(": ")[1] for each in verdict.differences] == [
        "1 missing", "1 not wanted", "1 differ", "2 instead of 3", "1 differ",
    ]  # fmt: skip
