"""Laws of choosing what two generations are compared in."""

import pytest

from infra.comparison.buckets import Choice
from infra.comparison.generations import narrowed
from schemas.errors import ConfigurationError
from schemas.generation import Registry

WON = frozenset({"deals_won"})
BOTH = frozenset({"deals_won", "won_amount"})


@pytest.mark.parametrize(
    ("asked", "tenant", "metrics", "found"),
    [
        (Choice(), "", (), Choice()),
        (Choice("acme", WON), "", (), Choice("acme", WON)),
        (Choice(), "acme", BOTH, Choice("acme", BOTH)),
        (Choice("acme", WON), "acme", BOTH, Choice("acme", WON)),
        (Choice(grains=frozenset({"day"})), "acme", (), Choice("acme", grains=frozenset({"day"}))),
    ],
)
def test_a_part_is_compared_in_what_it_holds(
    asked: Choice, tenant: str, metrics: tuple[str, ...], found: Choice
) -> None:
    """What is asked and what is held, both; a whole generation narrows nothing."""
    generation = Registry("app").start(at_ms=0, tenant=tenant, metrics=sorted(metrics))
    assert narrowed(asked, generation) == found


@pytest.mark.parametrize(
    ("asked", "option"), [(Choice("other"), "--tenant"), (Choice(metrics=WON), "--metric")]
)
def test_what_a_part_does_not_hold_is_refused(asked: Choice, option: str) -> None:
    """An empty comparison would look like an equal one."""
    generation = Registry("app").start(at_ms=0, tenant="acme", metrics=["tasks_created"])
    with pytest.raises(ConfigurationError, match=option):
        narrowed(asked, generation)
