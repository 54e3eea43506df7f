"""What goes wrong when: a plan drawn from a seed, printed before it is carried out. Pure."""

from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import NamedTuple

KILL, KILL_STARTING, KILL_WRITING = "kill", "kill-starting", "kill-writing"
TERM, FREEZE, FREEZE_WRITING = "term", "freeze", "freeze-writing"
SCALE, DISK_FULL, CLOCK, SLOW, STALL = "scale", "disk-full", "clock", "slow", "stall"

KINDS = (KILL, KILL_STARTING, KILL_WRITING, TERM, FREEZE, FREEZE_WRITING, SCALE, DISK_FULL, CLOCK,
         SLOW, STALL)  # fmt: skip
KILLS = {KILL: 1, KILL_STARTING: 2, KILL_WRITING: 1}
"""Kind → how many SIGKILLs it is."""
ENGINES = ("kafka", "clickhouse", "valkey")
PROCESSES = ("worker-0", "worker-1", "sink-0", "sink-1", "live-0", "ingest-0", "ingest-1")
SESSION_S = 6.0
"""A member silent for longer is out of its group, and another one takes over."""


class Fault(NamedTuple):
    """One thing that goes wrong.

    Args:
        at_s: Seconds after the first event is published.
        kind: One of `KINDS`.
        target: A process of ours, an engine, `workers` (scale) or `all` (clock).
        amount: `kill-starting`: seconds after the restart; `kill-writing`: seconds after the
            records were handed over; `scale`: how many workers; `clock`: its offset, s; `slow`:
            added latency, s.
        for_s: How long it lasts; 0 for what is over at once.
    """

    at_s: float
    kind: str
    target: str
    amount: float = 0.0
    for_s: float = 0.0

    def __str__(self) -> str:
        """Return one line of the plan."""
        amount = f" {self.amount:g}" if self.amount else ""
        lasting = f" for {self.for_s:.1f} s" if self.for_s else ""
        return f"{self.at_s:7.1f} s  {self.kind} {self.target}{amount}{lasting}"


class Choice(NamedTuple):
    """Which faults to plan; everything by default.

    Args:
        kinds: Kinds to plan; empty: all.
        targets: Beginnings of targets' names; empty: all.
    """

    kinds: Collection[str] = ()
    targets: Collection[str] = ()

    def takes(self, kind: str, target: str) -> bool:
        """Tell whether a fault may be planned."""
        return (not self.kinds or kind in self.kinds) and (
            not self.targets or any(target.startswith(each) for each in self.targets)
        )


EVERYTHING = Choice()

_KILLED = (
    *(("worker-0", 3), ("worker-1", 3), ("sink-0", 3), ("sink-1", 2), ("live-0", 2)),
    *(("ingest-0", 2), ("ingest-1", 1), ("kafka", 1), ("clickhouse", 2), ("valkey", 1)),
)
"""(target, weight)."""

Draw = Callable[[Random, float], Fault]

OTHERS: tuple[tuple[str, tuple[str, ...], Draw], ...] = (
    (FREEZE_WRITING, ("worker-0", "worker-1"), lambda d, at: Fault(at, "", "", 0, _asleep(d))),
    (SCALE, ("workers",), lambda _, at: Fault(at, "", "", 3)),
    (SLOW, ("kafka",), lambda d, at: Fault(at, "", "", d.uniform(0.005, 0.05), d.uniform(5, 15))),
    (FREEZE, ("sink-0", "sink-1"), lambda d, at: Fault(at, "", "", 0, _asleep(d))),
    (CLOCK, ("all",), lambda d, at: Fault(at, "", "", -d.uniform(60, 7200), d.uniform(5, 15))),
    (TERM, PROCESSES, lambda _, at: Fault(at, "", "")),
    (DISK_FULL, ("clickhouse",), lambda d, at: Fault(at, "", "", 0, d.uniform(4, 12))),
    (SCALE, ("workers",), lambda _, at: Fault(at, "", "", 1)),
    (FREEZE, ("worker-0", "worker-1"), lambda d, at: Fault(at, "", "", 0, _asleep(d))),
    (STALL, ("kafka",), lambda d, at: Fault(at, "", "", 0, d.uniform(3, 12))),
    (SCALE, ("workers",), lambda _, at: Fault(at, "", "", 2)),
    (CLOCK, ("all",), lambda d, at: Fault(at, "", "", d.uniform(1, 20), d.uniform(5, 15))),
    (TERM, ("kafka",), lambda _, at: Fault(at, "", "")),
    (FREEZE, ("live-0", "ingest-0"), lambda d, at: Fault(at, "", "", 0, _asleep(d))),
    (DISK_FULL, ("kafka",), lambda d, at: Fault(at, "", "", 0, d.uniform(3, 6))),
)
"""(kind, targets, what else is drawn): planned one after the other, round and round."""


def _asleep(dice: Random) -> float:
    return dice.uniform(SESSION_S + 3, SESSION_S + 12)


def plan(
    seed: int, *, duration_s: float, kills: int, others: int, choice: Choice = EVERYTHING
) -> list[Fault]:
    """Draw the faults of one run, in the order of their times.

    Args:
        seed: The same seed and arguments give the same plan.
        duration_s: All of them begin within it.
        kills: At least so many SIGKILLs, evenly spread with jitter.
        others: How many faults of other kinds.
        choice: Which ones.
    """
    dice = Random(f"{seed}|faults")  # noqa: S311 - dice, not secrets
    return sorted(
        [*_kills(dice, duration_s, kills, choice), *_others(dice, duration_s, others, choice)]
    )


def _kills(dice: Random, duration_s: float, kills: int, choice: Choice) -> list[Fault]:
    possible = [
        (kind, target, weight * often)
        for target, weight in _KILLED
        for kind, often in ((KILL, 2), (KILL_STARTING, 1), (KILL_WRITING, 1))
        if choice.takes(kind, target) and (kind == KILL or target not in ENGINES)
    ]
    if not possible:
        return []
    # Everything is killed once, then those most often that have most to lose.
    drawn = [each for each in possible if each[0] == KILL]
    while _count(drawn) < kills:
        drawn += dice.choices(possible, [weight for *_, weight in possible])
    while drawn and _count(drawn[:-1]) >= kills:
        drawn.pop()
    dice.shuffle(drawn)
    return [
        Fault(duration_s * (number + dice.random()) / len(drawn), kind, target, _amount(dice, kind))
        for number, (kind, target, _) in enumerate(drawn)
    ]


def _count(drawn: Sequence[tuple[str, str, float]]) -> int:
    return sum(KILLS[kind] for kind, *_ in drawn)


def _amount(dice: Random, kind: str) -> float:
    longest_s = {KILL: 0.0, KILL_STARTING: 4.0, KILL_WRITING: 0.02}
    return dice.uniform(0, longest_s[kind])


def _others(dice: Random, duration_s: float, others: int, choice: Choice) -> list[Fault]:
    possible = [
        (kind, taken, draw)
        for kind, targets, draw in OTHERS
        if (taken := [target for target in targets if choice.takes(kind, target)])
    ]
    drawn: list[Fault] = []
    while possible and len(drawn) < others:
        kind, targets, draw = possible[len(drawn) % len(possible)]
        at_s = duration_s * (len(drawn) + dice.random()) / others
        drawn.append(draw(dice, at_s)._replace(kind=kind, target=dice.choice(targets)))
    return drawn


def sigkills(faults: Collection[Fault]) -> int:
    """Return how many SIGKILLs a plan holds."""
    return sum(KILLS.get(fault.kind, 0) for fault in faults)
