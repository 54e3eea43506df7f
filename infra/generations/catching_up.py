"""Waiting until a generation has passed what the journal holds, while traffic goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.commands.arrival import journal_ends, wait
from infra.commands.connect import clickhouse, valkey
from infra.commands.heads import Heads
from infra.commands.settling import last_rows, not_shown, not_sunk, told
from infra.generations.registry import at
from schemas.topics import EFFECT, JOURNAL, METRIC

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.generations.children import Children
    from infra.settings import Settings
    from schemas.generation import Generation

    Report = Callable[[str, int, int], None]

NEAR = 2_000
"""Entries: who was no further behind when a pass began is up to date when it ends."""
STALL_S = 180.0
"""A process that is started again, on a busy machine, may need a minute until it gets on."""
PASSES = 20
"""More are of no use: each is as long as what came during the one before."""


def catch_up(
    settings: Settings, generation: Generation, children: Children, report: Report
) -> None:
    """Wait until a generation stands where the journal does, in ClickHouse and Valkey too.

    What comes meanwhile is waited for in another pass, until a pass begins near the end.

    Args:
        settings: Where everything is.
        generation: Which; of a part of the data only the fold is waited for.
        children: Its processes; looked after while waiting.
        report: Called with (stage, done, total); one stage per journal partition.

    Raises:
        Refused: a process keeps ending, or the generation was given up.
        Unavailable: an engine doesn't answer, or nothing moves for a minute.
    """
    mine = at(settings, generation.number)
    with Heads(mine) as heads:
        for _ in range(PASSES):
            ends = journal_ends(settings)
            behind = _folded(heads, ends, children, report)
            if not generation.is_partial:
                _written(mine, children, report)
            if behind <= NEAR:
                return


def standing(settings: Settings, number: int) -> dict[int, int]:
    """Return journal partition → offset after the last entry a generation has applied.

    Raises:
        ConfigurationError: it has no state topic.
        Unavailable: the broker doesn't answer.
    """
    with Heads(at(settings, number)) as heads:
        return {partition: head.applied + 1 for partition, head in heads.refresh().items()}


def _folded(heads: Heads, ends: Mapping[int, int], children: Children, report: Report) -> int:
    """Wait for the fold to pass `ends`; return how many entries it was behind at first."""
    behind = 0

    def remaining() -> int:
        nonlocal behind
        children.check()
        known = heads.refresh()
        left = 0
        for partition, end in ends.items():
            done = min(known[partition].applied + 1, end)
            report(f"partition {partition}", done, end)
            left += end - done
        behind = max(behind, left)
        return left

    wait(remaining, "folded", "the replay's worker", stall_s=STALL_S)
    return behind


def _written(mine: Settings, children: Children, report: Report) -> None:
    """Wait for ClickHouse and Valkey to have what the fold has said up to now."""

    def watched(remaining: Callable[[], int]) -> Callable[[], int]:
        def asked() -> int:
            children.check()
            return remaining()

        return asked

    targets = {
        **last_rows(mine, JOURNAL),
        **last_rows(mine, EFFECT),
        **last_rows(mine, METRIC),
    }
    number = mine.generation or 0
    sunk = told(not_sunk(clickhouse(mine), number, targets), "in ClickHouse", report)
    wait(watched(sunk), "in ClickHouse", "the replay's sink", stall_s=STALL_S)
    metric = {place: end for place, end in targets.items() if place[0] == METRIC}
    shown = told(not_shown(valkey(mine), number, metric), "in Valkey", report)
    wait(watched(shown), "in Valkey", "the replay's live", stall_s=STALL_S)
