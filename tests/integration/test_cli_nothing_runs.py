"""What the command line says when nothing runs."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.settings import Settings

pytestmark = pytest.mark.integration

RUNNER = CliRunner()
NOWHERE = {
    "DAYBOOK_KAFKA": "127.0.0.1:1",
    "DAYBOOK_VALKEY_URL": "redis://127.0.0.1:1/0",
    "DAYBOOK_CLICKHOUSE_URL": "http://default:@127.0.0.1:1",
}


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DAYBOOK_{name.upper()}", raising=False)
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("infra.commands.connect.TIMEOUT_S", 0.3)


@pytest.mark.parametrize(
    "command",
    [
        ("topics", "describe"),
        ("tail", "journal.v1"),
        ("dlq", "list"),
        ("get",),
        ("migrate",),
        ("metrics", "show", "--tenant", "b2b"),
        ("import", "b2b-pipeline"),
        ("simulate", "--for", "1s"),
    ],
    ids=" ".join,
)
def test_the_answer_says_how_to_start_it(command: tuple[str, ...]) -> None:
    """A command whose engine is away exits 1 with one line and a hint, soon."""
    began = time.monotonic()
    result = RUNNER.invoke(app, list(command))
    assert result.exit_code == 1
    assert "daybook dev up" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output
    assert time.monotonic() - began < 20


def test_doctor_reports_dead_engines_instead_of_failing() -> None:
    """Doctor gives one finding per engine, each with what to do, and exits 1."""
    result = RUNNER.invoke(app, ["doctor", "--json"])
    findings = {each["check"]: each for each in json.loads(result.stdout)}
    assert result.exit_code == 1
    for engine in ("Kafka", "Valkey", "ClickHouse"):
        assert not findings[engine]["ok"]
        assert findings[engine]["todo"]
    assert findings["schemas"]["ok"]
