"""Migrations: order, refusal, templates."""

import pytest

from schemas.errors import ConfigurationError
from sinks.clickhouse.migrations.runner import known
from sinks.mapping.versions import Cluster, Migration, plan, read_files, statements

FIRST = Migration(1, "one", "CREATE TABLE a ${on_cluster}; -- no; stop\nSELECT ';'", "DROP TABLE a")
SECOND = Migration(2, "two", "CREATE ${replicated}MergeTree SETTINGS ${window}", "DROP TABLE b")
BOTH = [FIRST, SECOND]


def numbers(applied: dict[int, str], *, to: int | None = None, down: bool = False) -> list[int]:
    """Return the numbers of the planned steps."""
    return [step.migration.number for step in plan(BOTH, applied, to=to, down=down)]


def test_what_is_missing_runs_in_order() -> None:
    """Going up runs what the server doesn't have, up to the one asked for."""
    assert numbers({}) == [1, 2]
    assert numbers({}, to=1) == [1]
    assert numbers({1: FIRST.checksum}) == [2]
    assert numbers({1: FIRST.checksum, 2: SECOND.checksum}) == []


def test_going_back_runs_newest_first() -> None:
    """Going down takes back what is above the one to keep, and only what is there."""
    applied = {1: FIRST.checksum, 2: SECOND.checksum}
    assert numbers(applied, down=True) == [2, 1]
    assert numbers(applied, to=1, down=True) == [2]
    assert numbers({1: FIRST.checksum}, to=1, down=True) == []


@pytest.mark.parametrize(
    ("applied", "to", "problem"),
    [
        ({1: "other"}, None, "changed after it ran"),
        ({3: "x"}, None, "doesn't know"),
        ({}, 9, "no migration 0009"),
    ],
)
def test_plan_refuses_what_it_can_not_know(
    applied: dict[int, str], to: int | None, problem: str
) -> None:
    """A changed or unknown migration is never run over."""
    with pytest.raises(ConfigurationError, match=problem):
        numbers(applied, to=to)


def test_statements_are_split_outside_quotes_and_comments() -> None:
    """The server takes one statement per request."""
    step = plan(BOTH, {})[0]
    assert step.statements == ("CREATE TABLE a ;".rstrip(";").strip(), "SELECT ';'")
    assert statements("a 'x''; y' ; -- b;\n c 1-1;;") == ("a 'x''; y'", "c 1-1")
    assert str(step) == "0001_one up: 2 statements"


def test_cluster_makes_replicated_tables_on_it() -> None:
    """One template serves one server and a cluster."""
    up = plan(BOTH, {}, cluster=Cluster("it's"))
    assert up[0].statements[0] == "CREATE TABLE a ON CLUSTER 'it\\'s'"
    replicated = "CREATE ReplicatedMergeTree SETTINGS replicated_deduplication_window = 100000"
    assert up[1].statements == (replicated,)
    single = plan(BOTH, {})[1].statements[0]
    assert single.endswith("MergeTree SETTINGS non_replicated_deduplication_window = 100000")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["0001_a.up.sql"], "needs .up.sql and .down.sql"),
        (["0002_a.up.sql", "0002_a.down.sql"], "without holes"),
        (["1_a.up.sql"], "isn't NNNN_name"),
    ],
)
def test_files_are_numbered_pairs(names: list[str], problem: str) -> None:
    """A half migration or a hole is a mistake of ours."""
    with pytest.raises(ConfigurationError, match=problem):
        read_files(dict.fromkeys(names, "SELECT 1"))


def test_own_migrations_are_complete() -> None:
    """Ours render for one server and for a cluster, without a placeholder left."""
    for cluster in (Cluster(), Cluster("c")):
        for down in (False, True):
            applied = {m.number: m.checksum for m in known()} if down else {}
            steps = plan(known(), applied, down=down, cluster=cluster)
            assert [s.migration.number for s in steps] == ([2, 1] if down else [1, 2])
            assert not any("${" in text for step in steps for text in step.statements)
