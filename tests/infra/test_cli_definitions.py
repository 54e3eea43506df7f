"""Definitions in YAML: checked whole, every problem by its place."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.commands.definition_files import change, read_text
from infra.commands.definition_log import outgoing

BERLIN = """
kind: settings
tenant: b2b
spec:
  timezone: Europe/Berlin
  currency: EUR
  first_contact_within: PT4H
"""
RUNNER = CliRunner()


def test_several_documents_are_several_definitions() -> None:
    """Documents are separated by ---; an empty one between them is nothing."""
    definitions, problems = read_text(f"{BERLIN}---\n---\n{BERLIN.replace('b2b', 'other')}")
    assert problems == []
    assert [each.name for each in definitions] == ["b2b/settings/default", "other/settings/default"]


@pytest.mark.parametrize(
    ("wrong", "document", "path"),
    [
        (BERLIN.replace("Europe/Berlin", "Mars/Crater"), 1, "spec.timezone"),
        (BERLIN.replace("EUR", "euro"), 1, "spec.currency"),
        (BERLIN.replace("kind: settings", "kind: wishes"), 1, "kind"),
        (BERLIN.replace("b2b", "B2B"), 1, "tenant"),
        (BERLIN.replace("tenant: b2b", "colour: red"), 1, "tenant"),
        (f"{BERLIN}---\nkind: settings\ntenant: b2b\n", 2, "spec"),
    ],
)
def test_a_problem_is_told_by_document_and_path(wrong: str, document: int, path: str) -> None:
    """Each wrong document names the place, dotted, as an editor would find it."""
    _, problems = read_text(wrong)
    assert (document, path) in [(each.document, each.path) for each in problems]


def test_broken_yaml_is_a_problem_with_its_line() -> None:
    """What isn't YAML is told by its line, and what came before it is still read."""
    definitions, problems = read_text(f"{BERLIN}---\nkind: [settings\n")
    assert len(definitions) == 1
    assert [each.document for each in problems] == [2]
    assert "line" in problems[0].detail


def test_the_same_spec_written_otherwise_is_unchanged() -> None:
    """Order of keys and spelled-out defaults make no difference."""
    ((first,), _), ((second,), _) = (
        read_text(BERLIN),
        read_text(
            "spec: {currency: EUR, first_contact_within: 14400, timezone: Europe/Berlin}\n"
            "tenant: b2b\nkind: settings\nid: default\n"
        ),
    )
    assert change(first, second.event) == "unchanged"
    assert change(first, None) == "created"
    ((other,), _) = read_text(BERLIN.replace("EUR", "USD"))
    assert change(other, first.event) == "changed"


def test_a_definition_travels_under_its_own_key() -> None:
    """The topic is compacted by tenant, kind and id, so that is the key."""
    ((definition,), _) = read_text(BERLIN)
    record = outgoing(definition, 1_767_225_600_000).record()
    assert (record.topic, record.key) == ("crm.definition.v1", b"b2b|settings|default")


def test_applying_twice_at_different_times_is_two_events() -> None:
    """Going back to an earlier spec is a new event, not a duplicate of the first."""
    ((definition,), _) = read_text(BERLIN)
    assert outgoing(definition, 1).id != outgoing(definition, 2).id
    assert outgoing(definition, 1).id == outgoing(definition, 1).id


def test_validate_prints_every_problem_and_exits_1(tmp_path: Path) -> None:
    """All documents are checked before the answer."""
    file = tmp_path / "settings.yaml"
    file.write_text(
        BERLIN.replace("EUR", "euro") + "---\n" + BERLIN.replace("Europe/Berlin", "Mars/Crater")
    )
    result = RUNNER.invoke(app, ["validate", "-f", str(file)])
    assert result.exit_code == 1
    assert "settings.yaml, document 1, spec.currency" in result.stderr
    assert "settings.yaml, document 2, spec.timezone" in result.stderr


def test_validate_accepts_a_good_file(tmp_path: Path) -> None:
    """A valid file is named definition by definition, exit 0; nothing needs to run."""
    file = tmp_path / "settings.yaml"
    file.write_text(BERLIN)
    result = RUNNER.invoke(app, ["validate", "-f", str(file)])
    assert (result.exit_code, result.stdout) == (0, "b2b/settings/default: valid\n")
