"""One workload on Daybook's worker runtime, plain Faust, Quix Streams, Kafka Streams, a bare loop.

`benchmarks.peers.workload` says what the work is. Whoever skips some of it is found out: state and
output are read back from Kafka and must add up to the arithmetic.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.child import Child
from benchmarks.engines import Engines
from benchmarks.figures import Run, Section
from benchmarks.peers import environments
from benchmarks.peers.marks import warm_up
from benchmarks.peers.workload import PARTITIONS, Input, Totals, arithmetic, inputs, layout, totals
from benchmarks.rounds import interleave
from benchmarks.scale import Scale
from benchmarks.window import Window
from benchmarks.worker import has_applied
from infra.commands.log_reader import read
from infra.generations.registry import app_in
from schemas.events import DealCreated
from schemas.journal import Entry
from schemas.topics import EFFECT, JOURNAL, state_topic
from streams.domain.table import HEAD_KEY

POLL_S = 0.02
TIMEOUT_S = 300.0
JAVA_HEAP = "-Xmx1g"
NOTES = (
    (
        "For each record: decode it (the same Avro bytes for all), change one subject's row, add "
        "to three metric partials, and state an action for 2 %. The rows are packed integers. One "
        "process each, the same broker, four partitions, acks=all, lz4. What is counted begins "
        "after a quarter of the records, when every runtime has warmed up, and ends when all is "
        "acknowledged, and committed where there are commits; a slower peer gets fewer records. "
        "After each round state and actions are read back from Kafka and must equal the arithmetic."
    ),
    (
        "Daybook commits every 25 ms. Kafka Streams 4.4 keeps its defaults: record caches, a "
        "commit every 100 ms, one thread unless it says two, a heap of 1 GiB; its Avro is read by "
        "hand along the schema, which is quicker than Avro's library. Quix Streams keeps its "
        "defaults: RocksDB, a checkpoint every 5 s; its state belongs to the message key, so its "
        "partials are kept by subject: as many reads and writes, but more rows in the end. Plain "
        "Faust: memory store, at least once. The bare loop keeps its state in dictionaries and is "
        "not safe at all."
    ),
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """A topic with the first so many records of the workload.

    Args:
        topic: Its name.
        records: How many.
        expected: What they must add up to.
        lengths: Records of each partition.
    """

    topic: str
    records: int
    expected: Totals
    lengths: list[int]

    @property
    def measured(self) -> int:
        """Records after the warm-up."""
        return self.records - warm_up(self.records)


def final_rows(engines: Engines, topics: Iterable[str]) -> list[bytes]:
    """Return the last value of each key and partition of changelogs, without the fold's head."""
    rows = {
        (topic, record.partition, record.key): record.value
        for topic in topics
        for record in read(engines.settings, topic)
        if record.key != HEAD_KEY
    }
    return [value for value in rows.values() if value is not None]


def check(backlog: Backlog, found: Totals, who: str) -> None:
    """Refuse a figure for work that wasn't done.

    Args:
        backlog: What was to be done.
        found: What state and output add up to.
        who: Did it.

    Raises:
        RuntimeError: Something is missing or doubled.
    """
    if found != backlog.expected:
        raise RuntimeError(f"{who}: {found} instead of {backlog.expected}")


def _window(engines: Engines, process: Child) -> Window:
    return Window({"process": process.pid, "kafka": engines.pid("kafka")}, weigh=("process",))


def _daybook(engines: Engines, backlog: Backlog) -> Run:
    """Until the last commit."""
    before = _effects(engines)
    engines.rejoin()
    with engines.own("peers.same_daybook", str(backlog.records)) as process:
        process.wait_line("begin", timeout_s=TIMEOUT_S)
        window = _window(engines, process)
        process.wait_line("folded", timeout_s=TIMEOUT_S)
        process.wait(
            lambda: has_applied(process, backlog.lengths), "the last commit", TIMEOUT_S, POLL_S
        )
        run = window.close(backlog.measured)
    rows = final_rows(engines, [state_topic(app_in(engines.settings))])
    check(backlog, totals(rows, _effects(engines) - before), "Daybook")
    return run


def _effects(engines: Engines) -> int:
    return sum(1 for _ in read(engines.settings, EFFECT))


def _peer(
    engines: Engines,
    backlog: Backlog,
    start: Callable[[str], Child],
    changelogs: Callable[[str], tuple[str, ...]],
) -> Run:
    """From the end of the warm-up until all is acknowledged, and committed where there are commits.

    Args:
        engines: The broker.
        backlog: What is to be done.
        start: Output topic → the process.
        changelogs: Output topic → its changelogs; none: it says its totals itself.
    """
    output = engines.make_topic("same")
    with start(output) as process:
        process.wait_line("begin", timeout_s=TIMEOUT_S)
        window = _window(engines, process)
        process.wait_line("done", timeout_s=TIMEOUT_S)
        run = window.close(backlog.measured)
        actions = sum(1 for _ in read(engines.settings, output))
        if names := changelogs(output):
            found = totals(final_rows(engines, names), actions)
        else:
            said = Totals(*json.loads(process.wait_line("[")))
            found = said._replace(actions=actions)
    check(backlog, found, process.name)
    return run


def _fill(engines: Engines, records: list[Input], topic: str) -> Backlog:
    producer = engines.producer()
    lengths = [0] * PARTITIONS
    for record in records:
        producer.produce(topic, record.value, record.key, record.partition)
        lengths[record.partition] += 1
        producer.poll(0)
    if producer.flush(60):
        raise RuntimeError(f"{topic} is not written")
    return Backlog(topic, len(records), arithmetic(records), lengths)


def _variants(
    engines: Engines, backlogs: Mapping[str, Backlog], cache: Path, scratch: Path
) -> dict[str, Callable[[], Run]]:
    """Return all variants, in the order of the table."""
    classes = environments.streams_classpath(cache)
    quix = environments.quix_python(cache)
    full, medium, small = (backlogs[size] for size in ("full", "medium", "small"))

    def raw() -> Run:
        def start(output: str) -> Child:
            return engines.peer("peers.same_raw", full.topic, output, str(full.records))

        return _peer(engines, full, start, lambda _: ())

    def faust(take: str) -> Run:
        def start(output: str) -> Child:
            return engines.peer("peers.same_faust", small.topic, output, str(small.records), take)

        return _peer(engines, small, start, lambda output: (f"{output}-rows-changelog",))

    def quixed(how: str) -> Run:
        def start(output: str) -> Child:
            return engines.peer(
                "peers.same_quix", medium.topic, output, str(medium.records), how, python=quix
            )

        def changelog(output: str) -> tuple[str, ...]:
            return (f"changelog__{output}--{medium.topic}--default",)

        return _peer(engines, medium, start, changelog)

    def streams(how: str, store: str, threads: str) -> Run:
        def start(output: str) -> Child:
            argv = (
                environments.java(), JAVA_HEAP, "-cp", classes, environments.JAVA.stem,
                engines.bootstrap, full.topic, output, str(full.records), how, store, threads,
                str(scratch / output), layout(Entry), layout(DealCreated),
            )  # fmt: skip
            return Child("Kafka Streams", argv, {})

        return _peer(
            engines, full, start,
            lambda output: (f"{output}-subjects-changelog", f"{output}-partials-changelog"),
        )  # fmt: skip

    exact = "exactly_once_v2"
    return {
        "Daybook worker, exactly once": lambda: _daybook(engines, full),
        "Kafka Streams `exactly_once_v2`, in memory": lambda: streams(exact, "memory", "1"),
        "Kafka Streams `exactly_once_v2`, RocksDB": lambda: streams(exact, "rocksdb", "1"),
        "Kafka Streams `exactly_once_v2`, in memory, 2 threads": lambda: streams(
            exact, "memory", "2"
        ),
        "Quix Streams, exactly once": lambda: quixed("exactly-once"),
        "Quix Streams, at least once": lambda: quixed("at-least-once"),
        "plain Faust tables, per event": lambda: faust("1"),
        "plain Faust tables, `take(500)`": lambda: faust("500"),
        "bare loop, no state in Kafka (the limit)": raw,
    }


def measure(engines: Engines, scale: Scale, start_ms: int, cache: Path) -> Section:
    """Measure all peers.

    Args:
        engines: All topics are renewed.
        scale: How much.
        start_ms: Time of the first record, UTC ms.
        cache: Where fetched peers are kept.
    """
    engines.renew()
    records = list(inputs(scale.peer_records, start_ms))
    sizes = {
        "full": scale.peer_records,
        "medium": scale.peer_records // 4,
        "small": scale.peer_records // 20,
    }
    backlogs = {
        name: _fill(
            engines, records[:size], JOURNAL if name == "full" else engines.make_topic(name)
        )
        for name, size in sizes.items()
    }
    size = sum(len(record.value) for record in records) // len(records)
    del records
    with tempfile.TemporaryDirectory(prefix="daybook-bench-") as scratch:
        rates = interleave(_variants(engines, backlogs, cache, Path(scratch)), scale.peer_rounds)
    return Section(
        name="peers",
        title="Side by side",
        unit="records",
        notes=NOTES,
        rates=rates,
        facts={"bytes of a record": f"{size}"},
    )
