"""Engines that go away while a command runs: errors of ours, one line, never a traceback."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import clickhouse_connect.driver.exceptions as clickhouse_errors
import pytest
import redis
from confluent_kafka import Producer

from infra.commands import checks
from infra.commands.arrival import wait
from infra.commands.connect import NotMigrated, answering
from infra.commands.publishing import Outbound, Publisher
from infra.commands.settling import not_shown, not_sunk
from infra.settings import Settings, load
from schemas.errors import Unavailable

UNKNOWN_TABLE = clickhouse_errors.DatabaseError("no crm.ops_ledger", code=60, name="UNKNOWN_TABLE")
AWAY = clickhouse_errors.OperationalError("connection refused")
TARGETS = {("journal.v1", 0): 10}


class _Rows(NamedTuple):
    """What a query answers."""

    result_rows: list[tuple[str, int, int]]


class _Warehouse:
    """A ClickHouse client that fails, then answers that all is done."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)

    def query(self, _text: str, **_: Any) -> _Rows:
        """Raise the next failure, if any is left."""
        if self._failures:
            raise self._failures.pop(0)
        return _Rows([("journal.v1", 0, 10)])


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DAYBOOK_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def nobody() -> str:
    """A host and port nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_valkey_that_went_away_is_unavailable(nobody: str) -> None:
    """Asking how far Valkey is, with nobody at its port, is an error a wait asks again after."""
    with pytest.raises(Unavailable, match="Valkey"):
        not_shown(redis.Redis.from_url(f"redis://{nobody}/0"), 1, TARGETS)()


def test_a_wait_outlasts_a_clickhouse_that_is_away() -> None:
    """A driver's failure is asked again like any service that doesn't answer."""
    remaining = not_sunk(_Warehouse(AWAY), 1, TARGETS)  # type: ignore[arg-type]  # what is asked
    wait(remaining, "in ClickHouse", "daybook sink")
    assert remaining() == 0


@pytest.mark.parametrize("code", [60, 81], ids=["table", "database"])
def test_a_missing_table_says_what_to_run(code: int) -> None:
    """Waiting can't bring a table: it is a configuration error that names the command."""
    error = clickhouse_errors.DatabaseError("unknown", code=code)
    remaining = not_sunk(_Warehouse(error), 1, TARGETS)  # type: ignore[arg-type]  # what is asked
    with pytest.raises(NotMigrated, match="daybook migrate"):
        wait(remaining, "in ClickHouse", "daybook sink")


def test_only_the_engine_named_is_translated() -> None:
    """A failure of another driver, or a bug, passes as it is."""
    with pytest.raises(ZeroDivisionError), answering("ClickHouse"):
        _ = 1 / 0
    with pytest.raises(redis.RedisError), answering("ClickHouse"):
        raise redis.ConnectionError


def _fails(error: Exception) -> Callable[[Settings], checks.Finding]:
    def check(_settings: Settings) -> checks.Finding:
        with answering("ClickHouse"):
            raise error

    return check


def test_a_record_the_client_refuses_is_no_traceback() -> None:
    """A record larger than the client takes is refused when it is handed over."""
    client = Producer({"message.max.bytes": 1_000, "log_level": 0})
    with pytest.raises(Unavailable, match="too large"):
        Publisher(client).put(Outbound("crm.deal.v1", None, b"x" * 100_000, []))


def test_the_doctor_sends_who_has_no_tables_to_migrate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before `daybook migrate` a check that needs a table is a finding, with that as its todo."""
    fine = checks.Finding("x", ok=True, detail="")
    for name in ("_kafka", "_valkey", "_clickhouse", "_topics", "_schemas", "_migrations",
                 "_ingest", "_worker", "_live", "_dead_letters"):  # fmt: skip
        monkeypatch.setattr(checks, name, lambda _settings: fine)
    monkeypatch.setattr(checks, "_sink", _fails(UNKNOWN_TABLE))
    (found,) = [each for each in checks.examine(load()) if not each.ok]
    assert (found.check, found.todo) == ("sink", "daybook migrate")


@pytest.mark.parametrize(
    ("engine", "variable", "scheme", "command"),
    [
        ("Valkey", "DAYBOOK_VALKEY_URL", "redis", ("metrics", "show", "--json")),
        ("ClickHouse", "DAYBOOK_CLICKHOUSE_URL", "http", ("migrate",)),
    ],
    ids=["Valkey", "ClickHouse"],
)
def test_a_command_whose_engine_is_away_says_so_in_one_line(
    nobody: str, engine: str, variable: str, scheme: str, command: tuple[str, ...]
) -> None:
    """No traceback and no line of the driver: engine, place and what to try; exit 1."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", *command],
        env={**os.environ, variable: f"{scheme}://{nobody}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"daybook: {engine} at {nobody} does not answer")
