"""Waiting until everything in the journal now can be seen in ClickHouse and in Valkey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.commands.arrival import journal_ends, not_applied, wait
from infra.commands.connect import answering, clickhouse, valkey
from infra.commands.heads import Heads
from infra.commands.log_reader import ends, read
from infra.generations.registry import generation_of, resolved
from schemas.codec import decode_effect, decode_entry
from schemas.derived.metric import split_published
from schemas.journal import EVENT
from schemas.topics import EFFECT, JOURNAL, METRIC

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from clickhouse_connect.driver.client import Client

    from infra.commands.log_reader import LogRecord
    from infra.settings import Settings

WINDOW = 2_000
"""Records looked at, back from the end, for the last one that gives a row."""

Targets = dict[tuple[str, int], int]
"""(topic, partition) → offset that must have been passed."""


def settle(
    settings: Settings,
    *,
    report: Callable[[str, int, int], None] = lambda _stage, _done, _total: None,
) -> dict[int, int]:
    """Wait until the fold, ClickHouse and Valkey have passed what the journal holds now.

    Args:
        settings: Where everything is.
        report: Called with (stage, done, total).

    Returns:
        Journal partition → its end when the wait began.

    Raises:
        Unavailable: a service doesn't answer, or a process stands still for a minute.
    """
    settings = resolved(settings)
    journal = journal_ends(settings)
    with Heads(settings) as heads:
        wait(told(not_applied(heads, journal), "folded", report), "folded", "daybook worker")
    targets = {
        **last_rows(settings, JOURNAL),
        **last_rows(settings, EFFECT),
        **last_rows(settings, METRIC),
    }
    warehouse, cache = clickhouse(settings), valkey(settings)
    generation = generation_of(settings)
    sunk = not_sunk(warehouse, generation, targets)
    wait(told(sunk, "in ClickHouse", report), "in ClickHouse", "daybook sink")
    metric = {place: end for place, end in targets.items() if place[0] == METRIC}
    shown = not_shown(cache, generation, metric)
    wait(told(shown, "in Valkey", report), "in Valkey", "daybook live")
    return journal


def not_sunk(client: Client, generation: int, targets: Targets) -> Callable[[], int]:
    """Return a function that counts records the sink's ledger doesn't call done yet.

    The function raises `Unavailable` while ClickHouse is away, `NotMigrated` without a ledger.
    """
    query = (
        "SELECT topic, partition, max(done_to) FROM crm.ops_ledger"
        " WHERE gen = {gen:UInt16} AND kind = 1 GROUP BY topic, partition"
    )

    def remaining() -> int:
        with answering("ClickHouse"):
            rows = client.query(query, parameters={"gen": generation}).result_rows
        done = {(topic, partition): offset for topic, partition, offset in rows}
        return sum(max(0, end - done.get(place, 0)) for place, end in targets.items())

    return remaining


def not_shown(client: redis.Redis, generation: int, targets: Targets) -> Callable[[], int]:
    """Return a function that counts metric records Valkey doesn't hold yet.

    The function raises `Unavailable` while Valkey is away.
    """
    from sinks.live.read import read_positions

    def remaining() -> int:
        with answering("Valkey"):
            done = read_positions(client, generation)
        return sum(
            max(0, end - (done[partition].next_offset if partition in done else 0))
            for (_, partition), end in targets.items()
        )

    return remaining


def told(
    remaining: Callable[[], int], stage: str, report: Callable[[str, int, int], None]
) -> Callable[[], int]:
    """Return the same function, reporting how far it got; its highest answer is the total."""
    total = 0

    def asked() -> int:
        nonlocal total
        left = remaining()
        total = max(total, left)
        report(stage, total - left, total)
        return left

    return asked


def last_rows(settings: Settings, topic: str) -> Targets:
    """Return where the last record that gives a row ends, per partition.

    What follows it are ticks, copies, commit markers and what other generations wrote: readers pass
    them at their leisure (the sink notes an idle position every ten seconds only), and nothing is
    seen of them anywhere.
    """
    generation = generation_of(settings)
    marks = ends(settings, topic)
    targets: Targets = {(topic, p): high for p, (_, high) in marks.items() if high}
    start = {p: max(low, high - WINDOW) for p, (low, high) in marks.items()}
    found: Targets = {}
    for record in read(settings, topic, start):
        if _gives_row(record, generation):
            found[topic, record.partition] = record.offset + 1
    return targets | found


def _gives_row(record: LogRecord, generation: int) -> bool:
    if record.topic == METRIC:
        return split_published(record.key or b"")[0] == generation
    if record.topic == EFFECT:
        return decode_effect(record.value or b"").generation == generation
    entry = decode_entry(record.value or b"")
    return entry.kind == EVENT and not entry.copy
