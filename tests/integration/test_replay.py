"""Generations on a whole stack, while a simulator publishes: replay, promote, roll back, drop.

One story, in order: each test goes on from where the one before left the installation.
"""

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infra.commands.arrival import journal_ends
from infra.commands.connect import admin, clickhouse, valkey
from infra.commands.log_reader import read
from infra.commands.settling import settle
from infra.embedded.running import RunningStack
from infra.generations import registry as registries
from infra.generations.building import begin
from infra.generations.pointers import Shown, shown
from infra.offline.reaching import quiet
from infra.settings import Settings, load
from infra.verification.comparing import Scope
from infra.verification.verifying import reconcile
from schemas.codec import decode_effect, decode_entry, decode_partial
from schemas.derived.metric import MetricKey, MetricPartial, split_published
from schemas.errors import Refused
from schemas.generation import ABORTED, DROPPED, LIVE, READY, RETIRED, group_of
from schemas.journal import EVENT
from schemas.topics import EFFECT, JOURNAL, METRIC
from tests.integration.running import wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

CACHE = Path.home() / ".cache" / "daybook"
BEFORE = 600
"""Journal entries of the simulator before the first replay begins."""
KILLED_BETWEEN = """
import os, signal
from infra.generations import promoting
promoting.point_clickhouse = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from infra.cli import app
app(["replay", "promote", "2"])
"""
Daybook = Callable[..., Any]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole stack, as `daybook dev up` runs it."""
    with RunningStack.start(tmp_path_factory.mktemp("replay"), cache=CACHE) as running:
        yield running


@pytest.fixture(scope="module")
def settings(stack: RunningStack) -> Settings:
    """Settings that point at the stack."""
    return load(data=stack.directory.root)


@pytest.fixture(scope="module")
def environment(stack: RunningStack) -> dict[str, str]:
    """The environment of commands: they find the stack by its data directory."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("DAYBOOK_")}
    return {**kept, "DAYBOOK_DATA": str(stack.directory.root)}


@pytest.fixture(scope="module")
def daybook(environment: dict[str, str]) -> Daybook:
    """Run `daybook …  --json` and return what it said."""

    def run(*arguments: str) -> Any:
        argv = [sys.executable, "-m", "infra.cli", *arguments, "--json"]
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module", autouse=True)
def traffic(settings: Settings, environment: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """A simulator that publishes all the time; there is something to replay before it is used."""
    argv = [sys.executable, "-m", "infra.cli", "simulate", "--rate", "25"]
    simulator = subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL)
    wait_for(lambda: sum(journal_ends(settings).values()) > BEFORE, "traffic", 180)
    yield simulator
    simulator.kill()
    simulator.wait()


def states(settings: Settings) -> dict[int, str]:
    """Return generation → state, as the registry has it."""
    return {each.number: each.state for each in registries.read(settings).all()}


def tenants(settings: Settings) -> list[str]:
    """Return the tenants the simulator plays."""
    keys = list(valkey(settings).scan_iter("db:*:all:", count=1_000))
    return sorted({bytes(key).decode().split(":", 3)[2] for key in keys})


def assert_exact(settings: Settings) -> None:
    """Compare every bucket and fact of a tenant with an offline fold of the journal."""
    tenant = tenants(settings)[0]
    found = reconcile(settings, Scope(tenant), quiet).result
    assert found.parts > 0
    assert found.findings == []


def assert_rows_complete(settings: Settings) -> None:
    """Every event and every effect of the live generation is reported once: no gap, no repeat."""
    number = registries.generation_of(settings)
    events = {
        (entry.source, entry.id)
        for entry in (decode_entry(each.value or b"") for each in read(settings, JOURNAL))
        if entry.kind == EVENT and not entry.copy
    }
    effects = {
        (each.partition, each.offset)
        for each in read(settings, EFFECT)
        if decode_effect(each.value or b"").generation == number
    }
    settle(settings)
    for wanted, sql in (
        (events, "SELECT source, event_id FROM crm_report.v_event"),
        (effects, f"SELECT _partition, _offset FROM crm.fct_effect WHERE gen = {number:d}"),  # noqa: S608 - a number
    ):
        held = [tuple(row) for row in clickhouse(settings).query(sql).result_rows]
        assert len(held) == len(set(held)), sql
        assert not wanted - set(held), sql


class Said(NamedTuple):
    """What a generation said of one bucket's part after one entry."""

    partition: int
    key: MetricKey
    offset: int


def _values(settings: Settings, generation: int) -> dict[Said, MetricPartial]:
    """Return everything a generation has ever said of its buckets."""
    found: dict[Said, MetricPartial] = {}
    for each in read(settings, METRIC):
        number, key = split_published(each.key or b"")
        if number == generation and each.value is not None:
            value = decode_partial(each.value)
            at = Said(each.partition, MetricKey.parse(key.decode()), value.offset)
            found[at] = value._replace(generation=0)
    return found


def assert_values_equal(settings: Settings) -> None:
    """What two generations say of a bucket after the same entry is the same."""
    first, second = _values(settings, 1), _values(settings, 2)
    both = first.keys() & second.keys()
    assert both
    assert {at for at in both if first[at] != second[at]} == set()


def assert_effects_equal(settings: Settings) -> None:
    """Each generation numbers its effects densely, and all say the same as far as they got."""
    found: defaultdict[tuple[int, int], list[tuple[int, str, bytes]]] = defaultdict(list)
    for record in read(settings, EFFECT):
        effect = decode_effect(record.value or b"")
        found[effect.generation, record.partition].append((effect.seq, effect.id, effect.data))
    for effects in found.values():
        assert [seq for seq, _, _ in effects] == list(range(len(effects)))
    for partition in {partition for _, partition in found}:
        first, second = found[1, partition], found[2, partition]
        both = min(len(first), len(second))
        assert both > 0
        assert first[:both] == second[:both]


def test_a_replay_builds_a_generation_beside_the_live_one(
    settings: Settings, daybook: Daybook
) -> None:
    """It catches up while events keep coming; nothing that people see has changed."""
    said = daybook("replay", "start", "--note", "as before")
    assert (said["generation"], said["state"]) == (2, READY)
    assert states(settings) == {1: LIVE, 2: READY}
    assert shown(settings).clickhouse == 1
    (first, second) = daybook("replay", "status")
    assert (first["state"], second["note"]) == (LIVE, "as before")
    assert_effects_equal(settings)


def test_a_promotion_killed_between_registry_and_pointers_is_healed(
    stack: RunningStack, settings: Settings, environment: dict[str, str], daybook: Daybook
) -> None:
    """The processes move to the new generation by themselves and mend the pointers; all exact."""
    before = {name: stack.process(name).pid for name in ("worker", "sink", "live")}

    def moved(name: str, pid: int | None) -> bool:
        process = stack.process(name)
        return process.healthy and process.pid != pid

    argv = [sys.executable, "-c", KILLED_BETWEEN]
    done = subprocess.run(argv, env=environment, capture_output=True, timeout=600, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert states(settings) == {1: RETIRED, 2: LIVE}
    wait_for(lambda: shown(settings) == Shown(2, 2), "the pointers to follow", 300)
    for name, pid in before.items():
        wait_for(partial(moved, name, pid), f"{name} to move", 300)
    assert_exact(settings)
    assert_rows_complete(settings)
    assert daybook("replay", "promote", "2")["flipped"] is False
    assert registries.read(settings).live.live_from


def test_rolling_back_restores_the_generation_before(settings: Settings, daybook: Daybook) -> None:
    """It is brought up to date first, and the regular processes have taken over at the end."""
    said = daybook("replay", "rollback")
    assert (said["generation"], said["before"], said["not_taken_over"]) == (1, 2, [])
    assert states(settings) == {1: LIVE, 2: RETIRED}
    assert shown(settings) == Shown(1, 1)
    assert_rows_complete(settings)
    assert_effects_equal(settings)
    assert_values_equal(settings)


def test_what_is_given_up_or_dropped_leaves_nothing(settings: Settings, daybook: Daybook) -> None:
    """Changelog, groups, rows, ledger, values and keys are gone; the live generation is whole."""
    with pytest.raises(Refused, match="is live"):
        registries.read(settings).drop(1, 0)
    assert begin(settings, note="never built").number == 3
    daybook("topics", "create")
    assert daybook("replay", "abort", "3")["state"] == ABORTED
    for number in (2, 3):
        assert daybook("replay", "drop", str(number), "--yes")["state"] == DROPPED
    assert states(settings) == {1: LIVE, 2: DROPPED, 3: DROPPED}
    client = admin(settings)
    wait_for(lambda: not [t for t in client.list_topics(timeout=10).topics if "-g" in t], "topics")
    groups = {each.group_id for each in client.list_consumer_groups().result(30).valid}
    gone = {group_of("daybook", name, g) for name in ("worker", "sink", "live") for g in (2, 3)}
    assert not groups & gone
    for table in ("fct_event", "fct_effect", "fct_deal_stage", "agg_metric", "ops_ledger"):
        left = clickhouse(settings).query(f"SELECT count() FROM crm.{table} WHERE gen > 1")  # noqa: S608 - our names
        assert left.result_rows == [(0,)], table
    assert not [*valkey(settings).scan_iter("db:2:*"), *valkey(settings).scan_iter("db:3:*")]
    newest = {(each.partition, each.key): each.value for each in read(settings, METRIC)}
    left_over = [
        key for (_, key), value in newest.items() if value and not (key or b"").startswith(b"1|")
    ]
    assert not left_over
    assert_rows_complete(settings)
