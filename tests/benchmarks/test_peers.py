"""The workload the peers share is defined well enough to find out who skips a part of it."""

import pytest

from benchmarks import growth
from benchmarks.peers import environments, workload
from benchmarks.peers.marks import Marks, warm_up
from benchmarks.peers.same_daybook import SameWork
from benchmarks.peers.workload import Totals
from benchmarks.side_by_side import Backlog, check
from infra.embedded.jars import read_lock
from schemas.avro import schema_of
from schemas.events import DealCreated
from schemas.journal import Entry
from streams.domain.state import State
from streams.domain.table import HEAD_KEY, SUBJECTS

START_MS = 1_780_000_000_000
RECORDS = 400


class Kept:
    """A record as the fold wants it."""

    def __init__(self, offset: int, value: bytes) -> None:
        self.offset = offset
        self.value = value


def test_workload_adds_up_to_what_it_says() -> None:
    """A deal and three observations per record; 2 % are actions; the gaps are in both sums."""
    records = list(workload.inputs(RECORDS, START_MS))
    found = workload.arithmetic(records)
    assert found.deals == RECORDS
    assert found.observations == 3 * RECORDS
    assert found.partial_sum == RECORDS + found.amount + found.gap_ms
    assert 0 < found.actions < RECORDS // 20
    assert found.subjects < RECORDS
    assert found.gap_ms > 0


def test_daybooks_fold_of_the_workload_equals_the_arithmetic_in_any_cut() -> None:
    """Batches share rows; what they add up to is the same."""
    records = list(workload.inputs(RECORDS, START_MS))
    for size in (1, 7, RECORDS):
        fold = SameWork(RECORDS)
        rows: list[bytes] = []
        actions = 0
        for partition in range(workload.PARTITIONS):
            state = State()
            log = [record for record in records if record.partition == partition]
            kept = [Kept(offset, record.value) for offset, record in enumerate(log)]
            for start in range(0, len(kept), size):
                effects = fold(state, kept[start : start + size], partition=partition)
                actions += len(effects.effects)
                state.apply(effects)
            rows += [value for key, value in state.rows() if key != HEAD_KEY]
        assert workload.totals(rows, actions) == workload.arithmetic(records)


def test_whoever_skips_a_record_is_found_out() -> None:
    """One record less changes the sums, and the check refuses the figure."""
    records = list(workload.inputs(RECORDS, START_MS))
    backlog = Backlog("t", RECORDS, workload.arithmetic(records), [])
    check(backlog, workload.arithmetic(records), "honest")
    with pytest.raises(RuntimeError, match="lazy"):
        check(backlog, workload.arithmetic(records[:-1]), "lazy")


def test_layout_names_every_field_in_the_order_of_the_schema() -> None:
    """A reader in another language finds the fields, and only types it can read."""
    for record in (Entry, DealCreated):
        pairs = [each.split(":") for each in workload.layout(record).split(",")]
        assert [name for name, _ in pairs] == [each["name"] for each in schema_of(record)["fields"]]
        known = {"string", "bytes", "boolean", "int", "long", "[]"}
        assert {kind.lstrip("?") for _, kind in pairs} <= known


def test_measured_part_begins_after_a_quarter_and_ends_with_the_last(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """`begin` once, however records are counted."""
    marks = Marks(RECORDS)
    assert [marks.count(150), marks.count(150), marks.count(100)] == [False, False, True]
    assert capfd.readouterr().out == "begin\n"
    assert warm_up(RECORDS) == 100


def test_peers_come_from_locks_with_hashes() -> None:
    """Nothing is fetched whose content isn't recorded."""
    lines = environments.QUIX_LOCK.read_text(encoding="utf8").splitlines()
    packages = [line for line in lines if "==" in line]
    hashed = [line for line in lines if line.lstrip().startswith("--hash=sha256:")]
    assert len(hashed) >= len(packages) > 1
    assert any(line.startswith("quixstreams==") for line in packages)
    jars = read_lock(environments.STREAMS_LOCK.read_text(encoding="utf8"))
    assert {"kafka-streams", "ecj", "rocksdbjni"} <= {jar.artifact for jar in jars}


def test_totals_tell_subjects_from_partials_by_their_size() -> None:
    """Whatever order a changelog is read in."""
    rows = [workload.PARTIAL.pack(2, 7), workload.SUBJECT.pack(3, 10, 5, START_MS)]
    assert workload.totals(rows, 1) == Totals(1, 3, 10, 5, 2, 7, 1)


def test_prepared_subjects_are_those_the_records_are_about() -> None:
    """A state filled beforehand holds the very rows that the deals then change."""
    count = 50
    prepared = {key: partition for partition, key, _ in growth.subjects(count)}
    assert len(prepared) == count
    contacts = count // workload.TENANTS
    for record in workload.inputs(RECORDS, START_MS, contacts=contacts):
        assert prepared[SUBJECTS.prefix + record.key] == record.partition


def test_loading_time_is_the_slowest_lanes() -> None:
    """Lanes load side by side, so a state is there when the last of them is."""
    lines = ['{"event": "opened lane", "load_ms": 12}', '{"event": "opened lane", "load_ms": 340}']
    assert growth.opened_ms(lines) == 340
