"""The pointers that follow the registry: what ClickHouse's reports and Valkey's readers show.

They name the turn (which promotion this is), so a process that was away for long can't turn them
back, and writing one twice changes nothing. A promotion that was killed after its registry record
is completed by the sink and live processes of the new generation when they start, or by running it
again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from infra.commands.connect import answering, clickhouse, valkey

if TYPE_CHECKING:
    from infra.settings import Settings
    from schemas.generation import Registry


class Shown(NamedTuple):
    """What is shown; each must be the registry's live generation.

    Args:
        clickhouse: Generation of the reports.
        valkey: Generation `db:live` names; None before anything was promoted.
    """

    clickhouse: int
    valkey: int | None


def shown(settings: Settings) -> Shown:
    """Return what both pointers say.

    Raises:
        NotMigrated: ClickHouse has no tables yet.
        Unavailable: a service doesn't answer.
    """
    from sinks.clickhouse.pointer import read_pointer as in_clickhouse
    from sinks.live.pointer import read_pointer as in_valkey

    warehouse, cache = clickhouse(settings), valkey(settings)
    with answering("ClickHouse"):
        _, reported = in_clickhouse(warehouse)
    with answering("Valkey"):
        pointer = in_valkey(cache)
    return Shown(reported, None if pointer is None else pointer.generation)


def point_clickhouse(settings: Settings, registry: Registry) -> bool:
    """Let ClickHouse's reports show the live generation; tell whether they didn't.

    Raises:
        NotMigrated: it has no tables yet.
        Unavailable: it doesn't answer.
    """
    from sinks.clickhouse.pointer import move_pointer

    live, turn = registry.live, len(registry.turns)
    client = clickhouse(settings)
    with answering("ClickHouse"):
        return move_pointer(client, turn, live.number, live.note)


def point_valkey(settings: Settings, registry: Registry) -> bool:
    """Let `db:live` name the live generation; tell whether it didn't.

    Raises:
        Unavailable: Valkey doesn't answer.
    """
    from sinks.live.pointer import move_pointer
    from sinks.mapping.valkey import Pointer

    client = valkey(settings)
    with answering("Valkey"):
        return move_pointer(client, Pointer(len(registry.turns), registry.live.number))
