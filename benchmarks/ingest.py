"""Upstream events to the journal: `daybook ingest` beside a bare loop and a plain Faust agent."""

from benchmarks import mix
from benchmarks.engines import Engines
from benchmarks.figures import Run, Section
from benchmarks.mix import Backlog
from benchmarks.rounds import interleave
from benchmarks.scale import Scale
from benchmarks.window import Window
from schemas.topics import JOURNAL

POLL_S = 0.03
TIMEOUT_S = 180.0
BEGIN = "begin"
"""What a peer says when it has the first record."""


def _daybook(engines: Engines, backlog: Backlog) -> Run:
    """From the first assignment to the last acknowledged entry."""
    engines.rejoin()
    base = engines.total(JOURNAL)
    with engines.daybook("ingest") as process:
        process.wait_line('"started"')
        window = Window({"ingest": process.pid, "kafka": engines.pid("kafka")})
        whole = base + backlog.entries
        process.wait(
            lambda: engines.total(JOURNAL) >= whole, f"{backlog.entries} entries", TIMEOUT_S, POLL_S
        )
        return window.close(len(backlog.records))


def _peer(engines: Engines, module: str, whole: int, most_s: float) -> Run:
    """From the first record to the last acknowledged one, or until the time is over."""
    topic = engines.make_topic("journal")
    with engines.peer(f"peers.{module}", topic) as process:
        process.wait_line(BEGIN)
        window = Window({"ingest": process.pid, "kafka": engines.pid("kafka")})
        process.reaches(lambda: engines.total(topic) >= whole, most_s, POLL_S)
        return window.close(engines.total(topic))


def measure(engines: Engines, scale: Scale, start_ms: int) -> Section:
    """Measure ingest.

    Args:
        engines: All topics are renewed.
        scale: How much.
        start_ms: Time of the first event, UTC ms; in the past.
    """
    engines.renew()
    backlog = mix.upstream(scale.ingest_events, mix.plan(start_ms), 4)
    engines.publish(backlog.records)
    count = len(backlog.records)
    rates = interleave(
        {
            "Daybook ingest": lambda: _daybook(engines, backlog),
            "bare loop, no validation (the limit)": lambda: _peer(
                engines, "raw_ingest", count, TIMEOUT_S
            ),
            "plain Faust agent, same validation": lambda: _peer(
                engines, "faust_ingest", backlog.entries, scale.peer_s
            ),
        },
        scale.rounds,
    )
    size = sum(len(record.value or b"") for record in backlog.records) // count
    return Section(
        name="ingest",
        title="Ingest",
        unit="upstream events",
        notes=(
            (
                f"{count:,} JSON CloudEvents (binary mode, data {size} bytes on average) in the "
                "twelve upstream topics, four partitions each, to a topic of four partitions; one "
                "process, acks=all, idempotent except Faust's producer."
            ),
            (
                "Bare loop: confluent-kafka consume and produce of the same bytes, nothing looked "
                "at. Plain Faust: one `topic.send` per event after the same checks and the same "
                f"encoding; stopped after {scale.peer_s:.0f} s."
            ),
            "Daybook's time begins with its assignment, the peers' with their first record.",
        ),
        rates=rates,
    )
