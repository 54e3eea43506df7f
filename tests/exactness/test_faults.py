"""The plan of faults: drawn from its seed alone, and as much harm as was asked for."""

import pytest

from tests.exactness.faults import (
    ENGINES,
    EVERYTHING,
    KILL,
    KINDS,
    OTHERS,
    PROCESSES,
    SCALE,
    Choice,
    Fault,
    plan,
    sigkills,
)


def drawn(
    seed: int, kills: int = 100, others: int = 30, choice: Choice = EVERYTHING
) -> list[Fault]:
    """Return a plan of ten minutes."""
    return plan(seed, duration_s=600, kills=kills, others=others, choice=choice)


def test_same_seed_gives_the_same_plan() -> None:
    """A run that failed can be run again."""
    assert drawn(11) == drawn(11) != drawn(12)


@pytest.mark.parametrize("seed", [11, 22, 33])
def test_plan_has_every_kind_of_fault_and_the_kills_asked_for(seed: int) -> None:
    """A hundred SIGKILLs, everything else beside them, all within the time, in order."""
    faults = drawn(seed)
    assert 100 <= sigkills(faults) <= 101
    assert {fault.kind for fault in faults} == set(KINDS)
    assert all(0 <= fault.at_s <= 600 for fault in faults)
    assert faults == sorted(faults)
    assert {f.target for f in faults} <= {*PROCESSES, *ENGINES, "workers", "all"}
    assert {f.target for f in faults if f.kind == KILL} >= {*ENGINES, *PROCESSES}


def test_workers_join_and_leave() -> None:
    """Two become three, one, and two again."""
    sizes = [int(fault.amount) for fault in drawn(11) if fault.kind == SCALE]
    assert sizes[:3] == [3, 1, 2]


def test_choice_plans_only_what_was_chosen() -> None:
    """One kind on one target can be run alone."""
    faults = drawn(11, kills=7, others=3, choice=Choice(["kill", "clock"], ["worker", "all"]))
    assert {fault.kind for fault in faults} == {"kill", "clock"}
    assert {fault.target for fault in faults} == {"worker-0", "worker-1", "all"}


def test_every_lasting_fault_outlasts_what_it_is_meant_to() -> None:
    """A frozen process sleeps longer than its session, so that another takes over."""
    faults = [fault for seed in range(20) for fault in drawn(seed, kills=0, others=len(OTHERS))]
    assert all(fault.for_s > 6 for fault in faults if fault.kind.startswith("freeze"))
    assert {fault.amount > 0 for fault in faults if fault.kind == "clock"} == {True, False}
