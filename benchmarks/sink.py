"""Journal and derived topics into ClickHouse: `daybook sink` beside plain inserts."""

from dataclasses import dataclass

from benchmarks import mix
from benchmarks.child import Daybook
from benchmarks.engines import PARTITIONS, Ends, Engines
from benchmarks.figures import Run, Section
from benchmarks.rounds import interleave
from benchmarks.scale import Scale
from benchmarks.window import Window
from benchmarks.worker import has_applied
from infra.commands.connect import clickhouse
from infra.commands.log_reader import read
from schemas.topics import EFFECT, JOURNAL, METRIC

POLL_S = 0.05
TIMEOUT_S = 180.0
TOPICS = (JOURNAL, EFFECT, METRIC)
CLAIMED = '"lane_claimed"'


@dataclass(frozen=True, slots=True)
class Filled:
    """The three topics, full.

    Args:
        ends: Where they end.
        records: Topic → records, without transactions' markers.
    """

    ends: Ends
    records: dict[str, int]

    @property
    def count(self) -> int:
        """All records."""
        return sum(self.records.values())


def has_stored(process: Daybook, ends: Ends) -> bool:
    """Tell whether a sink has everything below `ends` in ClickHouse."""
    done = process.metric("daybook_sinks_done_offset")
    return all(
        done.get(f'partition="{partition}",topic="{topic}"', 0) >= end
        for (topic, partition), end in ends.items()
    )


def _fill(engines: Engines, events: int, start_ms: int) -> Filled:
    """Write a journal and let a worker derive the rest."""
    engines.renew()
    logs = mix.journal(events, mix.plan(start_ms), PARTITIONS)
    engines.write_journal(logs)
    lengths = [len(log) for log in logs]
    with engines.daybook("worker") as process:
        process.wait(lambda: has_applied(process, lengths), "the fold", TIMEOUT_S, POLL_S)
    records = {topic: sum(1 for _ in read(engines.settings, topic)) for topic in TOPICS}
    return Filled(engines.ends(*TOPICS), records)


def _daybook(engines: Engines, filled: Filled) -> Run:
    """From the claim of its lanes until everything is stored."""
    engines.empty_clickhouse()
    engines.rejoin()
    with engines.daybook("sink") as process:
        process.wait_line(CLAIMED, times=len(filled.ends))
        window = _window(engines, process.pid)
        process.wait(lambda: has_stored(process, filled.ends), "all rows", TIMEOUT_S, POLL_S)
        run = window.close(filled.count)
    _check(engines, filled)
    return run


def _peer(engines: Engines, filled: Filled, mode: str) -> Run:
    """From a ready client until everything is stored."""
    engines.empty_clickhouse()
    with engines.peer("peers.raw_sink", mode) as process:
        process.wait_line("begin", timeout_s=TIMEOUT_S)
        window = _window(engines, process.pid)
        process.wait_line("done", timeout_s=TIMEOUT_S)
        run = window.close(filled.count)
    _check(engines, filled)
    return run


def _window(engines: Engines, pid: int) -> Window:
    return Window(
        {"sink": pid, "clickhouse": engines.pid("clickhouse"), "kafka": engines.pid("kafka")}
    )


def _check(engines: Engines, filled: Filled) -> None:
    """Refuse a figure for work that wasn't done.

    Raises:
        RuntimeError: Effects are missing or doubled.
    """
    with clickhouse(engines.settings) as client:
        rows = int(str(client.command("SELECT count() FROM crm.fct_effect")))
    if rows != filled.records[EFFECT]:
        raise RuntimeError(f"{rows} effects stored of {filled.records[EFFECT]}")


def measure(engines: Engines, scale: Scale, start_ms: int) -> Section:
    """Measure the sink.

    Args:
        engines: All topics are renewed, ClickHouse is emptied.
        scale: How much.
        start_ms: Time of the first event, UTC ms.
    """
    filled = _fill(engines, scale.journal_events, start_ms)
    rates = interleave(
        {
            "Daybook sink, exactly once": lambda: _daybook(engines, filled),
            "plain loop, `insert` of rows, no ledger": lambda: _peer(engines, filled, "rows"),
            "plain loop, Arrow inserts, no ledger": lambda: _peer(engines, filled, "stream"),
            "the same inserts alone (the limit)": lambda: _peer(engines, filled, "prepared"),
        },
        scale.rounds,
    )
    engines.empty_clickhouse()
    return Section(
        name="sink",
        title="Sink",
        unit="records",
        notes=(
            ", ".join(f"{count:,} records of `{name}`" for name, count in filled.records.items())
            + "; inserts of 50,000 rows. Ticks and copies are read and give no row; of a metric "
            "bucket only the newest value of a batch is a row.",
            (
                "Plain loops: the same mapping and columns, one thread, with clickhouse-connect's "
                "`insert` of rows and with its `insert_arrow`; a crash would lose or double rows. "
                "The limit: rows mapped beforehand."
            ),
            (
                "Daybook's time runs from the claim of its lanes until its last batch is recorded "
                "as done; it closes a lane's last batch one second after its first row."
            ),
        ),
        rates=rates,
    )
