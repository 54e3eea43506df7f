"""Laws of folding the journal outside a worker, and of snapshots."""

import dataclasses
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.offline.code import fingerprint
from infra.offline.folding import JournalRecord, OfflineFold, split
from infra.offline.snapshot import Header, NoSnapshot, Origin, dump, load, newest, read_header
from infra.offline.store import Leftover, Snapshots, leftovers
from schemas.errors import CorruptLog
from streams.domain.effects import Effects
from streams.domain.state import State
from tests.streams.domain.sample import sample

JOURNAL_ID = "of-this-test"
RECORDS = [JournalRecord(*record) for record in sample().records]
LENGTH = len(RECORDS)


def folded(end: int = LENGTH, state: State | None = None, *stops: int) -> OfflineFold:
    """Fold the sample from a state's position to `end`."""
    it = OfflineFold(0, generation=1, state=state)
    left = RECORDS[it.next_offset : end]
    for batch in split([left] if left else [], stops):
        it.take(batch)
    return it


def dumped(
    state: State, *, partition: int = 0, app: str = "daybook", code: str | None = None
) -> tuple[Header, bytes]:
    """Return a snapshot of a state with a tally of one row."""
    origin = Origin(app, 1, partition, JOURNAL_ID, fingerprint() if code is None else code)
    return dump(origin, state, {b"counted": b"7"}, taken_ms=5)


@given(st.integers(1, LENGTH), st.lists(st.integers(-1, LENGTH + 1), max_size=4))
@settings(max_examples=15, deadline=None)
def test_a_snapshot_and_the_rest_is_the_fold_from_the_beginning(at: int, stops: list[int]) -> None:
    """Whatever the offset and the batches: equal rows, equal effects, an equal next snapshot."""
    _, raw = dumped(folded(at, None, *stops).state)
    snapshot = load(raw)
    assert (snapshot.header.offset, snapshot.tally) == (at, [(b"counted", b"7")])
    rest, whole = folded(LENGTH, snapshot.load()), folded()
    assert dict(rest.state.rows()) == dict(whole.state.rows())
    assert dumped(rest.state) == dumped(whole.state)


@given(st.lists(st.integers(1, LENGTH), max_size=3), st.lists(st.integers(-3, LENGTH + 3)))
def test_batches_are_cut_at_every_stop_and_lose_nothing(cuts: list[int], stops: list[int]) -> None:
    """Each stop inside is the end of a batch; the entries stay what they were, in order."""
    edges = sorted({0, *cuts, LENGTH})
    batches = [RECORDS[a:b] for a, b in pairwise(edges)]
    found = list(split(batches, stops))
    assert [record for batch in found for record in batch] == RECORDS
    assert all(found)
    ends = {batch[-1].offset + 1 for batch in found}
    assert ends >= {stop for stop in stops if 0 < stop <= LENGTH}


def test_entries_that_do_not_follow_stop_the_fold() -> None:
    """A gap, or an entry a second time, is never folded over in silence."""
    it = folded(3)
    for start in (2, 4):
        with pytest.raises(CorruptLog, match="entries between are gone"):
            it.take(RECORDS[start:5])


def test_watchers_see_the_state_before_each_batch() -> None:
    """What a batch makes the state forget can still be read there."""
    seen: list[tuple[int, int, int]] = []

    class Watching:
        def watch(
            self, records: "list[JournalRecord] | object", state: State, effects: Effects
        ) -> None:
            assert isinstance(records, list)
            seen.append((len(records), state.head.applied, effects.head.applied))

    it = OfflineFold(0, generation=1, watchers=[Watching()])
    it.take(RECORDS[:3])
    it.take(RECORDS[3:4])
    assert seen == [(3, -1, 2), (1, 2, 3)]


def test_the_newest_snapshot_at_or_below_an_offset_is_taken() -> None:
    """One at the offset itself serves; one beyond it never does."""
    header = dumped(folded(3).state)[0]
    headers = [dataclasses.replace(header, offset=offset) for offset in (2, 9, 5)]
    assert [(h and h.offset) for h in (newest(headers, at) for at in (1, 5, 8, 99))] == [
        None, 5, 5, 9,
    ]  # fmt: skip


@pytest.mark.parametrize("at", [0, 30, -1, -40])
def test_a_changed_byte_is_noticed(at: int) -> None:
    """Damage in magic, header or body makes it no snapshot."""
    raw = bytearray(dumped(folded().state)[1])
    raw[at] ^= 1
    with pytest.raises(NoSnapshot):
        load(bytes(raw))
    with pytest.raises(NoSnapshot):
        read_header(b"daybook-snapshot 1\nno end of line")


@pytest.fixture
def store(tmp_path: Path) -> Snapshots:
    """An empty store of generation 1."""
    return Snapshots(tmp_path, "daybook", 1, JOURNAL_ID)


def test_the_nearest_snapshot_is_read_back_whole(store: Snapshots) -> None:
    """What was written is found by offset; nothing is left beside it."""
    for at in (4, 20):
        path = store.write(*dumped(folded(at).state))
        assert [each.name for each in path.parent.glob("*.part")] == []
    nearest = store.nearest(0, 19)
    assert nearest is not None
    assert dict(nearest.load().rows()) == dict(folded(4).state.rows())
    assert store.nearest(0, 3) is None
    assert store.nearest(1, 99) is None


def test_what_cannot_be_used_is_named_and_passed_over(
    store: Snapshots, capsys: pytest.CaptureFixture[str]
) -> None:
    """Damaged, foreign, older code, another journal: each is said, the older good one serves."""
    good = store.write(*dumped(folded(4).state))
    damaged = store.write(*dumped(folded(9).state))
    damaged.write_bytes(damaged.read_bytes()[:-3])
    store.write(*dumped(folded(11).state, code="0" * 16))
    foreign = store.write(*dumped(folded(13).state, app="other"))
    header, raw = dumped(folded(15).state)
    store.write(dataclasses.replace(header, offset=16), raw)  # a file that was renamed
    (good.parent / "00000000000000000017.snapshot").write_bytes(b"nonsense")
    nearest = store.nearest(0, LENGTH)
    assert nearest is not None
    assert nearest.header.offset == 4
    said = capsys.readouterr().err
    assert said.count("is not used") == 5
    for text in ("checksum", "version of the fold", f"{foreign}", "offset 15", "begin like"):
        assert text in said
    recreated = Snapshots(store.root, "daybook", 1, "made again")
    assert recreated.nearest(0, LENGTH) is None
    assert "created again" in capsys.readouterr().err


def test_the_code_is_known_by_its_sources() -> None:
    """The fingerprint is stable within one installation."""
    assert fingerprint() == fingerprint.__wrapped__()
    assert len(fingerprint()) == 16


def test_prune_keeps_the_newest_and_names_why_the_rest_goes(store: Snapshots) -> None:
    """Older, unusable, of dropped generations, left by killed writers: nothing else."""
    for at in (4, 9, 20):
        newest_one = store.write(*dumped(folded(at).state))
    old_code = store.write(*dumped(folded(5).state, code="0" * 16))
    dropped = store.root / "g7" / "p0" / "00000000000000000002.snapshot"
    dropped.parent.mkdir(parents=True)
    dropped.write_bytes(b"whatever")
    part = newest_one.with_suffix(".99.part")
    part.write_bytes(b"half")
    now_s = part.stat().st_mtime
    assert part not in {each.path for each in prunable(store, now_s)}
    found = {each.path.name: each.why for each in prunable(store, now_s + 3_601)}
    assert found == {
        part.name: "its writer is gone",
        "00000000000000000004.snapshot": "newest kept: 2",
        old_code.name: "another version of the fold took it",
        dropped.name: "generation 7 does not exist any more",
    }


def prunable(store: Snapshots, now_s: float) -> list[Leftover]:
    """Return what a prune that keeps two of generation 1 removes."""
    return leftovers(store, keep=2, existing={1}, now_s=now_s)
