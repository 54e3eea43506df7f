"""All generations with how far each is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.commands.arrival import journal_ends
from infra.commands.connect import clickhouse, valkey
from infra.commands.decoding import instant
from infra.commands.settling import last_rows, not_shown, not_sunk
from infra.generations.catching_up import standing
from infra.generations.registry import at
from schemas.errors import ConfigurationError, Unavailable
from schemas.generation import ABORTED, DROPPED
from schemas.topics import EFFECT, JOURNAL, METRIC

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.settings import Settings
    from schemas.generation import Generation, Registry


def listing(settings: Settings, registry: Registry) -> list[dict[str, Any]]:
    """Return every generation, JSON-ready, with its lag where it has one.

    Args:
        settings: Where everything is. An engine that is away leaves its lag None.
        registry: As read.

    Raises:
        Unavailable: Kafka doesn't answer.
    """
    ends = journal_ends(settings)
    return [_row(settings, each, ends) for each in registry.all()]


def _row(settings: Settings, generation: Generation, ends: Mapping[int, int]) -> dict[str, Any]:
    shown = {
        "generation": generation.number,
        "state": generation.state,
        "app": generation.app,
        "from": generation.origin,
        "tenant": generation.tenant or None,
        "metrics": generation.metrics or None,
        "note": generation.note,
        "changed": instant(generation.at_ms) if generation.at_ms else None,
    }
    if generation.state in {ABORTED, DROPPED}:
        return {**shown, "behind": None, "clickhouse_behind": None, "valkey_behind": None}
    return {**shown, **_behind(at(settings, generation.number), generation, ends)}


def _behind(
    mine: Settings, generation: Generation, ends: Mapping[int, int]
) -> dict[str, dict[int, int] | int | None]:
    try:
        stands = standing(mine, generation.number)
    except ConfigurationError:  # no changelog: begun, and killed before it was created
        stands = {}
    behind = {partition: max(0, end - stands.get(partition, 0)) for partition, end in ends.items()}
    if generation.is_partial:
        return {"behind": behind, "clickhouse_behind": None, "valkey_behind": None}
    metric = last_rows(mine, METRIC)
    rows = {**last_rows(mine, JOURNAL), **last_rows(mine, EFFECT), **metric}
    return {
        "behind": behind,
        "clickhouse_behind": _asked(lambda: not_sunk(clickhouse(mine), generation.number, rows)),
        "valkey_behind": _asked(lambda: not_shown(valkey(mine), generation.number, metric)),
    }


def _asked(connect: Callable[[], Callable[[], int]]) -> int | None:
    """Return what an engine answers; None while it is away."""
    try:
        return connect()()
    except (Unavailable, ConfigurationError):
        return None
