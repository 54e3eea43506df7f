"""The command line: every command explains itself, and failures are one line and a code."""

import io
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from infra.cli import app
from infra.commands.durations import seconds
from infra.commands.group import exit_code, one_line
from infra.commands.output import say
from infra.settings import Settings, example
from schemas.errors import (
    ConfigurationError,
    CorruptLog,
    DaybookError,
    InvalidEvent,
    Refused,
    Unavailable,
)

RUNNER = CliRunner()
LEAVES = (
    ("ingest",), ("worker",), ("sink",), ("live",), ("gateway",), ("api",),
    ("migrate",), ("settings",), ("emit",), ("import",), ("simulate",), ("tail",),
    ("apply",), ("get",), ("validate",), ("doctor",),
    ("topics", "create"), ("topics", "describe"), ("dlq", "list"), ("dlq", "show"),
    ("dlq", "retry"), ("dlq", "drop"), ("metrics", "list"), ("metrics", "show"),
    ("schemas", "list"), ("schemas", "show"), ("dev", "up"), ("dev", "down"), ("dev", "status"),
    ("dev", "logs"), ("snapshots", "take"), ("snapshots", "list"), ("snapshots", "prune"),
    ("verify",), ("token",), ("publish",), ("listen",),
)  # fmt: skip
PROGRAMS_READ = (
    ("migrate",), ("settings",), ("emit",), ("import",), ("simulate",), ("tail",), ("apply",),
    ("get",), ("validate",), ("doctor",), ("topics", "create"), ("topics", "describe"),
    ("dlq", "list"), ("dlq", "show"), ("dlq", "retry"), ("dlq", "drop"), ("metrics", "list"),
    ("metrics", "show"), ("schemas", "list"), ("schemas", "show"), ("dev", "status"),
    ("snapshots", "take"), ("snapshots", "list"), ("snapshots", "prune"), ("verify",),
    ("token",), ("publish",), ("listen",),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DAYBOOK_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("origin", ["1200", "0:1200,1:1180", "2026-03-01T00:00Z", "yesterday"])
def test_replay_from_elsewhere_is_refused_with_what_to_do(origin: str) -> None:
    """A fold that begins later would be wrong in silence; looking at the past needs no replay."""
    answer = RUNNER.invoke(app, ["replay", "start", "--from", origin])
    assert answer.exit_code == 2
    assert f"daybook metrics show --as-of {origin}" in answer.stderr
    assert f"daybook replay what-if FILE --from {origin}" in answer.stderr


def test_help_names_every_command() -> None:
    """`daybook --help` lists all commands."""
    shown = RUNNER.invoke(app, ["--help"]).output
    assert [name for name, *_ in LEAVES if f"  {name} " not in shown] == []


@pytest.mark.parametrize("command", LEAVES, ids=" ".join)
def test_every_command_shows_an_example_of_itself(command: tuple[str, ...]) -> None:
    """The help of a command ends with a line that runs it."""
    result = RUNNER.invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Example: " in result.output
    assert f"daybook {' '.join(command)}" in " ".join(result.output.split())


@pytest.mark.parametrize("command", PROGRAMS_READ, ids=" ".join)
def test_what_a_program_may_read_comes_as_json(command: tuple[str, ...]) -> None:
    """Commands with an answer take --json."""
    assert "--json" in RUNNER.invoke(app, [*command, "--help"]).output


def test_the_version_is_that_of_the_package() -> None:
    """`--version` prints it alone, and needs no command."""
    result = RUNNER.invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"{version('daybook')}\n")


def test_a_line_of_the_answer_is_passed_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads us through a pipe has each line as it is said, not when a buffer is full."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(raw)))
    say("one")
    assert raw.getvalue() == b"one\n"


def test_help_imports_no_engine_client() -> None:
    """Listing the commands loads none of the heavy libraries, so it answers at once."""
    heavy = "confluent_kafka clickhouse_connect redis faust chdb pydantic structlog pyarrow yaml"
    code = (
        f"import sys, infra.cli\nprint([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_an_unknown_command_is_a_usage_error() -> None:
    """A mistyped command exits 2 and suggests the right one."""
    result = RUNNER.invoke(app, ["topcis"])
    assert result.exit_code == 2
    assert "topics" in result.output


def test_a_wrong_setting_is_one_line_and_exit_2(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong variable is named in a single line, without a traceback."""
    monkeypatch.setenv("DAYBOOK_PARTITIONS", "many")
    result = RUNNER.invoke(app, ["settings"])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "DAYBOOK_PARTITIONS" in line


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("DAYBOOK_X", "is wrong"), 2),
        (Unavailable("Kafka", 1.0, "refused"), 1),
        (Refused(404, "no such letter"), 1),
        (InvalidEvent("missing_field", "data.deal_id", "Field required"), 1),
        (CorruptLog("journal.v1/0: hole"), 70),
        (DaybookError("anything else"), 1),
    ],
)
def test_each_failure_has_its_code_and_one_line(error: DaybookError, code: int) -> None:
    """The exit code follows from the class; the text is a single line."""
    assert exit_code(error) == code
    assert len(one_line(error).splitlines()) == 1


def test_an_invalid_event_names_reason_and_path() -> None:
    """The line has what a script needs to find the fault."""
    text = one_line(InvalidEvent("missing_field", "data.deal_id", "Field required"))
    assert "missing_field" in text
    assert "data.deal_id" in text


def test_settings_hide_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither form of the listing shows a password; the user stays."""
    monkeypatch.setenv("DAYBOOK_CLICKHOUSE_URL", "http://ada:secret@127.0.0.1:8123")
    monkeypatch.setenv("DAYBOOK_VALKEY_URL", "redis://:secret@127.0.0.1:6379/0")
    for arguments in (["settings"], ["settings", "--json"]):
        shown = RUNNER.invoke(app, arguments).output
        assert "secret" not in shown
        assert "http://ada:***@127.0.0.1:8123" in shown
        assert "redis://:***@127.0.0.1:6379/0" in shown


def test_settings_print_the_example_file() -> None:
    """`--example` prints the text of .env.example."""
    assert RUNNER.invoke(app, ["settings", "--example"]).output == example()


def test_metrics_list_names_unit_and_meaning() -> None:
    """The catalogue is listed without anything running, ratios included."""
    found = {
        each["metric"]: each
        for each in json.loads(RUNNER.invoke(app, ["metrics", "list", "--json"]).stdout)
    }
    assert found["won_amount"]["unit"] == "minor"
    assert found["win_rate"]["unit"] == "ratio"
    assert all(each["description"] for each in found.values())


def test_going_down_needs_a_target() -> None:
    """`migrate --down` without --to would drop everything: it is refused as usage."""
    assert RUNNER.invoke(app, ["migrate", "--down"]).exit_code == 2


def test_import_dry_run_needs_nothing_running() -> None:
    """A dry run reads the example and prints its totals as JSON."""
    result = RUNNER.invoke(app, ["import", "b2b-pipeline", "--dry-run", "--json"])
    found = json.loads(result.stdout)
    assert (found["deals"], found["won_minor"], found["dry_run"]) == (8_800, 1_000_553_400, True)


def test_import_of_bad_rows_stops_before_anything_is_sent(tmp_path: Path) -> None:
    """Bad rows are listed with file and line, and the exit code is 1."""
    example_files = Path(__file__).parents[2] / "examples" / "b2b-pipeline"
    for file in example_files.glob("*.csv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    pipeline = tmp_path / "sales_pipeline.csv"
    lines = pipeline.read_text().splitlines()
    lines[4] = lines[4].replace("Won", "Wom")
    pipeline.write_text("\n".join(lines[:10]) + "\n")
    result = RUNNER.invoke(app, ["import", str(tmp_path), "--dry-run"])
    assert result.exit_code == 1
    assert "sales_pipeline.csv:5: unknown stage 'Wom'" in result.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [("60s", 60.0), ("1.5m", 90.0), ("2h", 7200.0), ("250ms", 0.25), ("7", 7.0), ("1d", 86400.0)],
)
def test_lengths_of_time_are_read(text: str, expected: float) -> None:
    """Units from ms to d; a bare number is seconds."""
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5 minutes", "1e3s"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    """Anything else is a usage error."""
    with pytest.raises(typer.BadParameter):
        seconds(text)
