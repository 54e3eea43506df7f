"""Laws of reading two generations at the same place of the journal."""

from hypothesis import given
from hypothesis import strategies as st

from infra.comparison.buckets import Choice, compare, summed
from infra.comparison.cut import AtCut
from infra.comparison.places import spanned
from schemas.codec import encode_partial
from schemas.derived.metric import MetricKey, MetricPartial, published_key

DAY = MetricKey("acme", "deals_won", "day", 86_400_000, "", "")
HOUR = DAY._replace(grain="hour")
LAG_MS = 3_600_000
NOW_MS = 10 * LAG_MS


def record(generation: int, count: int, offset: int, key: MetricKey = DAY) -> tuple[bytes, bytes]:
    """Return Kafka key and value of a bucket's value."""
    value = encode_partial(MetricPartial(generation, offset, count, count, 1, 1, []))
    return published_key(generation, key.text().encode()), value


def reading(cut: int = 10, choice: Choice | None = None) -> AtCut:
    """Return a reader of generations 1 and 2 at one cut of partition 0."""
    return AtCut({0: cut}, (1, 2), choice or Choice())


def counts(at: AtCut, generation: int) -> dict[MetricKey, int]:
    """Return the counts of a generation."""
    return {key: value.count for key, value in summed(at.parts(generation)).items()}


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(0, 30))
def test_the_newest_value_below_the_cut_is_kept(offsets: list[int], cut: int) -> None:
    """Whatever a generation has said since, at the cut it said the last before."""
    at = reading(cut)
    for offset in sorted(offsets):
        at.take(0, *record(1, offset, offset), NOW_MS)
    below = [offset for offset in offsets if offset < cut]
    assert counts(at, 1) == ({DAY: max(below)} if below else {})


JOURNALS = st.lists(st.integers(0, 25), max_size=15).map(sorted)
COMMITS = st.sets(st.integers(1, 30))


def say(at: AtCut, generation: int, journal: list[int], commits: set[int]) -> None:
    """Let a generation fold a journal and say, at each commit, the last value of the bucket."""
    done = 0
    for commit in sorted(commits):
        count = sum(offset < commit for offset in journal)
        if count > done:
            done = count
            at.take(0, *record(generation, count, journal[count - 1]), NOW_MS)


@given(JOURNALS, COMMITS, COMMITS)
def test_equal_folds_are_equal_in_any_batches(
    journal: list[int], one: set[int], other: set[int]
) -> None:
    """Both folded the same journal, in any batches, and stand anywhere: nothing differs."""
    places = {1: {0: one | {0}}, 2: {0: other | {0}}}
    cuts = {0: min(max(each[0]) for each in places.values())}
    spans = {number: spanned(each, cuts) for number, each in places.items()}
    at = AtCut(cuts, (1, 2), Choice(), spans)
    say(at, 1, journal, one)
    say(at, 2, journal, other)
    assert not compare(summed(at.parts(1)), summed(at.parts(2)), Choice()).differences


def test_a_bucket_inside_a_transaction_is_left_out() -> None:
    """What a batch said below the cut is hidden by what it said last: it would look different."""
    for spans, hidden in (({}, set()), ({2: {0: 8}}, {DAY})):
        at = AtCut({0: 5}, (1, 2), Choice(), spans)
        say(at, 1, [3, 7], {5})
        say(at, 2, [3, 7], {8})
        assert at.hidden == hidden
        found = compare(summed(at.parts(1)), summed(at.parts(2)), Choice()).differences
        assert bool(found) is not bool(hidden)


def test_parts_of_several_partitions_add_up() -> None:
    """Each partition has its own cut."""
    at = AtCut({0: 10, 1: 3}, (1, 2), Choice())
    at.take(0, *record(1, 4, 9), NOW_MS)
    at.take(1, *record(1, 2, 1), NOW_MS)
    at.take(1, *record(1, 5, 3), NOW_MS)
    assert counts(at, 1) == {DAY: 6}


def test_other_generations_and_buckets_are_passed_over() -> None:
    """A generation that nobody asked about, a tenant that nobody asked about."""
    at = reading(choice=Choice("other"))
    at.take(0, *record(3, 1, 1), NOW_MS)
    at.take(0, *record(1, 1, 1), NOW_MS)
    assert (counts(at, 1), counts(at, 2)) == ({}, {})


def test_an_hour_closed_by_either_is_closed() -> None:
    """Its value may be gone from one side and not yet from the other."""
    at = reading()
    at.take(0, *record(1, 1, 1, HOUR), NOW_MS)
    at.take(0, published_key(2, HOUR.text().encode()), None, NOW_MS)
    compared = compare(summed(at.parts(1)), summed(at.parts(2)), Choice(), at.closed)
    assert (compared.closed, compared.buckets) == (1, 0)


def test_a_log_compacted_beyond_the_cut_does_not_reach_back() -> None:
    """What was said beyond the cut longer ago than the lag may have replaced what counts."""
    at = reading()
    at.take(0, *record(1, 1, 1), 0)
    assert at.reaches_back(NOW_MS, LAG_MS)
    at.take(0, *record(1, 2, 10), NOW_MS - LAG_MS + 1)
    assert at.reaches_back(NOW_MS, LAG_MS)
    at.take(0, *record(2, 2, 10), NOW_MS - LAG_MS)
    assert not at.reaches_back(NOW_MS, LAG_MS)
