"""Making another generation the live one while events keep coming."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from infra.commands.connect import admin, answer
from infra.generations.catching_up import catch_up, standing
from infra.generations.children import ALL, Children
from infra.generations.pointers import point_clickhouse, point_valkey
from infra.generations.registry import change, read
from schemas.generation import Generation, Registry, group_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.generations.running import Name
    from infra.settings import Settings

    Report = Callable[[str, int, int], None]

TAKE_OVER_S = 300.0
"""Meanwhile the replay's processes do the work; only a process that isn't kept running needs it."""
POLL_S = 0.2


class Promotion(NamedTuple):
    """What a promotion did.

    Args:
        live: The generation that is live now.
        before: The one that was.
        flipped: False when it was live already and at most a pointer had to follow.
        missing: Regular processes that ran before and don't work for the new generation yet.
    """

    live: Generation
    before: int
    flipped: bool
    missing: Sequence[Name]


def promote(settings: Settings, number: int, report: Report) -> Promotion:
    """Bring a generation up to date and make it the live one; safe to repeat after a kill.

    Order: its processes run and have caught up; then the registry (from here on it is live, whoever
    starts works for it), ClickHouse's pointer, Valkey's; then the regular processes leave the old
    generation and join the new one's groups; then the replay's own processes end. Both generations
    fold the same journal all the time, so none misses an entry and none counts one twice.

    Args:
        settings: Where everything is.
        number: Which.
        report: Called with (stage, done, total).

    Raises:
        Refused: it can't be promoted, or its processes keep ending.
        Unavailable: an engine doesn't answer or nothing moves.
    """
    registry = read(settings)
    if registry.live.number == number:
        _point(settings, registry)
        return Promotion(registry.live, number, flipped=False, missing=())
    registry.check_promotable(number)
    before = registry.live.number
    with Children(settings, registry.get(number)) as children:
        catch_up(settings, registry.get(number), children, report)
        regular = taken(settings, before)
        registry = flip(settings, number)
        _point(settings, registry)
        missing = _await_take_over(settings, number, regular, children, report)
    return Promotion(registry.live, before, flipped=True, missing=missing)


def flip(settings: Settings, number: int) -> Registry:
    """Write into the registry that a generation is live, and from which entries on.

    Raises:
        Refused: it can't be promoted.
        Unavailable: the broker doesn't answer, or another command changed the registry.
    """

    def decide(registry: Registry, now_ms: int) -> Generation | None:
        if registry.live.number == number:
            return None
        stands = standing(settings, registry.live.number)
        return registry.promote(number, [stands[p] for p in sorted(stands)], now_ms)

    return change(settings, decide)[0]


def _point(settings: Settings, registry: Registry) -> None:
    point_clickhouse(settings, registry)
    point_valkey(settings, registry)


def taken(settings: Settings, number: int) -> list[Name]:
    """Return which regular processes work for a generation.

    A regular process has a fixed place in its group (a static member), those of a replay don't.

    Raises:
        Unavailable: the broker doesn't answer.
    """
    from confluent_kafka import KafkaError

    groups = {group_of(settings.app, name, number): name for name in ALL}
    client = admin(settings)
    found: list[Name] = []
    for group, future in client.describe_consumer_groups(list(groups)).items():
        about = answer(future, f"group {group}", tolerate=KafkaError.GROUP_ID_NOT_FOUND)
        if about and any(member.group_instance_id for member in about.members):
            found.append(groups[group])
    return found


def _await_take_over(
    settings: Settings,
    number: int,
    regular: Sequence[Name],
    children: Children,
    report: Report,
) -> list[Name]:
    """Wait until the regular processes work for the new generation; return those that don't."""
    deadline = time.monotonic() + TAKE_OVER_S
    while True:
        children.check()
        present = taken(settings, number)
        missing = [name for name in regular if name not in present]
        report("taken over", len(regular) - len(missing), len(regular))
        if not missing or time.monotonic() > deadline:
            return missing
        time.sleep(POLL_S)
