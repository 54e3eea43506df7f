"""The command line against the whole stack, as a person uses it: the demo first, then the rest.

Every command finds the stack by its data directory alone; each test has a tenant of its own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.running import wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

SETTINGS = """
kind: settings
tenant: definitions
spec: {timezone: Europe/Berlin, currency: EUR}
"""
Daybook = Callable[..., "subprocess.CompletedProcess[str]"]


def _environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    return {**kept, "DAYBOOK_DATA": str(data)}


def _argv(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "infra.cli", *arguments]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of the stack."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def daybook(data: Path) -> Daybook:
    """Run `daybook ...` and return what it said; exit codes other than `code` fail."""

    def run(
        *arguments: str, code: int = 0, given: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            _argv(*arguments),
            env=_environment(data),
            input=given,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == code, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture(scope="module", autouse=True)
def totals(daybook: Daybook) -> Iterator[dict[str, Any]]:
    """What the demo printed; it leaves the stack that all tests here use."""
    shown = daybook("demo", "--until-imported", "--detach", "--json")
    yield dict(json.loads(shown.stdout))
    daybook("dev", "down")


def _json(daybook: Daybook, *arguments: str, code: int = 0) -> Any:
    return json.loads(daybook(*arguments, "--json", code=code).stdout)


def _event(tenant: str, number: int, **data: object) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "test",
        "type": "crm.deal.won.v1",
        "tenantid": tenant,
        "time": "2026-01-01T00:00:00Z",
        "data": {"deal_id": f"d-{number}", "amount_minor": 250, "currency": "USD", **data},
    }


def _value(daybook: Daybook, tenant: str, metric: str) -> Callable[[], float | None]:
    def value() -> float | None:
        done = subprocess.run(
            _argv("metrics", "show", metric, "--tenant", tenant, "--json"),
            env=_environment(daybook_data(daybook)),
            capture_output=True,
            text=True,
            check=False,
        )
        rows = json.loads(done.stdout) if done.returncode == 0 else []
        return rows[0]["value"] if rows else None

    return value


def daybook_data(daybook: Daybook) -> Path:
    """Return the data directory a runner is bound to."""
    return Path(json.loads(daybook("settings", "--json").stdout)["data"])


def test_the_demo_shows_the_published_totals_everywhere(totals: dict[str, Any]) -> None:
    """ClickHouse's report and Valkey have the published figures of the imported pipeline."""
    assert totals["agree"] is True
    for store in ("clickhouse", "valkey"):
        found = totals[store]
        assert found["deals_created"] == 8_800
        assert (found["deals_won"], found["deals_lost"], found["open_deals"]) == (
            4_238,
            2_473,
            2_089,
        )
        assert found["won_amount"] == 1_000_553_400
        assert found["regions"] == {
            "Central": 334_629_300,
            "East": 309_059_400,
            "West": 356_864_700,
        }


def test_an_event_by_http_becomes_a_figure_by_http(daybook: Daybook) -> None:
    """What the API takes is in its metrics, and in the contact's timeline, once."""
    api = _json(daybook, "dev", "status")["endpoints"]["api"] + "/api/v1"
    token = daybook("token", "--tenant", "http", "--user", "crm", "--role", "admin").stdout.strip()
    event = _event("http", 1, contact_id="c-1")
    with httpx.Client(headers={"authorization": f"Bearer {token}"}) as client:
        for _ in range(2):
            answer = client.post(
                f"{api}/events",
                content=json.dumps([event]),
                headers={"content-type": "application/cloudevents-batch+json"},
            )
            assert (answer.status_code, answer.json()["events"][0]["topic"]) == (202, "crm.deal.v1")

        def won() -> Any:
            answer = client.get(f"{api}/metrics/deals_won", params={"grain": "day"})
            assert answer.status_code == 200, answer.text
            return [each["value"] for each in answer.json()["series"]["points"]]

        wait_for(lambda: won() == [1.0], "the deal in the metric")
        timeline = client.get(f"{api}/contacts/c-1/timeline").json()
    assert [(each["id"], each["data"]["deal_id"]) for each in timeline["events"]] == [
        ("e-1", "d-1")
    ]


def test_a_second_import_changes_nothing(daybook: Daybook) -> None:
    """Importing the same files again is accepted and leaves every figure as it was."""
    daybook("import", "b2b-pipeline")
    (row,) = _json(daybook, "metrics", "show", "won_amount", "--tenant", "b2b")
    assert (row["value"], row["count"]) == (1_000_553_400, 4_238)


def test_every_view_of_the_import_agrees(daybook: Daybook) -> None:
    """Verify finds tables, ClickHouse, Valkey and the fold of the journal equal, every bucket."""
    found = _json(daybook, "verify", "--tenant", "b2b")
    assert found["outcome"] == "equal"
    assert found["parts"] > 100_000
    assert all(each["agree"] for each in found["compared"])


def test_a_changed_bucket_ends_verify_with_its_entries(daybook: Daybook) -> None:
    """A value altered in Valkey behind our back: the bucket, the entry that made it, exit 1."""
    import redis

    from schemas.codec import decode_partial, encode_partial
    from sinks.live.read import read_hash
    from sinks.mapping.valkey import hash_key

    _emit(daybook, [_event("altered", 1)])
    wait_for(_value(daybook, "altered", "deals_won"), "the deal is counted")
    client = redis.Redis.from_url(_json(daybook, "settings")["valkey_url"])
    key = hash_key(1, "altered", "deals_won", "all", "")
    ((field, value),) = read_hash(client, key).items()
    wrong = encode_partial(decode_partial(value)._replace(sum=2))
    try:
        client.hset(key, field, wrong)
        shown = daybook("verify", "--tenant", "altered", code=1).stdout
        assert "Valkey: altered deals_won all" in shown
        assert "crm.deal.won.v1 id e-1" in shown
    finally:
        client.hset(key, field, value)


@pytest.mark.parametrize("avro", [False, True], ids=["json", "avro"])
def test_an_emitted_event_is_counted(daybook: Daybook, *, avro: bool) -> None:
    """Emit prints where the event went; soon its metric has it, in either encoding."""
    tenant = f"emit-{'avro' if avro else 'json'}"
    went = _emit(daybook, [_event(tenant, 1)], *(["--avro"] if avro else []))
    assert went[0]["topic"] == "crm.deal.v1"
    assert wait_for(_value(daybook, tenant, "won_amount"), "the deal is counted") == 250


def test_the_same_event_twice_counts_once(daybook: Daybook) -> None:
    """A repeat of id and source changes nothing, even before something that does."""
    _emit(daybook, [_event("twice", 1), _event("twice", 1), _event("twice", 2)])
    value = _value(daybook, "twice", "deals_won")
    assert wait_for(lambda: (found := value()) and found >= 2 and found, "both are counted") == 2


def test_tail_decodes_the_journal_of_one_tenant(daybook: Daybook) -> None:
    """Tail shows an emitted event as the journal has it, with its coordinates."""
    _emit(daybook, [_event("tail", 1)])
    arguments = ("tail", "journal.v1", "--from-beginning", "--tenant", "tail", "--limit", "1")
    (line,) = daybook(*arguments, "--json").stdout.splitlines()
    entry = json.loads(line)
    assert (entry["id"], entry["type"]) == ("e-1", "crm.deal.won.v1")
    assert entry["data"]["amount_minor"] == 250
    assert "crm.deal.won.v1" in daybook(*arguments).stdout


def test_a_definition_takes_effect_at_an_offset_of_each_partition(
    daybook: Daybook, tmp_path: Path
) -> None:
    """Apply --wait reports one journal offset per partition; applied again it is unchanged."""
    file = tmp_path / "settings.yaml"
    file.write_text(SETTINGS)
    planned = _json(daybook, "apply", "-f", str(file), "--dry-run")
    assert [row["change"] for row in planned] == ["created"]
    (applied,) = _json(daybook, "apply", "-f", str(file), "--wait")
    assert set(applied["took_effect"]) == {"0", "1", "2", "3"}
    (again,) = _json(daybook, "apply", "-f", str(file))
    assert again["change"] == "unchanged"
    (found,) = _json(daybook, "get", "settings", "--tenant", "definitions")
    assert found["spec"]["timezone"] == "Europe/Berlin"


def test_what_get_prints_can_be_applied(daybook: Daybook, tmp_path: Path) -> None:
    """The YAML of get is a file apply reads, and it changes nothing."""
    file = tmp_path / "settings.yaml"
    file.write_text(SETTINGS.replace("tenant: definitions", "tenant: roundtrip"))
    daybook("apply", "-f", str(file), "--wait")
    file.write_text(daybook("get", "--tenant", "roundtrip").stdout)
    (row,) = _json(daybook, "apply", "-f", str(file))
    assert row["change"] == "unchanged"


def test_a_dead_letter_is_listed_retried_and_dropped(daybook: Daybook) -> None:
    """A forced invalid event becomes a letter; a retry fails into a new one; a drop settles it."""
    broken = _event("letters", 1)
    broken["type"] = "crm.deal.daydreamed.v1"
    went = _emit(daybook, [broken], "--force")[0]
    source = f"{went['topic']}:{went['partition']}:{went['offset']}"

    def listed() -> dict[str, str]:
        found = _json(daybook, "dlq", "list", "--reason", "unknown_type")
        return {each["source"]: each["path"] for each in found}

    assert wait_for(lambda: listed().get(source), "the letter is listed") == "type"
    shown = _json(daybook, "dlq", "show", source)
    assert json.loads(shown["value"])["id"] == "e-1"
    daybook("dlq", "retry", source, "--dry-run")
    assert source in listed()
    daybook("dlq", "retry", source, "--yes")
    (again,) = wait_for(lambda: set(listed()) - {source}, "it came back under new coordinates")
    assert source not in listed()
    daybook("dlq", "drop", again, "--yes")
    assert again not in listed()
    daybook("dlq", "show", again, code=1)


def test_simulated_traffic_of_all_tenants_agrees_while_it_runs(daybook: Daybook) -> None:
    """Verify finds no difference under traffic: each value counts where it stands."""
    with subprocess.Popen(
        _argv("simulate", "--rate", "100", "--seed", "7", "--for", "15m"),
        env=_environment(daybook_data(daybook)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as traffic:
        try:
            wait_for(_value(daybook, "nordlicht", "leads_created"), "leads are counted")
            found = _json(daybook, "verify", "--tenant", "nordlicht")
            assert found["outcome"] == "equal"
            assert found["parts"] > 0
        finally:
            traffic.send_signal(signal.SIGINT)
        assert traffic.wait(60) == 130


def test_topics_are_as_they_should_be_and_a_drift_is_mended(daybook: Daybook) -> None:
    """A topic setting changed by hand shows in describe and doctor, and create puts it right."""
    from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not in its stubs
        AdminClient,
        AlterConfigOpType,
        ConfigEntry,
        ConfigResource,
        ResourceType,
    )

    assert [t["problem"] for t in _json(daybook, "topics", "describe") if t["problem"]] == []
    admin = AdminClient({"bootstrap.servers": _json(daybook, "settings")["kafka"]})
    entry = ConfigEntry("retention.ms", "1000000000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, "journal.v1", incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(30)
    (wrong,) = [t for t in _json(daybook, "topics", "describe") if t["problem"]]
    assert wrong["drift"] == {"retention.ms": "1000000000"}
    findings = {each["check"]: each for each in _json(daybook, "doctor", code=1)}
    assert findings["topics"]["todo"] == "daybook topics create"
    daybook("topics", "create")
    assert [t["problem"] for t in _json(daybook, "topics", "describe") if t["problem"]] == []


def test_another_partition_count_is_refused(
    daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partitions can't be changed in place: topics create says so and exits 2."""
    monkeypatch.setenv("DAYBOOK_PARTITIONS", "8")
    done = subprocess.run(
        _argv("topics", "create"),
        env={**_environment(daybook_data(daybook)), "DAYBOOK_PARTITIONS": "8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "DAYBOOK_PARTITIONS" in done.stderr


def test_the_doctor_finds_a_process_that_is_down(daybook: Daybook) -> None:
    """With `live` held down doctor names it, with what to do; back up, it is fine again."""
    from infra.embedded.running import RunningStack

    stack = RunningStack.find(daybook_data(daybook))
    assert stack is not None

    def live() -> dict[str, Any]:
        done = subprocess.run(
            _argv("doctor", "--json"),
            env=_environment(daybook_data(daybook)),
            capture_output=True,
            text=True,
            check=False,
        )
        findings: dict[str, dict[str, Any]] = {
            each["check"]: each for each in json.loads(done.stdout)
        }
        return findings["live"]

    assert live()["ok"]
    stack.hold("live")
    stack.kill("live", signal.SIGTERM)
    found = wait_for(lambda: (now := live()) and not now["ok"] and now, "it is missed")
    assert "daybook live" in found["todo"]
    stack.release("live")
    wait_for(lambda: live()["ok"], "it is back")


def test_ctrl_c_ends_the_demo_with_everything_it_started(tmp_path: Path) -> None:
    """An interrupted demo says one line, exits 130 and leaves no process behind."""
    status = tmp_path / "demo" / "status.json"
    with subprocess.Popen(
        _argv("demo", "--data", str(status.parent)),
        env=_environment(status.parent),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        pids = wait_for(lambda: _healthy_pids(status), "an engine is up", 120)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said.splitlines()[-2:] == ["stopping what has been started", "interrupted"]
    assert "Traceback" not in said
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "something is still running"
        time.sleep(0.05)


def _healthy_pids(status: Path) -> list[int]:
    try:
        found = json.loads(status.read_bytes())
    except (OSError, ValueError):
        return []
    ready = [each["name"] for each in found["processes"] if each["healthy"]]
    return [each["pid"] for each in found["processes"] if each["pid"]] if "kafka" in ready else []


def _emit(daybook: Daybook, events: list[dict[str, Any]], *options: str) -> list[dict[str, Any]]:
    lines = "\n".join(json.dumps(event) for event in events)
    said = daybook("emit", "-", "--json", *options, given=lines).stdout
    return [json.loads(line) for line in said.splitlines()]
