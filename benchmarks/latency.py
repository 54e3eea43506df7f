"""How long an event takes to each of its consequences, at fixed rates (open loop)."""

import time
from collections.abc import Iterable

from benchmarks import mix
from benchmarks.chain import Chain, running_chain
from benchmarks.engines import Engines
from benchmarks.figures import Latency, Rate, Run, Section, at
from benchmarks.rounds import say
from benchmarks.scale import Scale
from benchmarks.watchers import Seen, Watchers
from benchmarks.window import Window

PREPARE_S = 4.0
PREPARE_S_PER_EVENT = 0.0003
"""Time the load generator has to make its events before the first is due."""
DRAIN_S = 20.0
"""Longest wait for the last probe: at a rate that is too high it is far behind."""
EFFECT, VALKEY, CLICKHOUSE = "effect, `read_committed`", "metric in Valkey", "row in ClickHouse"


def latencies(watchers: Watchers, counted_ms: int, rate: int) -> tuple[Latency, ...]:
    """Return how long the probes took that were due at `counted_ms` (UTC ms) or later.

    Args:
        watchers: What was seen.
        counted_ms: End of the warm-up, UTC ms.
        rate: Events per second; named in the result.
    """
    probes = [seen for seen in watchers.effects if seen.scheduled_ms >= counted_ms]
    found = [Latency.of(f"{EFFECT}, {rate:,}/s", [p.at_ms - p.scheduled_ms for p in probes])]
    for where, progress in ((VALKEY, watchers.valkey), (CLICKHOUSE, watchers.clickhouse)):
        reached = ((progress.reached_ms(p.partition, p.cause), p) for p in probes)
        taken = [at_ms - p.scheduled_ms for at_ms, p in reached if at_ms is not None]
        found.append(Latency.of(f"{where}, {rate:,}/s", taken))
    return tuple(found)


def drift(probes: Iterable[Seen]) -> tuple[float, float]:
    """Return the median latency of the first and of the last fifth of the probes, ms.

    A rate that is too high shows in it: a queue grows, and the last wait longest.
    """
    ordered = sorted(probes, key=lambda seen: seen.scheduled_ms)
    fifth = max(1, len(ordered) // 5)
    first, last = (
        at(sorted(seen.at_ms - seen.scheduled_ms for seen in part), 0.5)
        for part in (ordered[:fifth], ordered[-fifth:])
    )
    return first, last


def _paced(
    chain: Chain, scale: Scale, rate: int, seconds: float, seed: int
) -> tuple[tuple[Latency, ...], Run, dict[str, str]]:
    """Send at a fixed rate; return latencies, CPU, and what else is worth knowing."""
    events = int(rate * seconds)
    start_ms = int((time.time() + PREPARE_S + PREPARE_S_PER_EVENT * events) * 1000)
    counted_ms = start_ms + int(scale.chain_warm_s * 1000)
    watchers = Watchers(chain.engines)
    load = chain.engines.peer("load", str(rate), str(seconds), str(start_ms), str(seed))
    with load:
        load.wait_line("ready", timeout_s=PREPARE_S * 30)
        load.wait(lambda: time.time() * 1000 >= counted_ms, "the warm-up")
        window = Window(chain.pids())
        said = load.wait_line("sent", timeout_s=seconds + 120)
        run = window.close(int(rate * (seconds - scale.chain_warm_s)))
        probes = -(-events // mix.PROBE_EVERY)
        load.reaches(lambda: watchers.complete(probes), DRAIN_S)
    watchers.stop()
    found = latencies(watchers, counted_ms, rate)
    seen = [each for each in watchers.effects if each.scheduled_ms >= counted_ms]
    first, last = drift(seen)
    say(f"  at {rate:,}/s: p50 {found[0].p50:.0f} ms, p99 {found[0].p99:.0f} ms")
    return (
        found,
        run,
        {
            f"{rate:,}/s: latest event of the load generator": (
                f"{said.split()[-1]} ms after its moment"
            ),
            f"{rate:,}/s: effect, median of the first and of the last fifth": (
                f"{first:,.0f} and {last:,.0f} ms"
            ),
            f"{rate:,}/s: probes seen of those sent": f"{len(watchers.effects):,} of {probes:,}",
        },
    )


def measure(engines: Engines, scale: Scale, _start_ms: int) -> Section:
    """Measure latencies.

    Args:
        engines: All topics are renewed.
        scale: How much.
    """
    engines.renew()
    start_ms = int(time.time() * 1000)
    opening = [outgoing.record() for outgoing in mix.opening(mix.plan(start_ms, mix.SEED + 1))]
    engines.publish(opening)
    found: list[Latency] = []
    rates: list[Rate] = []
    facts: dict[str, str] = {}
    measures: dict[str, float] = {}
    with running_chain(engines) as chain:
        for number, (rate, seconds) in enumerate(scale.paces, 1):
            latency, run, noted = _paced(chain, scale, rate, seconds, mix.SEED + number)
            found += latency
            rates.append(Rate.of(f"{rate:,}/s", [run], f"{rate}"))
            facts |= noted
            for name, each in zip(("effect", "valkey", "clickhouse"), latency, strict=True):
                measures |= {f"{name}_p50_ms@{rate}": each.p50, f"{name}_p99_ms@{rate}": each.p99}
    return Section(
        name="latency",
        title="Latency",
        unit="upstream events",
        notes=(
            (
                "`ingest`, `worker`, `sink` and `live`, one process each, with all engines and "
                "the load generator on this machine. Open loop: "
                + ", ".join(f"{rate:,}/s for {seconds:.0f} s" for rate, seconds in scale.paces)
                + f", of each the first {scale.chain_warm_s:.0f} s not counted, once. One event in "
                f"{mix.PROBE_EVERY} is a probe whose event time is its scheduled send time, and "
                "latency runs from that moment, however late it was sent."
            ),
            (
                "Valkey is asked every 4 ms, ClickHouse every 40 ms, by the benchmark itself; that "
                "load is included. A rate is too high for this machine when the median of the last "
                "fifth is far above that of the first: a queue grew."
            ),
        ),
        rates=tuple(rates),
        latencies=tuple(found),
        facts=facts,
        measures=measures,
    )
