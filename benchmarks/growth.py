"""How cost grows: with workers, with subjects in the state, with tenants. The real fold.

Every record is a new deal (`benchmarks.peers.workload.inputs`); subjects' rows are written to the
changelog beforehand, so that a worker starts with a state of that size and has to load it.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Producer

from benchmarks.child import Daybook
from benchmarks.engines import PARTITIONS, Engines
from benchmarks.figures import Rate, Run, Section
from benchmarks.peers.workload import TENANTS, Input, inputs
from benchmarks.rounds import say
from benchmarks.scale import Scale
from benchmarks.window import Window, peak_mib
from benchmarks.worker import OPENED, TIMEOUT_S, applied
from infra.generations.registry import app_in
from schemas.codec import encode_row
from schemas.journal import journal_key
from schemas.partitioner import partition_of
from schemas.state.rows import Subject
from schemas.topics import JOURNAL, state_topic
from streams.domain.table import SUBJECTS

WORKERS = (1, 2, 4)
TENANT_COUNTS = (1, 10, 1_000)
MEMORY, ROCKSDB = "memory", "rocksdb"
MARK_BYTES = 8
START_S = 120.0
POLL_S = 0.02
FLUSH_S = 120.0
SEED = 3


def subjects(count: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield (partition, changelog key, row) of subjects that had one event each.

    Args:
        count: How many, of `TENANTS` tenants.
    """
    chance = random.Random(SEED)  # noqa: S311 - marks that don't compress
    for number in range(count):
        tenant, contact = number % TENANTS, number // TENANTS
        key = journal_key(f"tenant-{tenant}", f"contact/contact-{contact}")
        row = encode_row(Subject(chance.randbytes(MARK_BYTES)))
        yield partition_of(key, PARTITIONS), SUBJECTS.prefix + key, row


def opened_ms(lines: Sequence[str]) -> float:
    """Return how long the slowest lane took to load its state, ms, by the worker's own log."""
    return max(float(json.loads(line)["load_ms"]) for line in lines)


def _write(producer: Producer, records: Sequence[Input]) -> list[int]:
    """Write a journal; return how many entries each partition has."""
    lengths = [0] * PARTITIONS
    for record in records:
        producer.produce(JOURNAL, record.value, record.key, record.partition)
        lengths[record.partition] += 1
    _flush(producer)
    return lengths


def _flush(producer: Producer) -> None:
    if left := producer.flush(FLUSH_S):
        raise RuntimeError(f"{left} records not acknowledged")


def _folded(processes: Sequence[Daybook], lengths: Sequence[int]) -> bool:
    """Tell whether the workers together have committed everything."""
    done: dict[int, int] = {}
    for process in processes:
        for partition, offset in applied(process).items():
            done[partition] = max(done.get(partition, -1), offset)
    return all(done.get(partition, -1) >= length - 1 for partition, length in enumerate(lengths))


def _with_workers(engines: Engines, records: Sequence[Input], count: int) -> Run:
    """From the first entry written until all are committed."""
    engines.renew()
    with ExitStack() as stack:
        processes = [
            stack.enter_context(engines.daybook("worker", instance=f"worker-{number}"))
            for number in range(count)
        ]
        for process in processes:
            process.wait(partial(_owns, process, PARTITIONS // count), "its lanes", START_S)
        pids = {f"worker {number + 1}": each.pid for number, each in enumerate(processes)}
        producer = engines.producer()
        window = Window(pids | {"kafka": engines.pid("kafka")})
        lengths = _write(producer, records)
        processes[0].wait(lambda: _folded(processes, lengths), "the last commit", TIMEOUT_S, POLL_S)
        run = window.close(len(records))
    workers = sum(used for name, used in run.cpu_s.items() if name != "kafka")
    return Run(run.count, run.seconds, {"workers": workers, "kafka": run.cpu_s["kafka"]})


def _owns(process: Daybook, lanes: int) -> bool:
    open_ = process.metric("daybook_streams_lanes_owned")
    return sum(open_.values()) == lanes and len(applied(process)) == lanes


def _with_subjects(
    engines: Engines, records: Sequence[Input], count: int, store: Path | None
) -> tuple[Run, dict[str, float]]:
    """Load a state, then fold; return that, how long loading took and what it weighs.

    Args:
        engines: All topics are renewed.
        records: To fold.
        count: Subjects in the state.
        store: Directory for RocksDB: then the worker is started once more, with its rows there.
    """
    engines.renew()
    producer, topic = engines.producer(), state_topic(app_in(engines.settings))
    for partition, key, row in subjects(count):
        producer.produce(topic, row, key, partition)
        producer.poll(0)
    _flush(producer)
    with engines.daybook("worker", store=store) as process:
        found = {"load_ms": _opened(process), "loaded_mib": peak_mib(process.pid)}
        window = Window({"worker": process.pid, "kafka": engines.pid("kafka")}, weigh=("worker",))
        lengths = _write(producer, records)
        process.wait(lambda: _folded([process], lengths), "the last commit", TIMEOUT_S, POLL_S)
        run = window.close(len(records))
    if store is not None:
        with engines.daybook("worker", store=store) as process:
            found |= {"reopen_ms": _opened(process), "reopened_mib": peak_mib(process.pid)}
    return run, found


def _opened(process: Daybook) -> float:
    """Wait for a worker's lanes; return how long the slowest took to have its state, ms."""
    process.wait_line(OPENED, times=PARTITIONS, timeout_s=START_S)
    return opened_ms(process.lines(OPENED))


def _subject_steps(
    engines: Engines, scale: Scale, start_ms: int
) -> Iterator[tuple[str, str, Run, int, dict[str, float]]]:
    """Yield (store, variant, run, subjects, what else was found) of each number of subjects."""
    for count in scale.subjects:
        some = list(inputs(scale.growth_records, start_ms, contacts=count // TENANTS))
        run, found = _with_subjects(engines, some, count, None)
        yield MEMORY, f"subjects: {count:,}", run, count, found
        with TemporaryDirectory(prefix="daybook-bench-") as folder:
            run, found = _with_subjects(engines, some, count, Path(folder))
        yield ROCKSDB, f"subjects, RocksDB: {count:,}", run, count, found


def measure(engines: Engines, scale: Scale, start_ms: int) -> Section:
    """Measure growth.

    Args:
        engines: All topics are renewed, again and again.
        scale: How much.
        start_ms: Time of the first record, UTC ms.
    """
    rates: list[Rate] = []
    measures: dict[str, float] = {}
    facts: dict[str, str] = {}
    records = list(inputs(scale.growth_records, start_ms))
    for workers in WORKERS:
        _note(rates, f"workers: {workers}", _with_workers(engines, records, workers), "workers")
    for store, variant, run, count, found in _subject_steps(engines, scale, start_ms):
        _note(rates, variant, run, f"subjects, {store}")
        measures |= {f"{store}_{name}@{count}": value for name, value in found.items()}
        facts |= _stated(f"{count:,} subjects, {store}", found)
    for tenants in TENANT_COUNTS:
        some = list(inputs(scale.growth_records, start_ms, tenants=tenants))
        _note(rates, f"tenants: {tenants:,}", _with_workers(engines, some, 1), "tenants")
    return Section(
        name="growth",
        title="How cost grows",
        unit="entries",
        notes=(
            (
                f"{scale.growth_records:,} new deals each time, the real fold, in {PARTITIONS} "
                "partitions; time runs from the first entry written until the last is committed, "
                "and writing them uses the same cores. Memory is the worker's peak."
            ),
            (
                "Subjects: a state of so many rows is in the changelog before the worker starts; "
                "it loads it, then folds deals of these subjects; with RocksDB it is then started "
                "once more, with its rows on the disk. Workers share the cores with the "
                "broker and each other: beyond one, this machine has little left. Each step "
                "is measured once."
            ),
        ),
        rates=tuple(rates),
        facts=facts,
        measures=measures,
    )


def _stated(who: str, found: Mapping[str, float]) -> dict[str, str]:
    """Return what was found about a state, as text."""
    facts = {
        f"{who}: loading from the changelog, memory then": (
            f"{found['load_ms'] / 1000:.2f} s, {found['loaded_mib']:,.0f} MiB"
        )
    }
    if "reopen_ms" in found:
        facts[f"{who}: opening what is on the disk, memory then"] = (
            f"{found['reopen_ms'] / 1000:.2f} s, {found['reopened_mib']:,.0f} MiB"
        )
    return facts


def _note(rates: list[Rate], variant: str, run: Run, group: str) -> None:
    say(f"  {variant}: {run.rate:,.0f}/s")
    rates.append(Rate.of(variant, [run], group))
