"""The data directory, its ports and its log files."""

import json
import socket
import stat
from pathlib import Path

import pytest

from infra.embedded.directory import MARKER, adopt
from infra.embedded.logs import cap, tail
from infra.embedded.ports import PORT_RANGE, free_port, is_free, remembered_ports
from infra.embedded.stack import NAMES, chosen_parts
from schemas.errors import ConfigurationError


def test_a_directory_of_somebody_else_is_refused_and_untouched(tmp_path: Path) -> None:
    """A folder with files and without our marker is neither used nor changed."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigurationError, match="neither empty nor"):
        adopt(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_wiping_keeps_the_marker_and_links_targets(tmp_path: Path) -> None:
    """A wipe deletes what is in the directory, and never what a link in it points to."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    directory = adopt(tmp_path / "data")
    (directory.root / "kafka").mkdir()
    (directory.root / "kafka" / "segment").touch()
    (directory.root / "link").symlink_to(outside)
    with directory.locked():
        directory.wipe()
    left = {entry.name for entry in directory.root.iterdir()}
    assert left == {MARKER, "supervisor.lock", "logs", "hold"}
    assert (outside / "precious").exists()


def test_a_locked_directory_is_refused(tmp_path: Path) -> None:
    """One supervisor per directory; the next may have it when the first has let go."""
    directory = adopt(tmp_path)
    with (
        directory.locked(),
        pytest.raises(ConfigurationError, match="in use"),
        directory.locked(),
    ):
        pass
    with directory.locked():
        pass


def test_passwords_are_made_once_and_private(tmp_path: Path) -> None:
    """Both accounts keep their passwords, in a file only the owner can read."""
    directory = adopt(tmp_path)
    first = directory.passwords()
    assert set(first) == {"daybook", "bi"}
    assert directory.passwords() == first
    assert stat.S_IMODE(directory.accounts.stat().st_mode) == 0o600
    accounts = json.loads(directory.accounts.read_text())
    assert {user: account["readonly"] for user, account in accounts.items()} == {
        "daybook": False,
        "bi": True,
    }


def test_ports_are_remembered(tmp_path: Path) -> None:
    """The same names get the same ports next time, and new names get new ones."""
    book = tmp_path / "ports.json"
    first = remembered_ports(book, ["a", "b"])
    second = remembered_ports(book, ["a", "b", "c"])
    assert {name: second[name] for name in first} == first
    assert len(set(second.values())) == 3


def test_a_port_taken_by_somebody_else_is_replaced(tmp_path: Path) -> None:
    """A remembered port that is in use is given up for a free one."""
    book = tmp_path / "ports.json"
    before = remembered_ports(book, ["a"])["a"]
    with socket.create_server(("127.0.0.1", before)):
        assert not is_free(before)
        after = remembered_ports(book, ["a"])["a"]
    assert after != before
    assert json.loads(book.read_text()) == {"a": after}


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    """A client that retries a closed port can't be given that port as its own."""
    assert free_port() in PORT_RANGE
    assert PORT_RANGE.stop <= 32_768


def test_a_capped_log_goes_on_for_its_writer(tmp_path: Path) -> None:
    """A log that is emptied while it is written keeps the old lines aside and takes new ones."""
    path = tmp_path / "worker.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 100)
        assert cap(path, cap_bytes=400)
        writer.write(b"new\n")
        assert not cap(path, cap_bytes=400)
    assert tail(path, 10) == ["new"]
    assert path.with_suffix(".log.1").read_bytes() == b"old\n" * 100


def test_chosen_parts_keep_the_order_and_refuse_strangers() -> None:
    """A choice of processes is checked against the stack."""
    assert chosen_parts(None) == NAMES
    assert chosen_parts(["sink", "kafka"]) == ("kafka", "sink")
    with pytest.raises(ConfigurationError, match="postgres"):
        chosen_parts(["kafka", "postgres"])
    with pytest.raises(ConfigurationError):
        chosen_parts([])
