"""All processes together: how many events per second they take."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks import mix
from benchmarks.child import Child, Daybook
from benchmarks.engines import PARTITIONS, Ends, Engines
from benchmarks.figures import Rate, Run, Section
from benchmarks.scale import Scale
from benchmarks.sink import has_stored
from benchmarks.window import Window
from infra.commands.connect import valkey
from infra.generations.registry import generation_of
from schemas.topics import EFFECT, JOURNAL, METRIC
from sinks.live.read import read_positions

TICK_MS = 250
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
def running_chain(engines: Engines) -> Iterator[Chain]:
    """Start all four processes; yields when each has its partitions."""
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
    """Measure how many events per second the whole chain takes.

    Args:
        engines: All topics are renewed.
        scale: How much.
        start_ms: Time of the backlog's first event, UTC ms.
    """
    engines.renew()
    with running_chain(engines) as chain:
        rates = _backlog(chain, scale, start_ms)
    return Section(
        name="chain",
        title="Whole chain",
        unit="upstream events",
        notes=(
            (
                f"`ingest`, `worker`, `sink` and `live`, one process each, with all engines on "
                f"this machine. {scale.chain_backlog:,} events sent at once; time runs from the "
                "first, and sending them uses the same cores at first."
            ),
        ),
        rates=rates,
    )
