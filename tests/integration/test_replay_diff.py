"""Generations are compared exactly while events keep coming, and decisions without any."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from infra.cli import app as cli
from infra.commands.topic_state import converge
from infra.embedded.ports import free_port
from infra.generations.registry import change
from infra.settings import Settings
from schemas.generation import app_of
from schemas.topics import Topic, state_of
from tests.integration.conftest import PARTITIONS
from tests.integration.running import Running, wait_for
from tests.integration.traffic import JournalWriter, events

pytestmark = pytest.mark.integration

LOST = "crm.deal.lost.v1"
UNTOUCHED = {"deals_created", "tasks_created", "tasks_overdue"}
"""Metrics that have nothing to do with a lost deal."""
OTHERWISE = """
kind: settings
tenant: acme
spec: {timezone: Pacific/Kiritimati}
"""

Daybook = Callable[..., dict[str, Any]]


@pytest.fixture
def daybook(kafka: str, app: str, monkeypatch: pytest.MonkeyPatch) -> Daybook:
    """Run `daybook replay …` and return its JSON; another exit code than `code` fails."""
    monkeypatch.setenv("DAYBOOK_KAFKA", kafka)
    monkeypatch.setenv("DAYBOOK_APP", app)

    def run(*arguments: str, code: int) -> dict[str, Any]:
        done = CliRunner().invoke(cli, ["replay", *arguments, "--json"])
        assert done.exit_code == code, done.output
        return dict(json.loads(done.stdout))

    return run


class Generations:
    """Generations of one installation as a replay registers them, each with a worker."""

    def __init__(self, kafka: str, app: str, logs: Path) -> None:
        self._kafka, self._app, self._logs = kafka, app, logs
        self._settings = Settings(kafka=kafka, app=app)

    def live(self) -> Running:
        """Return the worker of generation 1; the test's topics are its own."""
        return self._worker(1, {})

    def begin(self, *, blind_to: str = "", **selected: Any) -> Running:
        """Register the next generation and return its worker.

        Args:
            blind_to: Event type that its rules don't know.
            selected: `tenant` or `metrics`.
        """
        _, record = change(
            self._settings, lambda registry, now_ms: registry.start(at_ms=now_ms, **selected)
        )
        assert record is not None
        self._create(state_of(record.app, PARTITIONS))
        return self._worker(record.number, {**selected, "tick_ms": 0}, blind_to)

    def _worker(self, number: int, more: dict[str, Any], blind_to: str = "") -> Running:
        name = app_of(self._app, number)
        config = {"bootstrap": self._kafka, "app": name, "instance": f"w{number}",
                  "generation": number, "metrics_port": free_port(), **more}  # fmt: skip
        faults = {"blind_to": {"event_type": blind_to}} if blind_to else {}
        return Running("worker", self._logs / f"g{number}.log", config, faults)

    def _create(self, topic: Topic) -> None:
        converge(AdminClient({"bootstrap.servers": self._kafka}), [topic])


@pytest.fixture
def generations(kafka: str, app: str, tmp_path: Path) -> Generations:
    """Generations of this test's installation."""
    return Generations(kafka, app, tmp_path)


def has_folded(worker: Running, entries: int) -> bool:
    """Tell whether a worker has applied so many entries, ticks included, over all partitions."""
    health = worker.health()
    if not health or health["lanes_owned"] < PARTITIONS:
        return False
    applied = sum(place["applied"] + 1 for place in health["partitions"].values())
    return bool(applied >= entries)


def test_generations_are_compared_at_the_offsets_both_have_applied(
    kafka: str, generations: Generations, daybook: Daybook, tmp_path: Path
) -> None:
    """One that stopped is equal at its own place; other rules show exactly what they touch."""
    writer, stream = JournalWriter(kafka), events(seed=4, count=4_000)
    with generations.live() as live:
        writer.write_some(stream, 1_000)
        with generations.begin(tenant="acme") as part, generations.begin(blind_to=LOST) as blind:
            wait_for(lambda: has_folded(part, 1_000), "generation 2 has folded some", 120)
            wait_for(lambda: has_folded(blind, 1_000), "generation 3 has folded some", 120)
            assert part.terminate() == blind.terminate() == 0
        writer.write_some(stream, 1_000)
        wait_for(lambda: has_folded(live, 2_000), "the live one goes on", 120)

        same = daybook("diff", "2", code=0)
        assert same["equal"]
        assert same["buckets"] > 10
        found = daybook("diff", "3", "--grain", "day", code=1)
        writer.write_some(stream, 500)

        differing = {each["metric"] for each in found["totals"]}
        assert "deals_lost" in differing
        assert differing.isdisjoint(UNTOUCHED)
        lost = [each for each in found["differences"] if each["metric"] == "deals_lost"]
        assert lost
        assert all(each["after"]["count"] == 0 < each["before"]["count"] for each in lost)
        assert daybook("diff", "3", "--metric", "deals_created", code=0)["buckets"] > 0
        assert daybook("diff", "3", "--tenant", "nobody", code=1)["buckets"] == 0

        file = tmp_path / "settings.yaml"
        file.write_text(OTHERWISE)
        moved = daybook("what-if", str(file), "--html", str(tmp_path / "page.html"), code=0)
        changed = {(each["tenant"], each["grain"]) for each in moved["differences"]}
        assert changed == {("acme", "day")}
        assert moved["effects"] == []
        assert "Pacific/Kiritimati" in (tmp_path / "page.html").read_text()
        assert live.terminate() == 0
