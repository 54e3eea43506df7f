"""The fold of a recorded journal: what it wrote once it writes again, byte for byte."""

import pytest

from tests.streams.domain.golden_fold import BATCHES, folded, read_folded, read_journal


@pytest.mark.parametrize("size", BATCHES)
def test_recorded_journal_folds_to_the_recorded_bytes(size: int) -> None:
    """No change of the code alone changes a row, a bucket or an effect of a journal that exists.

    A change that is meant to: see `tests.streams.domain.write_golden`.
    """
    now, then = folded(read_journal(), size), read_folded()[str(size)]
    # The first batch that differs says more than all of them.
    differing = [pair for pair in zip(now["batches"], then["batches"], strict=True)
                 if pair[0] != pair[1]]  # fmt: skip
    assert not differing[:1]
    assert now["state"] == then["state"]


def test_state_is_the_same_whatever_the_batches() -> None:
    """The digests of the state agree over all cuts, so a recorded one isn't an accident."""
    assert len({found["state"] for found in read_folded().values()}) == 1
