"""`daybook dev` as a person uses it, over the quickest engine."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.embedded.leftovers import wait_gone
from infra.embedded.running import RunningStack

pytestmark = pytest.mark.integration

DEV = [sys.executable, "-c", "from infra.dev import dev_app; dev_app()"]


def dev(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    argv = [*DEV, *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_a_detached_stack_is_shown_and_stopped_by_later_commands(tmp_path: Path) -> None:
    """Up, status, logs, down; status and down say no afterwards."""
    up = dev("up", "--data", tmp_path, "--cache", tmp_path, "--only", "valkey", "--detach")
    assert up.returncode == 0, up.stderr
    try:
        status = dev("status", "--data", tmp_path, "--json")
        shown = json.loads(status.stdout)
        assert status.returncode == 0
        assert shown["endpoints"]["valkey"] in up.stdout
        assert [(each["name"], each["healthy"]) for each in shown["processes"]] == [
            ("valkey", True)
        ]
        assert "Ready to accept connections" in dev("logs", "valkey", "--data", tmp_path).stdout
    finally:
        down = dev("down", "--data", tmp_path)
    assert down.returncode == 0
    after = dev("status", "--data", tmp_path, "--json")
    assert (after.returncode, json.loads(after.stdout)["processes"]) == (1, [])
    assert dev("down", "--data", tmp_path).returncode == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stack_in_the_foreground_ends_with_its_command(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C and `kill` stop it in order, with exit code 0, and nothing is left."""
    argv = [*DEV, "up", "--data", str(tmp_path), "--cache", str(tmp_path), "--only", "valkey"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        assert up.stdout.readline().startswith("valkey")
        stack = RunningStack.find(tmp_path)
        assert stack is not None
        identity = stack.process("valkey").identity
        assert identity is not None
        up.send_signal(number)
        assert up.wait(30) == 0
    assert wait_gone([identity, stack.supervisor], 0)


def test_fresh_starts_without_the_old_data(tmp_path: Path) -> None:
    """`--fresh` deletes what an earlier stack of this directory left."""
    options = ("--data", tmp_path, "--cache", tmp_path, "--only", "valkey", "--detach")
    assert dev("up", *options).returncode == 0
    dev("down", "--data", tmp_path)
    (tmp_path / "valkey" / "old").touch()
    assert dev("up", *options, "--fresh").returncode == 0
    dev("down", "--data", tmp_path)
    assert not (tmp_path / "valkey" / "old").exists()
    assert (tmp_path / "valkey" / "appendonlydir").exists()


def test_every_command_shows_an_example() -> None:
    """`--help` of each command has a line to copy."""
    for command in ("up", "down", "status", "logs", "prepare"):
        assert f"Example: daybook dev {command}" in dev(command, "--help").stdout
