"""All processes together: how long an event takes at a fixed rate, and how many it can be."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks import mix
from benchmarks.child import Child, Daybook
from benchmarks.engines import PARTITIONS, Ends, Engines
from benchmarks.figures import Latency, Rate, Run, Section
from benchmarks.rounds import say
from benchmarks.scale import Scale
from benchmarks.sink import has_stored
from benchmarks.watchers import Watchers
from benchmarks.window import Window
from infra.commands.connect import valkey
from infra.generations.registry import generation_of
from schemas.topics import EFFECT, JOURNAL, METRIC
from sinks.live.read import read_positions

TICK_MS = 250
PREPARE_S = 6.0
"""Time the load generator has to make its events before the first is due."""
DRAIN_S = 3.0
"""The sink may take a second to insert the last probe."""
TIMEOUT_S = 240.0
POLL_S = 0.1
STREAMS = "daybook_streams_"
APPLIED_ONCE = ("entries", "duplicates", "replays")
"""Outcomes of the worker's counter that each stand for one entry; the others come on top."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The running processes."""

    engines: Engines
    ingest: Daybook
    worker: Daybook
    sink: Daybook
    live: Daybook

    def pids(self) -> dict[str, int]:
        """Return process → pid, in the order an event passes them, then the engines."""
        own: tuple[Child, ...] = (self.ingest, self.worker, self.sink, self.live)
        return {process.name: process.pid for process in own} | {
            engine: self.engines.pid(engine) for engine in ("kafka", "clickhouse", "valkey")
        }

    def ingested(self) -> int:
        """Return how many upstream events are in the journal, or nearly."""
        return int(sum(self.ingest.metric(f"{STREAMS}ingested_events_total").values()))

    def folded(self) -> int:
        """Return how many journal entries are committed, without ticks."""
        found = self.worker.metric(f"{STREAMS}entries_total")
        return int(
            sum(
                value
                for labels, value in found.items()
                if any(f'outcome="{outcome}"' in labels for outcome in APPLIED_ONCE)
            )
        )

    def lives(self, ends: Ends) -> bool:
        """Tell whether Valkey has everything below `ends` of the metric topic."""
        settings = self.engines.settings
        with valkey(settings) as client:
            held = read_positions(client, generation_of(settings))
        return all(
            partition in held and held[partition].next_offset >= end
            for (_, partition), end in ends.items()
        )


@contextmanager
def _running(engines: Engines) -> Iterator[Chain]:
    with ExitStack() as stack:
        ingest = stack.enter_context(engines.daybook("ingest"))
        worker = stack.enter_context(engines.daybook("worker", tick_ms=TICK_MS))
        sink = stack.enter_context(engines.daybook("sink"))
        live = stack.enter_context(engines.daybook("live"))
        chain = Chain(engines, ingest, worker, sink, live)
        ingest.wait_line('"started"')
        worker.wait_line('"opened lane"', times=PARTITIONS)
        sink.wait_line('"lane_claimed"', times=3 * PARTITIONS)
        live.wait(lambda: bool(live.metric("daybook_sinks_done_offset")), "its partitions")
        yield chain


def _paced(chain: Chain, scale: Scale) -> tuple[tuple[Latency, ...], Run, int]:
    """Send at the fixed rate; return latencies, CPU and how late the generator was, ms."""
    engines = chain.engines
    start_ms = int((time.time() + PREPARE_S) * 1000)
    counted_ms = start_ms + int(scale.chain_warm_s * 1000)
    watchers = Watchers(engines)
    load = engines.peer(
        "load", str(scale.rate), str(scale.chain_s), str(start_ms), str(mix.SEED + 1)
    )
    with load:
        load.wait_line("ready", timeout_s=PREPARE_S * 10)
        load.wait(lambda: time.time() * 1000 >= counted_ms, "the warm-up")
        window = Window(chain.pids())
        said = load.wait_line("sent", timeout_s=scale.chain_s + 60)
        run = window.close(int(scale.rate * (scale.chain_s - scale.chain_warm_s)))
        load.reaches(lambda: False, DRAIN_S)
    watchers.stop()
    return latencies(watchers, counted_ms), run, int(said.split()[-1])


def latencies(watchers: Watchers, counted_ms: int) -> tuple[Latency, ...]:
    """Return how long the probes took that were due at `counted_ms` (UTC ms) or later."""
    probes = [seen for seen in watchers.effects if seen.scheduled_ms >= counted_ms]
    found = [Latency.of("effect, `read_committed`", [p.at_ms - p.scheduled_ms for p in probes])]
    for where, progress in (
        ("metric in Valkey", watchers.valkey),
        ("row in ClickHouse", watchers.clickhouse),
    ):
        reached = ((progress.reached_ms(p.partition, p.cause), p) for p in probes)
        found.append(
            Latency.of(where, [at_ms - p.scheduled_ms for at_ms, p in reached if at_ms is not None])
        )
    return tuple(found)


def _backlog(chain: Chain, scale: Scale, start_ms: int) -> tuple[Rate, ...]:
    """Send a backlog at once; return what each stage did per second until it had all of it."""
    engines = chain.engines
    backlog = mix.upstream(scale.chain_backlog, mix.plan(start_ms, mix.SEED + 2), PARTITIONS)
    ingested, folded = chain.ingested(), chain.folded()
    count = len(backlog.records)
    window = Window(chain.pids())
    engines.publish(backlog.records)
    runs: dict[str, Run] = {}

    def reach(stage: str, process: Child, condition: Callable[[], bool]) -> None:
        process.wait(condition, f"{stage} to have the backlog", TIMEOUT_S, POLL_S)
        runs[stage] = window.close(count)

    reach("ingest", chain.ingest, lambda: chain.ingested() >= ingested + count)
    reach("worker", chain.worker, lambda: chain.folded() >= folded + backlog.entries)
    metrics = engines.ends(METRIC)
    ends = engines.ends(JOURNAL, EFFECT, METRIC)
    reach("live", chain.live, lambda: chain.lives(metrics))
    reach("sink", chain.sink, lambda: has_stored(chain.sink, ends))
    return tuple(
        Rate.of(f"backlog, until {stage} has it", [run], "backlog") for stage, run in runs.items()
    )


def measure(engines: Engines, scale: Scale, start_ms: int) -> Section:
    """Measure the whole chain.

    Args:
        engines: All topics are renewed.
        scale: How much.
        start_ms: Time of the backlog's first event, UTC ms.
    """
    engines.renew()
    opening = [outgoing.record() for outgoing in mix.opening(mix.plan(start_ms, mix.SEED + 1))]
    engines.publish(opening)
    with _running(engines) as chain:
        found, run, behind_ms = _paced(chain, scale)
        say(f"  at {scale.rate}/s: p50 {found[0].p50:.0f} ms, p99 {found[0].p99:.0f} ms")
        rates = _backlog(chain, scale, start_ms)
    return Section(
        name="chain",
        title="Whole chain",
        unit="upstream events",
        notes=(
            (
                f"`ingest`, `worker`, `sink` and `live`, one process each, with all engines and "
                f"the load generator on this machine. Open loop at {scale.rate:,} events/s for "
                f"{scale.chain_s:.0f} s, the first {scale.chain_warm_s:.0f} s not counted; one "
                f"event in {mix.PROBE_EVERY} is a probe whose event time is its scheduled send "
                "time, and latency runs from that moment, however late it was sent."
            ),
            (
                "Valkey is asked every 4 ms, ClickHouse every 40 ms, by the benchmark itself; that "
                "load is included."
            ),
            (
                f"Backlog: {scale.chain_backlog:,} events sent at once; time runs from the first, "
                "and sending them uses the same two cores at first."
            ),
        ),
        rates=(Rate.of(f"paced at {scale.rate:,}/s", [run]), *rates),
        latencies=found,
        facts={"latest event of the load generator": f"{behind_ms} ms after its moment"},
    )
