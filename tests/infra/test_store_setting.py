"""Where a worker's rows are, by the settings."""

import pytest

from infra.generations import running
from infra.settings import load
from schemas.errors import ConfigurationError


def test_rows_are_in_memory_unless_asked_for() -> None:
    """The default needs no directory and no library."""
    assert running.worker_config(load(), 1).store_dir == ""


def test_rows_on_the_disk_have_a_directory() -> None:
    """The one that is named, else one in the data directory."""
    assert running.worker_config(load(store="rocksdb"), 1).store_dir == ".daybook/store"
    named = load(store="rocksdb", store_dir="/var/rows")
    assert running.worker_config(named, 1).store_dir == "/var/rows"


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """RocksDB is an extra; who asks for it without having it is told what to install."""
    monkeypatch.setattr(running, "find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match=r"daybook\[rocksdb\]"):
        running.store_dir(load(store="rocksdb"))
