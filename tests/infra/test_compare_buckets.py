"""Laws of comparing metric buckets."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.comparison.buckets import Choice, compare, summed, totals
from schemas.derived.metric import MetricKey, MetricPartial

ALL = Choice()
NUMBERS = st.integers(-50, 50)


def key(metric: str = "deals_won", grain: str = "all", day: int = 0, by: str = "") -> MetricKey:
    """Return a bucket of acme; `by` is an agent."""
    return MetricKey("acme", metric, grain, day * 86_400_000, "agent" if by else "", by)


def partial(count: int, total: int | None = None, *, offset: int = 3) -> MetricPartial:
    """Return a value of generation 1."""
    total = count if total is None else total
    return MetricPartial(1, offset, count, total, 0, 0, [])


KEYS = st.builds(
    MetricKey,
    st.sampled_from(["acme", "other"]),
    st.sampled_from(["deals_won", "sales_cycle"]),
    st.sampled_from(["hour", "day", "all"]),
    st.sampled_from([0, 86_400_000]),
    st.sampled_from(["", "agent"]),
    st.sampled_from(["", "ann"]),
)
PARTIALS = st.builds(
    MetricPartial,
    st.integers(1, 3),
    st.integers(0, 99),
    st.integers(0, 9),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.sampled_from([[], [3, 1], [3, 1, 8, 2]]),
)
SUMS = st.dictionaries(KEYS, PARTIALS, max_size=12)


@given(SUMS)
def test_a_fold_equals_itself(sums: dict[MetricKey, MetricPartial]) -> None:
    """Nothing differs, whatever generation and offsets say."""
    moved = {k: value._replace(generation=7, offset=0) for k, value in sums.items()}
    compared = compare(sums, moved, ALL)
    assert compared.differences == []
    assert compared.buckets == len(sums)


@given(SUMS, SUMS)
def test_both_directions_find_the_same(
    one: dict[MetricKey, MetricPartial], other: dict[MetricKey, MetricPartial]
) -> None:
    """What is before and after is a matter of view; the differences are turned round."""
    forth, back = compare(one, other, ALL), compare(other, one, ALL)
    assert [(d.key, d.before, d.after) for d in forth.differences] == [
        (d.key, d.after, d.before) for d in back.differences
    ]


@given(SUMS, KEYS, st.sampled_from(["count", "sum", "min", "max", "sketch"]))
def test_any_changed_number_is_found(
    sums: dict[MetricKey, MetricPartial], where: MetricKey, name: str
) -> None:
    """One number of one bucket: that bucket, that number, nothing else."""
    before = {**sums, where: partial(4, 20)}
    number: Any = [1, 1] if name == "sketch" else 99
    after = {**before, where: before[where]._replace(**{name: number})}
    (found,) = compare(before, after, ALL).differences
    assert (found.key, found.fields) == (where, [name])


@given(SUMS, st.integers(1, 4))
def test_the_number_of_partitions_does_not_matter(
    sums: dict[MetricKey, MetricPartial], partitions: int
) -> None:
    """Parts are added up before they are compared."""
    whole = [
        (k, value._replace(count=value.count * partitions, sum=value.sum * partitions))
        for k, value in sums.items()
    ]
    spread = [(k, value._replace(sketch=[])) for k, value in sums.items()] * partitions
    assert (
        compare(
            summed((k, value._replace(sketch=[])) for k, value in whole), summed(spread), ALL
        ).differences
        == []
    )


def test_a_bucket_that_holds_nothing_equals_a_missing_one() -> None:
    """What was counted and taken back shows nobody anything."""
    assert compare({key(): partial(0)}, {}, ALL).differences == []
    assert compare({}, {key(): partial(1)}, ALL).differences[0].before.count == 0


def test_only_what_is_chosen_is_compared() -> None:
    """Tenant, metrics and grains narrow it down."""
    before = {key(): partial(1), key("tasks_created"): partial(1), key(grain="day"): partial(1)}
    assert compare(before, {}, Choice("other")).buckets == 0
    one = compare(before, {}, Choice("acme", frozenset({"deals_won"}), frozenset({"day"})))
    assert [found.key for found in one.differences] == [key(grain="day")]


def test_closed_hours_are_counted_and_left_out() -> None:
    """The log need not hold their values, so a difference would say nothing."""
    hour = key(grain="hour", day=4)
    compared = compare({hour: partial(1)}, {key(): partial(1)}, ALL, closed=[hour])
    assert (compared.buckets, compared.closed) == (1, 1)
    assert [found.key for found in compared.differences] == [key()]


def test_coarse_buckets_come_first_and_totals_before_breakdowns() -> None:
    """A person reads the sum before its parts."""
    keys = [key(), key(by="ann"), key(grain="day"), key(grain="day", day=2), key(grain="hour")]
    found = compare({each: partial(1) for each in reversed(keys)}, {}, ALL)
    assert [each.key for each in found.differences] == keys


def test_totals_name_each_metric_once() -> None:
    """All-time values, and on how many days and buckets they part."""
    before = {key(): partial(5), key(grain="day", day=1): partial(2), key(by="ann"): partial(5)}
    after = {key(): partial(6), key(grain="day", day=1): partial(3), key(by="ann"): partial(5)}
    (total,) = totals(compare(before, after, ALL), before, after)
    assert total == ("acme", "deals_won", 5, 6, 1, 2)


def test_values_follow_the_rule_of_the_metric() -> None:
    """Durations are means in seconds; the difference is of what a person sees."""
    before, after = {key("sales_cycle"): partial(2, 4000)}, {key("sales_cycle"): partial(2, 7000)}
    (found,) = compare(before, after, ALL).differences
    assert (found.values, found.by, found.fields) == ((2.0, 3.5), 1.5, ["sum"])
