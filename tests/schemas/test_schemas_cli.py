"""`daybook schemas`: list, show, check, write."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra import schemas_cli
from schemas.avro import full_name, header_of
from schemas.cloudevents import read
from schemas.errors import ConfigurationError
from schemas.released import RECORDS, releases


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(schemas_cli.app, arguments, catch_exceptions=False)
    return result.exit_code, result.stdout


def test_list_names_every_schema_with_its_fingerprint() -> None:
    """What a consumer needs to find the schema of bytes it holds."""
    code, out = _run("list", "--json")
    rows = json.loads(out)
    assert code == 0
    assert len(rows) == sum(map(len, releases().values()))
    won = next(row for row in rows if row["type"] == "crm.deal.won.v1")
    schema = releases()["daybook.events.DealWon"][0].schema
    assert bytes.fromhex(won["fingerprint"]) == header_of(schema)[2:]
    assert (won["kind"], won["version"], won["file"]) == ("events", 1, "events.DealWon.v1.avsc")
    assert "events.DealWon.v1.avsc" in _run("list")[1]


@pytest.mark.parametrize("name", ["crm.deal.won.v1", "DealWon", "daybook.events.DealWon"])
def test_show_prints_examples_that_are_events(name: str) -> None:
    """Both can be sent as they are and say the same."""
    shown = json.loads(_run("show", name, "--json")[1])
    now_ms = 1_767_225_600_000
    binary = shown["binary"]
    headers = [(key, text.encode()) for key, text in binary["headers"].items()]
    one = read(headers, json.dumps(binary["value"]).encode(), now_ms=now_ms)
    two = read([], json.dumps(shown["structured"]).encode(), now_ms=now_ms)
    assert one == two
    assert shown["avro"]["name"] == "DealWon"
    text = _run("show", name)[1]
    assert '"ce_type": "crm.deal.won.v1"' in text
    assert '"specversion": "1.0"' in text


def test_show_of_a_row_has_no_example() -> None:
    """Nobody sends one."""
    shown = json.loads(_run("show", "state.Head", "--json")[1])
    assert set(shown) == {"name", "about", "versions", "avro"}


def test_show_of_an_unknown_name_says_where_to_look() -> None:
    """A name nobody has is a usage error."""
    with pytest.raises(ConfigurationError, match="daybook schemas list"):
        _run("show", "Nothing")


def test_check_answers_by_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """0 when all is well, 1 with the problems when not."""
    assert _run("check") == (0, f"{len(RECORDS)} schemas checked, no problems\n")
    assert json.loads(_run("check", "--json")[1]) == {"records": len(RECORDS), "problems": []}
    monkeypatch.setattr(schemas_cli, "problems", lambda: ["x: differs"])
    assert _run("check") == (1, f"x: differs\n{len(RECORDS)} schemas checked, 1 problems\n")


def test_write_writes_nothing_when_nothing_changed(tmp_path: Path) -> None:
    """A released file is never touched."""
    assert _run("write", "--directory", str(tmp_path)) == (0, "every schema is what its class is\n")
    assert list(tmp_path.iterdir()) == []


def test_write_adds_a_version_beside_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or, while nothing was released, writes the newest anew."""
    changed = releases()["daybook.state.Deal"][0]
    older = changed._replace(schema=changed.schema | {"fields": changed.schema["fields"][:-1]})
    monkeypatch.setattr(
        schemas_cli,
        "releases_of",
        lambda record: (older,) if record.__name__ == "Deal" else releases()[full_name(record)],
    )
    _, out = _run("write", "--directory", str(tmp_path), "--json")
    assert json.loads(out) == {"written": ["state.Deal.v2.avsc"]}
    assert json.loads((tmp_path / "state.Deal.v2.avsc").read_text()) == changed.schema
    _, out = _run("write", "--directory", str(tmp_path), "--unreleased")
    assert out == "wrote state.Deal.v1.avsc\n"


def test_write_needs_a_checkout(tmp_path: Path) -> None:
    """An installed package is no place to write to."""
    with pytest.raises(ConfigurationError, match="no directory"):
        _run("write", "--directory", str(tmp_path / "none"))
