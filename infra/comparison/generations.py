"""Two generations, compared at the same place of the journal while events keep coming."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from infra.commands.connect import admin
from infra.commands.definition_log import current
from infra.commands.topic_state import inspect, wanted
from infra.commands.zones import zones
from infra.comparison.buckets import Choice, compare, summed
from infra.comparison.cut import AtCut
from infra.comparison.outcome import Outcome
from infra.comparison.places import committed, spanned
from infra.comparison.reading import whole
from infra.generations.registry import read as read_registry
from infra.offline.reaching import quiet
from schemas.errors import ConfigurationError, Refused
from schemas.generation import ABORTED, DROPPED, NOT_ALLOWED
from schemas.topics import METRIC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.offline.reaching import Report
    from infra.settings import Settings
    from schemas.generation import Generation, Registry

LAG = "min.compaction.lag.ms"
CLOCKS_MS = 5 * 60_000
"""What the clocks of workers, broker and this machine may differ by."""


def compare_generations(
    settings: Settings, number: int, against: int | None, choice: Choice, report: Report = quiet
) -> Outcome:
    """Compare a generation with the live one, or another, at the offsets both have applied.

    Nothing has to stand still or to run: of both, what they said at the offsets where the one that
    is behind stands is read from the log. Buckets that a transaction of the other one changed
    across such an offset are left out and counted.

    Args:
        settings: Where Kafka is.
        number: The generation in question.
        against: The one it is compared with; None: the live one.
        choice: Which buckets; a partial generation narrows it down to what it holds.
        report: Called with (stage, done, total).

    Raises:
        ConfigurationError: there is no such generation, it is that one itself, it doesn't hold what
            was chosen, or it is so far behind that the log need not reach back to it.
        CorruptLog: the metric topic holds something else.
        Refused: one of them was given up or dropped, or has folded nothing yet.
        Unavailable: the broker stopped answering.
    """
    registry = read_registry(settings)
    after = _present(registry, number)
    before = registry.live if against is None else _present(registry, against)
    if before.number == after.number:
        raise ConfigurationError("GENERATION", f"{number} is the one it would be compared with")
    choice = narrowed(narrowed(choice, before), after)
    places = [committed(settings, each.number, report) for each in (before, after)]
    one, other = ({p: max(at) for p, at in each.items()} for each in places)
    cuts = {partition: min(end, other[partition]) for partition, end in one.items()}
    for each, stands in ((before, one), (after, other)):
        if not any(stands.values()):
            todo = f"run `daybook replay resume {each.number}`"
            raise Refused(NOT_ALLOWED, f"generation {each.number} has folded nothing yet; {todo}")
    numbers = before.number, after.number
    spans = {number: spanned(at, cuts) for number, at in zip(numbers, places, strict=True)}
    reading = AtCut(cuts, numbers, choice, spans)
    # Both generations' heads were read before, so the topic holds all that belongs to them.
    for record in whole(settings, METRIC, report):
        reading.take(record.partition, record.key or b"", record.value, record.timestamp_ms)
    _check_reach(settings, reading, before, after)
    sums = summed(reading.parts(before.number)), summed(reading.parts(after.number))
    return Outcome(
        f"Generation {after.number} against generation {before.number}",
        _name(registry, before),
        _name(registry, after),
        _about(after, cuts, (one, other), len(reading.hidden)),
        cuts,
        compare(*sums, choice, reading.closed),
        sums,
        {tenant: (zone, zone) for tenant, zone in zones(current(settings)).items()},
    )


def narrowed(choice: Choice, generation: Generation) -> Choice:
    """Return what of a choice a generation holds.

    Raises:
        ConfigurationError: nothing.
    """
    tenant, metrics = generation.tenant, frozenset(generation.metrics)
    if tenant and choice.tenant not in {"", tenant}:
        raise ConfigurationError("--tenant", f"generation {generation.number} holds {tenant} only")
    both = choice.metrics & metrics if choice.metrics and metrics else choice.metrics | metrics
    if metrics and not both:
        held = ", ".join(sorted(metrics))
        raise ConfigurationError("--metric", f"generation {generation.number} holds {held} only")
    return Choice(tenant or choice.tenant, both, choice.grains)


def _present(registry: Registry, number: int) -> Generation:
    found = registry.get(number)
    if found.state in {ABORTED, DROPPED}:
        raise Refused(NOT_ALLOWED, f"generation {number} is {found.state}; see `replay list`")
    return found


def _check_reach(settings: Settings, reading: AtCut, before: Generation, after: Generation) -> None:
    (state,) = inspect(admin(settings), [each for each in wanted(settings) if each.name == METRIC])
    lag_ms = int(state.drift.get(LAG, state.topic.config[LAG]))
    if not reading.reaches_back(round(time.time() * 1000), lag_ms - CLOCKS_MS):
        raise ConfigurationError(
            "GENERATION",
            f"{before.number} and {after.number} stand so far apart that {METRIC} need not hold "
            f"what the one ahead said where the other is; bring that up to date with `daybook "
            f"replay resume`, then compare",
        )


def _name(registry: Registry, generation: Generation) -> str:
    live = " (live)" if generation.number == registry.live.number else ""
    return f"generation {generation.number}{live}"


def _about(
    after: Generation,
    cuts: Mapping[int, int],
    stands: tuple[Mapping[int, int], Mapping[int, int]],
    hidden: int,
) -> list[tuple[str, str]]:
    places = ", ".join(f"{partition}:{offset}" for partition, offset in sorted(cuts.items()))
    beyond = max(sum(side.get(p, 0) - cut for p, cut in cuts.items()) for side in stands)
    about = [("compared below the journal's offsets", places)]
    if beyond:
        about.append(("entries only one of them has folded yet", f"{beyond:,}"))
    if hidden:
        about.append(("buckets left out: a transaction spans the offset", f"{hidden:,}"))
    if after.note:
        about.append(("note", after.note))
    if after.is_partial:
        about.append(("holds only", ", ".join(filter(None, (after.tenant, *after.metrics)))))
    return about
