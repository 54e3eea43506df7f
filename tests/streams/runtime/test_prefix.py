"""Only what is durable is committed."""

from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.prefix import Prefix

SOURCE = ("crm.deal.v1", 0)


@given(st.permutations(range(8)))
def test_position_is_the_longest_finished_prefix(order: list[int]) -> None:
    """In whatever order batches finish, everything below the position is finished."""
    prefix = Prefix({SOURCE: 100})
    lasts = [109 + 10 * number for number in range(8)]
    for last in lasts:
        prefix.begin(SOURCE, last)
    finished: set[int] = set()
    for number in order:
        prefix.finish(SOURCE, lasts[number])
        finished.add(number)
        done = next(n for n in range(9) if n not in finished)
        assert prefix.position(SOURCE) == 100 + 10 * done
    assert not prefix.busy(SOURCE)


def test_source_that_is_not_ours_has_no_position() -> None:
    """A partition that was never assigned is not committed."""
    assert Prefix({}).position(SOURCE) is None
    assert not Prefix({}).busy(SOURCE)


def test_nothing_finished_leaves_the_start() -> None:
    """Before the first batch is durable the position is where reading began."""
    prefix = Prefix({SOURCE: 7})
    prefix.begin(SOURCE, 9)
    assert prefix.position(SOURCE) == 7
    assert prefix.busy(SOURCE)
