"""The value of one metric bucket."""

from hypothesis import given
from hypothesis import strategies as st

from streams.domain.metrics.accumulator import Accumulator
from streams.domain.metrics.quantiles import quantile

amounts = st.integers(0, 10**12)


def folded(values: list[int], *, sketch: bool = True) -> Accumulator:
    """Return an accumulator that observed `values`."""
    it = Accumulator()
    for value in values:
        it.add(1, value, sketch=sketch)
    return it


@given(st.lists(amounts, min_size=1))
def test_holds_count_sum_and_extremes(values: list[int]) -> None:
    """An accumulator says what a list would say."""
    it = folded(values)
    assert (it.count, it.sum, it.min, it.max) == (
        len(values), sum(values), min(values), max(values))  # fmt: skip


@given(st.lists(amounts, min_size=1, max_size=300), st.floats(0, 1))
def test_quantile_is_within_one_percent(values: list[int], q: float) -> None:
    """A sketch's quantile is within its stated error of the true (lower) one."""
    found = quantile(folded(values).partial(1).sketch, q)
    true = sorted(values)[int(q * (len(values) - 1))]
    assert found is not None
    assert abs(found - true) <= 0.01 * true + 1e-6


@given(st.lists(amounts), st.lists(amounts))
def test_taking_back_undoes_count_sum_and_sketch(kept: list[int], taken: list[int]) -> None:
    """What was added and taken back leaves no trace but in the extremes."""
    it = folded(kept + taken)
    for value in taken:
        it.add(-1, value, sketch=True)
    left, expected = it.partial(1), folded(kept).partial(1)
    assert (left.count, left.sum, left.sketch) == (expected.count, expected.sum, expected.sketch)
    assert kept or (left.min, left.max) == (0, 0)


@given(st.lists(amounts))
def test_stored_value_continues_where_it_stood(values: list[int]) -> None:
    """Encoding and continuing is the same as never having stopped."""
    half = len(values) // 2
    it = Accumulator.of(folded(values[:half]).partial(1))
    for value in values[half:]:
        it.add(1, value, sketch=True)
    assert it.partial(1) == folded(values).partial(1)


def test_correction_changes_the_sum_only() -> None:
    """A corrected amount is no further observation."""
    it = folded([100], sketch=False)
    it.add(0, -30, sketch=False)
    assert (it.count, it.sum, it.min, it.max) == (1, 70, 100, 100)


def test_quantile_of_nothing_is_none() -> None:
    """An empty sketch has no median, not 0."""
    assert quantile([], 0.5) is None


def test_order_of_observations_does_not_matter() -> None:
    """The bins are a multiset: any order gives the same bytes."""
    values = [5, 0, 77, 5, 10**9]
    assert folded(values).partial(1) == folded(values[::-1]).partial(1)
