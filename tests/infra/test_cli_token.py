"""`daybook token`: what it prints is a token of the stack's key."""

import json
import stat
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.keys import Keys
from gateway.tokens import Tokens
from infra.cli import app
from infra.embedded.directory import adopt

RUNNER = CliRunner()


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key of a data directory that the settings name."""
    directory = adopt(tmp_path / "data")
    directory.make_token_keys()
    monkeypatch.setenv("DAYBOOK_DATA", str(directory.root))
    monkeypatch.delenv("DAYBOOK_TOKEN_KEYS", raising=False)
    return directory.token_keys


def test_the_printed_token_is_good(key_file: Path) -> None:
    """A gateway with the same settings lets its bearer in, with the role asked for."""
    asked = ["token", "--tenant", "b2b", "--user", "anna", "--role", "agent", "--json"]
    answer = json.loads(RUNNER.invoke(app, asked).stdout)
    now_ms = int(time.time() * 1000)
    claims = Tokens(Keys(str(key_file)), "daybook", "daybook").claims(answer["token"], now_ms)
    assert (claims.tenant, claims.user, claims.roles) == ("b2b", "anna", frozenset({"agent"}))
    assert abs(claims.expires_ms - answer["expires"]) <= 1


def test_the_key_is_private_and_stays(key_file: Path) -> None:
    """Only its owner may read it, and a second start signs with the same one."""
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    before = key_file.read_text()
    adopt(key_file.parent).make_token_keys()
    assert key_file.read_text() == before


@pytest.mark.usefixtures("key_file")
@pytest.mark.parametrize(
    "wrong", [["--role", "king"], ["--ttl", "0"], ["--ttl", "32d"]], ids=" ".join
)
def test_what_no_gateway_would_take_is_refused_here(wrong: list[str]) -> None:
    """A wrong role or a token that is good for too long is usage, exit 2."""
    answer = RUNNER.invoke(app, ["token", "--tenant", "b2b", "--user", "anna", *wrong])
    assert (answer.exit_code, answer.stdout) == (2, "")


def test_without_a_stack_it_says_how_to_get_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key file is a configuration error that names the way."""
    monkeypatch.setenv("DAYBOOK_DATA", str(tmp_path))
    answer = RUNNER.invoke(app, ["token", "--tenant", "b2b", "--user", "anna"])
    assert answer.exit_code == 2
    assert "daybook dev up" in answer.stderr
