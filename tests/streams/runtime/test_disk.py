"""Rows on the disk are the rows in memory, whatever was lost on the way."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigurationError
from streams.domain.effects import Effects
from streams.domain.fold import fold
from streams.domain.state import State
from streams.domain.table import DEALS, HEAD_KEY
from streams.runtime import disk
from streams.runtime.config import WorkerConfig
from streams.runtime.disk import MARK_KEY, MAX_AGE_MS, DiskRows, Mark
from streams.runtime.store import open_disk
from tests.streams.domain.golden_fold import read_journal
from tests.streams.journal_builder import Record

Row = tuple[bytes, bytes | None]
RECORDS = [*read_journal()[:700], *read_journal()[-30:]]
"""The beginning of a recorded journal, and the weeks after it, in which hours close."""
FAULTS = ("none", "reopened", "lost after the commit", "lost while loading")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly every look-up is one of the disk, and a load takes many writes."""
    monkeypatch.setattr(disk, "RECENT_MAX", 5)
    monkeypatch.setattr(disk, "PENDING_MAX", 50)


class Log:
    """A changelog partition, and a lane that folds onto the disk."""

    def __init__(self, directory: Path) -> None:
        self.rows: list[Row] = []
        self._directory = directory
        self._open()

    def _open(self) -> None:
        self.disk = DiskRows(self._directory)
        self.state, self.start = self.disk.resume("origin", 0, len(self.rows))
        self.disk.load(self.state, self.rows[self.start :], len(self.rows))

    def fold(self, records: Sequence[Record], fault: str) -> list[tuple[bytes, str, bytes]]:
        """Fold one batch; lose what a process that dies there loses."""
        effects = fold(self.state, records, partition=0)
        self.rows += effects.rows  # committed
        if not fault.startswith("lost"):
            self.state.apply(effects)
            self.disk.save(self.state, len(self.rows))
        if fault == "lost while loading":
            self.disk.close()
            self.disk = DiskRows(self._directory)
            self.state, start = self.disk.resume("origin", 0, len(self.rows))
            with pytest.raises(ConnectionError):
                self.disk.load(self.state, _broken(self.rows[start:]), len(self.rows))
        if fault != "none":
            self.disk.close()
            self._open()
        return effects.effects


def _broken(rows: Sequence[Row]) -> Iterator[Row]:
    yield from rows[: len(rows) * 3 // 4]
    raise ConnectionError


@cache
def in_memory() -> tuple[State, Effects]:
    """Return what the same records give in memory, in one batch."""
    state = State()
    effects = fold(state, RECORDS, partition=0)
    state.apply(effects)
    return state, effects


@given(
    st.lists(
        st.tuples(st.integers(1, len(RECORDS) - 1), st.sampled_from(FAULTS)), min_size=3, max_size=8
    )
)
@settings(max_examples=6, deadline=None)
def test_fold_over_the_disk_gives_the_bytes_of_one_in_memory(cuts: list[tuple[int, str]]) -> None:
    """A recorded journal, cut anywhere, its process lost at any cut: same state, same effects."""
    expected, whole = in_memory()
    faults = dict(cuts)
    edges = sorted({0, *faults, len(RECORDS)})
    said: list[tuple[bytes, str, bytes]] = []
    with TemporaryDirectory() as directory:
        log = Log(Path(directory))
        for start, end in pairwise(edges):
            said += log.fold(RECORDS[start:end], faults.get(end, "none"))
        assert dict(log.state.rows()) == dict(expected.rows())
        assert list(log.state.timers) == list(expected.timers)
        log.disk.close()
        log._open()  # noqa: SLF001 - the last time from what is on the disk alone
        assert log.start == len(log.rows)
        assert dict(log.state.rows()) == dict(expected.rows())
        log.disk.close()
    assert said == whole.effects


def test_directory_of_another_log_is_emptied(tmp_path: Path) -> None:
    """Rows of a topic that was created again, or of another installation, are none of ours."""
    log = Log(tmp_path / "p0")
    log.fold(RECORDS[:200], "none")
    assert log.state.tables[DEALS.prefix] or log.rows
    log.disk.close()
    again = DiskRows(tmp_path / "p0")
    state, start = again.resume("another", 0, len(log.rows))
    assert (start, state.head.applied) == (0, -1)
    assert [key for key, _ in state.rows()] == [HEAD_KEY]
    again.close()


HERE = Mark("here", tail=10, at_ms=1_000)


@pytest.mark.parametrize(
    ("mark", "low", "high"),
    [
        (HERE, 0, 9),  # the changelog is shorter
        (HERE, 11, 20),  # it begins later
        (replace(HERE, at_ms=1_000 - MAX_AGE_MS), 0, 20),  # deletions may be compacted away
        (replace(HERE, at_ms=3_000), 0, 20),  # the clock was set back: who knows how old it is
        (replace(HERE, version=0), 0, 20),
    ],
)
def test_mark_that_does_not_fit_the_changelog_is_not_continued(
    mark: Mark, low: int, high: int
) -> None:
    """Only a directory that the rest of the changelog makes whole is used."""
    assert HERE.continues("here", 0, 20, 2_000)
    assert not mark.continues("here", low, high, 2_000)


def test_mark_of_another_layout_is_no_mark(tmp_path: Path) -> None:
    """A directory that a later version wrote is read from the changelog again."""
    rows = DiskRows(tmp_path)
    rows.put(MARK_KEY, b'{"tail": "of another time"}')
    rows._write(None)  # noqa: SLF001 - as if another version had
    _, start = rows.resume("here", 0, 20)
    assert start == 0
    rows.close()


def test_directory_belongs_to_one_process(tmp_path: Path) -> None:
    """Two processes with the same directory are a mistake in the configuration."""
    rows = DiskRows(tmp_path)
    with pytest.raises(ConfigurationError, match=f"{tmp_path} is open in another worker"):
        DiskRows(tmp_path)
    rows.close()


def test_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A path that isn't a directory is a mistake in the configuration too."""
    (tmp_path / "store").touch()
    with pytest.raises(ConfigurationError, match=r"DAYBOOK_STORE_DIR.*store"):
        DiskRows(tmp_path / "store" / "p0")


def test_generations_and_instances_have_directories_of_their_own(tmp_path: Path) -> None:
    """A replay folds beside the live generation, on the same machine and partitions."""
    live = WorkerConfig(bootstrap="", app="crm", instance="worker-0", store_dir=str(tmp_path))
    others = (replace(live, instance="worker-1"), replace(live, app="crm-g2", instance=""))
    opened = [open_disk(config, 0) for config in (live, *others)]
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*/p0")} == {
        "crm/worker-0/p0",
        "crm/worker-1/p0",
        "crm-g2/worker/p0",
    }
    for each in opened:
        each.close()


def test_tables_on_the_disk_are_mappings(tmp_path: Path) -> None:
    """Table views iterate, count and look through them as through dictionaries."""
    rows = DiskRows(tmp_path)
    state, _ = rows.resume("here", 0, 0)
    deals = state.tables[DEALS.prefix]
    deals[b"acme|1"] = b"one"
    rows.save(state, 1)
    deals[b"acme|2"] = b"two"
    assert (dict(deals), len(deals)) == ({b"acme|1": b"one", b"acme|2": b"two"}, 2)
    del deals[b"acme|1"]
    assert b"acme|1" not in deals
    assert deals.pop(b"acme|2") == b"two"
    with pytest.raises(KeyError):
        deals[b"acme|2"]
    with pytest.raises(KeyError):
        del deals[b"acme|2"]
    assert not deals
    rows.close()
