"""The pure fold over one journal partition, without Kafka: cuts of 50, 500 and 3,000 entries."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import mix
from benchmarks.figures import Run, Section
from benchmarks.mix import Kept
from benchmarks.rounds import Variant, interleave
from benchmarks.scale import Scale
from benchmarks.window import OwnWindow
from schemas.codec import decode_entry, decode_event
from schemas.journal import EVENT
from streams.domain.fold import fold
from streams.domain.state import State
from streams.runtime.disk import DiskRows

BATCHES = (50, 500, 3_000)
SHARES_AT = 500


@dataclass(frozen=True, slots=True)
class Work:
    """What folding a log amounts to, and where the time goes (process CPU, s).

    Args:
        entries: Folded, ticks among them.
        effects: Written.
        buckets: Changed metric buckets, each batch anew.
        rows: Changed rows of the changelog, buckets among them.
        fold_s: In `fold`.
        apply_s: In `State.apply`.
        decode_s: Decoding entries and their data once, measured apart.
    """

    entries: int
    effects: int
    buckets: int
    rows: int
    fold_s: float
    apply_s: float
    decode_s: float


def run(log: Sequence[Kept], size: int) -> Run:
    """Fold a log from an empty state."""
    state = State()
    window = OwnWindow()
    for batch in mix.batches(log, size):
        state.apply(fold(state, batch, partition=0))
    return window.close(len(log))


def run_on_disk(log: Sequence[Kept], size: int) -> Run:
    """Fold a log from an empty state, its rows in RocksDB."""
    with TemporaryDirectory() as directory:
        rows = DiskRows(Path(directory))
        state, tail = rows.resume("benchmark", 0, 0)
        window = OwnWindow()
        for batch in mix.batches(log, size):
            effects = fold(state, batch, partition=0)
            tail += len(effects.rows)
            state.apply(effects)
            rows.save(state, tail)
        found = window.close(len(log))
        rows.close()
    return found


def work(log: Sequence[Kept], size: int) -> Work:
    """Fold a log, and count and time the parts."""
    state, clock = State(), time.process_time
    effects = buckets = rows = 0
    fold_s = apply_s = 0.0
    for batch in mix.batches(log, size):
        began = clock()
        result = fold(state, batch, partition=0)
        folded = clock()
        state.apply(result)
        apply_s += clock() - folded
        fold_s += folded - began
        effects += len(result.effects)
        buckets += len(result.metrics)
        rows += len(result.rows)
    began = clock()
    for kept in log:
        entry = decode_entry(kept.value)
        if entry.kind == EVENT:
            decode_event(entry.data)
    return Work(len(log), effects, buckets, rows, fold_s, apply_s, clock() - began)


def _facts(done: dict[int, Work]) -> dict[str, str]:
    facts = {}
    for size, found in done.items():
        entries = found.entries
        facts[f"batches of {size:,}: changed buckets and rows per entry"] = (
            f"{found.buckets / entries:.2f}, {found.rows / entries:.2f}"
        )
    found = done[SHARES_AT]
    total = found.fold_s + found.apply_s
    facts["effects per entry"] = f"{found.effects / found.entries:.2f}"
    facts[f"CPU per effect, batches of {SHARES_AT}"] = f"{total / found.effects * 1e6:.1f} µs"
    facts[f"shares of the CPU, batches of {SHARES_AT}"] = (
        f"decoding {found.decode_s / total:.0%}, "
        f"deciding and encoding {(found.fold_s - found.decode_s) / total:.0%}, "
        f"merging into the state {found.apply_s / total:.0%}"
    )
    return facts


def measure(scale: Scale, start_ms: int) -> Section:
    """Measure the fold.

    Args:
        scale: How much.
        start_ms: Time of the first event, UTC ms.
    """
    (log,) = mix.journal(scale.fold_entries, mix.plan(start_ms), partitions=1)
    variants: dict[str, Variant] = {f"batches of {size:,}": _bound(log, size) for size in BATCHES}
    variants[f"batches of {SHARES_AT}, rows in RocksDB"] = lambda: run_on_disk(log, SHARES_AT)
    return Section(
        name="fold",
        title="Fold",
        unit="entries",
        notes=(
            (
                "One journal partition from an empty state, no Kafka: decode, fold, encode what "
                "changed, merge it into the state."
            ),
            (
                "The simulator's traffic; ticks count as entries. The larger the batch, the more "
                "often a row or bucket is changed before it is encoded once."
            ),
        ),
        rates=interleave(variants, scale.rounds, warm_up=True),
        facts=_facts({size: work(log, size) for size in BATCHES}),
    )


def _bound(log: Sequence[Kept], size: int) -> Variant:
    return lambda: run(log, size)
