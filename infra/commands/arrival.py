"""Waiting until what was published has arrived: in the journal, in the fold, behind it.

Each wait names what it still waits for, ends when nothing moves any more, and says which process to
look at. Positions that are waited for are read once, so traffic that goes on doesn't extend it.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from infra.commands.connect import RETRY_AFTER_S, answer
from infra.commands.connect import admin as connected
from infra.commands.log_reader import ends
from schemas.errors import Unavailable
from schemas.topics import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka.admin import AdminClient

    from infra.commands.heads import Heads
    from infra.settings import Settings

POLL_S = 0.1
STALL_S = 60.0


def wait(remaining: Callable[[], int], what: str, who: str, *, stall_s: float = STALL_S) -> None:
    """Wait until nothing remains.

    Args:
        remaining: How many records are still to come; asked ten times a second.
        what: What is waited for, for the message.
        who: The process that brings it.
        stall_s: Give up after so many seconds without progress.

    A service that doesn't answer for a while (a broker restarting) is asked again.

    Raises:
        Unavailable: nothing moved, or nobody answered, for that long.
    """
    left, moved = math.inf, time.monotonic()
    while True:
        try:
            now_left = remaining()
        except Unavailable:
            if time.monotonic() - moved > stall_s:
                raise
        else:
            if now_left <= 0:
                return
            if now_left < left:
                left, moved = now_left, time.monotonic()
            elif time.monotonic() - moved > stall_s:
                raise Unavailable(
                    who,
                    RETRY_AFTER_S,
                    f"{left} records not {what} after {stall_s:.0f} s; see `daybook doctor`",
                )
        time.sleep(POLL_S)


def not_ingested(
    admin: AdminClient, settings: Settings, last: Mapping[tuple[str, int], int]
) -> Callable[[], int]:
    """Return a function that counts records ingest hasn't written to the journal for good.

    Args:
        admin: Client to ask with.
        settings: Name the group.
        last: (topic, partition) → offset of the last record published there.
    """
    from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

    group = f"{settings.app}-ingest"
    client = [admin]
    asked = [TopicPartition(topic, partition) for topic, partition in sorted(last)]

    def remaining() -> int:
        if not asked:
            return 0
        request = ConsumerGroupTopicPartitions(group, list(asked))
        try:
            future = client[0].list_consumer_group_offsets([request])[group]
            found = answer(future, f"offsets of {group}")
        except Unavailable:
            # A client that lived through a broker's restart may go on failing for minutes.
            client[0] = connected(settings)
            raise
        return sum(
            max(0, last[p.topic, p.partition] + 1 - max(p.offset, 0))
            for p in found.topic_partitions
        )

    return remaining


def not_applied(heads: Heads, journal_ends: Mapping[int, int]) -> Callable[[], int]:
    """Return a function that counts journal entries below `journal_ends` not folded yet."""

    def remaining() -> int:
        known = heads.refresh()
        return sum(max(0, end - 1 - known[p].applied) for p, end in journal_ends.items())

    return remaining


def journal_ends(settings: Settings) -> dict[int, int]:
    """Return journal partition → offset after its last entry, as it is now."""
    return {partition: end for partition, (_, end) in ends(settings, JOURNAL).items()}
