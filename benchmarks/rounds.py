"""Rounds of several variants, one after another and again, so that all see the same machine."""

import sys
from collections.abc import Callable, Mapping

from benchmarks.figures import Rate, Run

Variant = Callable[[], Run]


def interleave(
    variants: Mapping[str, Variant], rounds: int, *, warm_up: bool = False
) -> tuple[Rate, ...]:
    """Run A B C A B C … and summarise each.

    Args:
        variants: Name → one round of it; in the order of the table.
        rounds: How many rounds count.
        warm_up: Whether to run each once more before, without counting it.
    """
    if warm_up:
        for run in variants.values():
            run()
    runs: dict[str, list[Run]] = {name: [] for name in variants}
    for number in range(rounds):
        for name, run in variants.items():
            done = run()
            runs[name].append(done)
            say(f"  {name}, round {number + 1}: {done.rate:,.0f}/s")
    return tuple(Rate.of(name, found) for name, found in runs.items())


def say(text: str) -> None:
    """Tell the person waiting how far it is."""
    print(text, file=sys.stderr, flush=True)
