"""`python -m benchmarks.run [--quick] [--only NAME] [--fresh] [--json FILE]`: measure, show tables.

What is measured is written to the file section by section. A run that was interrupted, or in which
a benchmark failed, goes on with what is missing when it is started again.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import (
    chain,
    codec,
    fold,
    growth,
    ingest,
    latency,
    machine,
    query,
    report,
    side_by_side,
    sink,
    worker,
)
from benchmarks.engines import Engines, running
from benchmarks.figures import Section
from benchmarks.results import Results
from benchmarks.rounds import say
from benchmarks.scale import FULL, QUICK, Scale

CACHE = Path.home() / ".cache" / "daybook"
HOUR_MS = 3_600_000

ALONE: dict[str, Callable[[Scale, int], Section]] = {"codec": codec.measure, "fold": fold.measure}
"""Benchmarks of pure code."""
ON_ENGINES: dict[str, Callable[[Engines, Scale, int], Section]] = {
    "ingest": ingest.measure,
    "worker": worker.measure,
    "peers": partial(side_by_side.measure, cache=CACHE),
    "sink": sink.measure,
    "latency": latency.measure,
    "chain": chain.measure,
    "growth": growth.measure,
    "query": query.measure,
}
NAMES = (*ALONE, *ON_ENGINES)


def run(names: Sequence[str], scale: Scale, results: Results) -> list[str]:
    """Run benchmarks; each result is in the file as soon as it is there.

    Args:
        names: Of `NAMES`.
        scale: How much.
        results: Where to.

    Returns:
        Names of those that failed, after the others have run.
    """
    # Past enough that no event of a backlog is from the future, near enough to close no hour.
    start_ms = int(time.time() * 1000) - 2 * HOUR_MS
    results.describe(machine.describe())
    failed = []
    with ExitStack() as stack:
        work: dict[str, Callable[[], Section]] = {
            name: partial(measure, scale, start_ms)
            for name, measure in ALONE.items()
            if name in names
        }
        if engined := [name for name in ON_ENGINES if name in names]:
            engines = stack.enter_context(running(CACHE))
            results.describe(engines.versions)
            for name in engined:
                work[name] = partial(ON_ENGINES[name], engines, scale, start_ms)
        for number, (name, measure) in enumerate(work.items(), 1):
            say(f"{number}/{len(work)} {name}: load {machine.load():.1f}")
            before, began = machine.load(), time.monotonic()
            try:
                section = measure()
            except Exception as error:  # noqa: BLE001 - the others are still worth measuring
                say(f"{name} FAILED: {error}")
                failed.append(name)
                continue
            took_s = time.monotonic() - began
            section = replace(section, load=(before, machine.load()))
            results.add(section, took_s, NAMES)
            say(f"{name}: took {took_s:.0f} s")
    return failed


def main(argv: Sequence[str] | None = None) -> int:
    """Parse arguments, run, print; exit code 0, or 1 when a benchmark failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: show that all works")
    parser.add_argument(
        "--only", action="append", choices=NAMES, help="measure it (again); may be repeated"
    )
    parser.add_argument("--fresh", action="store_true", help="measure everything again")
    parser.add_argument("--json", type=Path, default=report.RESULTS, help="the file of the results")
    given = parser.parse_args(argv)
    # With --only, a complete file is kept and the named sections in it are replaced.
    all_names = (*NAMES, "") if given.only else NAMES
    results = Results.open(given.json, quick=given.quick, names=all_names, fresh=given.fresh)
    names = given.only or results.missing(NAMES)
    failed = run(names, QUICK if given.quick else FULL, results)
    sys.stdout.write(report.markdown(json.loads(json.dumps(results.content))))
    if missing := results.missing(NAMES):
        say(f"not measured yet: {', '.join(missing)}; `make bench` goes on with them")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
