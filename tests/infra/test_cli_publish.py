"""`daybook publish`: what it takes, and what it says of the rest."""

import json

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.commands.publish import push_of
from schemas.errors import InvalidEvent

RUNNER = CliRunner()
NOW_MS = 1_800_000_000_000


def line(**changed: object) -> str:
    """Return a line that is right but for what is changed."""
    return json.dumps({"tenant": "b2b", "channel": "chat:lobby", "data": {"n": 1}} | changed)


def test_a_line_becomes_a_push_record() -> None:
    """With its id, or one made for it."""
    record = push_of(line(id="m-1"), now_ms=NOW_MS)
    assert (record.key, record.id, record.at_ms) == (b"b2b|chat:lobby", "m-1", NOW_MS)
    assert json.loads(record.data) == {"n": 1}
    assert push_of(line(), now_ms=NOW_MS).id


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("no JSON", ""),
        ("[]", ""),
        (line(tenant="B2B"), "tenant"),
        (line(tenant=None), "tenant"),
        (line(channel="lobby"), "channel"),
        (line(channel="metrics:overview"), "channel"),
        (line(channel=7), "channel"),
        (line(data=[1]), "data"),
        (line(data={"text": "x" * 70_000}), "data"),
        (line(id=""), "id"),
    ],
)
def test_what_is_wrong_is_named(text: str, path: str) -> None:
    """The field, so that it can be mended."""
    with pytest.raises(InvalidEvent) as wrong:
        push_of(text, now_ms=NOW_MS)
    assert wrong.value.path == path


def test_dry_run_checks_every_line_and_needs_no_kafka() -> None:
    """A wrong line doesn't end it; the exit code says that there was one."""
    given = "\n".join([line(), "", line(channel="no"), line(channel="chat:other")])
    answer = RUNNER.invoke(app, ["publish", "--stdin", "--dry-run"], input=given)
    assert answer.exit_code == 1
    assert answer.stdout.splitlines() == [
        "line 1: b2b chat:lobby: fine",
        "line 4: b2b chat:other: fine",
    ]
    assert "line 3: channel: bad request" in answer.stderr


def test_nothing_to_publish_is_usage() -> None:
    """It waits for nobody who didn't ask for that."""
    assert RUNNER.invoke(app, ["publish"]).exit_code == 2
