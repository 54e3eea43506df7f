"""The journal folded exactly once: `daybook worker` beside plain Faust and a bare loop."""

import json

from benchmarks import mix
from benchmarks.child import Daybook
from benchmarks.engines import PARTITIONS, Engines
from benchmarks.figures import Run, Section
from benchmarks.rounds import interleave
from benchmarks.scale import Scale
from benchmarks.window import Window
from schemas.topics import JOURNAL

POLL_S = 0.05
TIMEOUT_S = 180.0
SLACK_S = 60.0
OPENED = '"opened lane"'


def applied(process: Daybook) -> dict[int, int]:
    """Return partition → journal offset whose effects are committed."""
    found = process.metric("daybook_streams_applied_offset")
    return {int(labels.split('"')[1]): int(value) for labels, value in found.items()}


def has_applied(process: Daybook, lengths: list[int]) -> bool:
    """Tell whether a worker has committed so many entries of each partition."""
    done = applied(process)
    return all(done.get(partition, -1) >= length - 1 for partition, length in enumerate(lengths))


def _daybook(engines: Engines, lengths: list[int]) -> Run:
    """From the last lane's opening to the last commit."""
    engines.rejoin()
    with engines.daybook("worker") as process:
        process.wait_line(OPENED, times=PARTITIONS)
        window = Window({"worker": process.pid, "kafka": engines.pid("kafka")})
        process.wait(lambda: has_applied(process, lengths), "the last commit", TIMEOUT_S, POLL_S)
        return window.close(sum(lengths))


def _peer(engines: Engines, module: str, entries: int, most_s: float, *options: str) -> Run:
    """From its first entry to its last, or until the time is over; it counts itself."""
    output = engines.make_topic("effect")
    arguments = (output, str(entries), str(most_s), *options)
    with engines.peer(f"peers.{module}", *arguments) as process:
        process.wait_line("begin")
        window = Window({"worker": process.pid, "kafka": engines.pid("kafka")})
        said = process.wait_line("done", timeout_s=most_s + SLACK_S)
        return window.close(int(json.loads(said)["done"]))


def measure(engines: Engines, scale: Scale, start_ms: int) -> Section:
    """Measure the worker.

    Args:
        engines: All topics are renewed.
        scale: How much.
        start_ms: Time of the first event, UTC ms.
    """
    engines.renew()
    logs = mix.journal(scale.journal_events, mix.plan(start_ms), PARTITIONS)
    engines.write_journal(logs)
    lengths = [len(log) for log in logs]
    entries = sum(lengths)
    rates = interleave(
        {
            "Daybook worker, exactly once": lambda: _daybook(engines, lengths),
            "bare loop, same fold, nothing written (the limit)": lambda: _peer(
                engines, "raw_worker", entries, TIMEOUT_S
            ),
            "plain Faust, table writes per event": lambda: _peer(
                engines, "faust_worker", entries, scale.peer_s, "1"
            ),
            "plain Faust, `take(500)`": lambda: _peer(
                engines, "faust_worker", entries, scale.peer_s, "500"
            ),
        },
        scale.rounds,
    )
    size = sum(len(kept.value) for log in logs for kept in log) // entries
    return Section(
        name="worker",
        title="Worker",
        unit="entries",
        notes=(
            (
                f"{entries:,} entries of {size} bytes on average in {PARTITIONS} partitions of "
                f"`{JOURNAL}`, one process, acks=all."
            ),
            (
                "All run the same `fold` with the same codec. Bare loop: confluent-kafka "
                "`consume`, fold and merge into the state, no record written."
            ),
            (
                "Plain Faust writes the same rows to a table (memory store, changelog) and sends "
                "the same effects, at least once. In its favour: it doesn't publish metric "
                "buckets a second time for readers, keeps no head row, and reads its state from "
                "plain dictionaries instead of the table. "
                f"It is stopped after {scale.peer_s:.0f} s, and its time ends with the last entry "
                "folded, not with the last acknowledgement."
            ),
            "Daybook's time runs from the opening of its lanes to the last commit.",
        ),
        rates=rates,
    )
