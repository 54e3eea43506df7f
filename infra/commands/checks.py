"""What `daybook doctor` looks at: each check gives one finding, with what to do about it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from infra.commands.connect import (
    NotMigrated,
    admin,
    answer,
    answering,
    clickhouse,
    metadata,
    valkey,
)
from infra.commands.group import one_line
from infra.generations.registry import app_in, generation_of
from schemas.errors import DaybookError
from schemas.generation import group_of
from schemas.topics import DEAD_LETTER, DEFINITION, EFFECT, JOURNAL, METRIC, UPSTREAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.commands.settling import Targets
    from infra.settings import Settings

SAMPLE_S = 2.0
"""A process with work to do must get on within this; the sink writes its ledger every second."""


class Finding(NamedTuple):
    """One line of the doctor's report.

    Args:
        check: What was looked at.
        ok: Whether it is as it should be.
        detail: What was found.
        todo: What to do; empty when nothing is.
    """

    check: str
    ok: bool
    detail: str
    todo: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield all findings; a check whose engine is away is left out after that engine's finding.

    Worker, sink and live are those of the live generation, or of the one the settings name.
    """
    engines = {
        "Kafka": _guarded("Kafka", _kafka, settings),
        "Valkey": _guarded("Valkey", _valkey, settings),
        "ClickHouse": _guarded("ClickHouse", _clickhouse, settings),
    }
    yield from engines.values()
    up = {name for name, finding in engines.items() if finding.ok}
    for name, needs, check in (
        ("topics", {"Kafka"}, _topics),
        ("schemas", set[str](), _schemas),
        ("migrations", {"ClickHouse"}, _migrations),
        ("ingest", {"Kafka"}, _ingest),
        ("worker", {"Kafka"}, _worker),
        ("sink", {"Kafka", "ClickHouse"}, _sink),
        ("live", {"Kafka", "Valkey"}, _live),
        ("dead letters", {"Kafka"}, _dead_letters),
    ):
        if needs <= up:
            yield _guarded(name, check, settings)


def _guarded(name: str, check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    """Run one check; its failure is a finding too."""
    try:
        return check(settings)
    except NotMigrated as error:
        return Finding(name, ok=False, detail=error.problem, todo="daybook migrate")
    except DaybookError as error:
        return Finding(name, ok=False, detail=one_line(error), todo="daybook dev status")


def _kafka(settings: Settings) -> Finding:
    brokers = len(metadata(admin(settings), settings).brokers)
    return Finding("Kafka", ok=True, detail=f"{settings.kafka}, {brokers} brokers")


def _valkey(settings: Settings) -> Finding:
    client = valkey(settings)
    with answering("Valkey"):
        keys = client.dbsize()
    return Finding("Valkey", ok=True, detail=f"answers, {keys} keys")


def _clickhouse(settings: Settings) -> Finding:
    return Finding("ClickHouse", ok=True, detail=f"version {clickhouse(settings).server_version}")


def _topics(settings: Settings) -> Finding:
    from infra.commands.topic_state import inspect, wanted

    states = inspect(admin(settings), wanted(settings))
    wrong = [state for state in states if state.problem]
    if not wrong:
        return Finding("topics", ok=True, detail=f"all {len(states)} as they should be")
    detail = "; ".join(f"{state.topic.name}: {state.problem}" for state in wrong)
    return Finding("topics", ok=False, detail=detail, todo="daybook topics create")


def _schemas(_settings: Settings) -> Finding:
    from schemas.compatibility import problems

    found = list(problems())
    if not found:
        return Finding("schemas", ok=True, detail="match the released ones")
    return Finding("schemas", ok=False, detail="; ".join(found), todo="daybook schemas check")


def _migrations(settings: Settings) -> Finding:
    from sinks.clickhouse.migrations import migrate

    client = clickhouse(settings)
    with answering("ClickHouse"):
        steps = migrate(client, dry_run=True)
    if not steps:
        return Finding("migrations", ok=True, detail="up to date")
    detail = f"{len(steps)} to run: {', '.join(map(str, steps))}"
    return Finding("migrations", ok=False, detail=detail, todo="daybook migrate")


def _ingest(settings: Settings) -> Finding:
    from infra.commands.arrival import not_ingested
    from infra.commands.log_reader import ends

    last = {
        (topic, partition): end - 1
        for topic in (*UPSTREAM, DEFINITION)
        for partition, (_, end) in ends(settings, topic).items()
        if end
    }
    remaining = not_ingested(admin(settings), settings, last)
    return _process(settings, "ingest", f"{settings.app}-ingest", remaining)


def _worker(settings: Settings) -> Finding:
    from infra.commands.arrival import journal_ends, not_applied
    from infra.commands.heads import Heads

    before = journal_ends(settings)
    with Heads(settings) as heads:
        found = _process(settings, "worker", app_in(settings), not_applied(heads, before))
    if not found.ok:
        return found
    if journal_ends(settings) == before:  # `_process` has waited: ticks must have come
        time.sleep(SAMPLE_S)
        if journal_ends(settings) == before:
            return Finding("worker", ok=False, detail="no ticks: time stands still",
                           todo="daybook worker")  # fmt: skip
    return found


def _sink(settings: Settings) -> Finding:
    from infra.commands.settling import last_rows, not_sunk

    targets: Targets = {}
    for topic in (JOURNAL, EFFECT, METRIC):
        targets |= last_rows(settings, topic)
    generation = generation_of(settings)
    remaining = not_sunk(clickhouse(settings), generation, targets)
    return _process(settings, "sink", group_of(settings.app, "sink", generation), remaining)


def _live(settings: Settings) -> Finding:
    from infra.commands.settling import last_rows, not_shown

    generation = generation_of(settings)
    remaining = not_shown(valkey(settings), generation, last_rows(settings, METRIC))
    return _process(settings, "live", group_of(settings.app, "live", generation), remaining)


def _process(settings: Settings, name: str, group: str, remaining: Callable[[], int]) -> Finding:
    """Judge a process by its group having a member, and its lag getting smaller."""
    todo = f"daybook {name}  (its log: daybook dev logs {name})"
    members = _members(settings, group)
    lag = remaining()
    if not members:
        return Finding(name, ok=False, detail=f"not running, {lag} records behind", todo=todo)
    if lag:
        deadline = time.monotonic() + SAMPLE_S
        now = lag
        while now and now == lag and time.monotonic() < deadline:
            time.sleep(0.2)
            now = remaining()
        if now and now >= lag:
            detail = f"running, but stuck {now} records behind"
            return Finding(name, ok=False, detail=detail, todo=todo)
        lag = now
    catching_up = f", catching up with {lag} records" if lag else ", nothing left to do"
    return Finding(name, ok=True, detail=f"{members} running{catching_up}")


def _members(settings: Settings, group: str) -> int:
    from confluent_kafka import KafkaError

    client = admin(settings)
    found = answer(
        client.describe_consumer_groups([group])[group],
        f"group {group}",
        tolerate=KafkaError.GROUP_ID_NOT_FOUND,  # nobody ever joined it
    )
    return len(found.members) if found else 0


def _dead_letters(settings: Settings) -> Finding:
    from collections import Counter

    from infra.commands.dead_letters import unresolved
    from infra.commands.log_reader import read

    letters = unresolved(read(settings, DEAD_LETTER))
    if not letters:
        return Finding("dead letters", ok=True, detail="none unresolved")
    reasons = Counter(letter.reason for letter in letters).most_common()
    detail = ", ".join(f"{count} {reason}" for reason, count in reasons)
    return Finding("dead letters", ok=False, detail=detail, todo="daybook dlq list")
