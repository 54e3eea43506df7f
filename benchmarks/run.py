"""`python -m benchmarks.run [--quick] [--only NAME] [--json FILE]`: measure, then show tables."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import chain, codec, fold, ingest, machine, report, sink, worker
from benchmarks.engines import Engines, running
from benchmarks.figures import Section
from benchmarks.rounds import say
from benchmarks.scale import FULL, QUICK, Scale

ALONE: dict[str, Callable[[Scale, int], Section]] = {"codec": codec.measure, "fold": fold.measure}
"""Benchmarks of pure code."""
ON_ENGINES: dict[str, Callable[[Engines, Scale, int], Section]] = {
    "ingest": ingest.measure,
    "worker": worker.measure,
    "sink": sink.measure,
    "chain": chain.measure,
}
NAMES = (*ALONE, *ON_ENGINES)
CACHE = Path.home() / ".cache" / "daybook"
HOUR_MS = 3_600_000


def run(names: Sequence[str], scale: Scale) -> dict[str, Any]:
    """Run benchmarks and return everything that was found, ready for JSON.

    Args:
        names: Of `NAMES`.
        scale: How much.
    """
    began, found = time.time(), machine.describe()
    # Past enough that no event of a backlog is from the future, near enough to close no hour.
    start_ms = int(began * 1000) - 2 * HOUR_MS
    sections = [
        _timed(name, partial(ALONE[name], scale, start_ms)) for name in ALONE if name in names
    ]
    if engined := [name for name in ON_ENGINES if name in names]:
        with running(CACHE) as engines:
            found |= engines.versions
            sections += [
                _timed(name, partial(ON_ENGINES[name], engines, scale, start_ms))
                for name in engined
            ]
    return {
        "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(began)),
        "seconds": round(time.time() - began),
        "quick": scale is QUICK,
        "machine": found,
        "sections": [asdict(section) for section in sections],
    }


def _timed(name: str, measure: Callable[[], Section]) -> Section:
    say(f"{name}: load {machine.load():.1f}")
    before = machine.load()
    section = measure()
    return replace(section, load=(before, machine.load()))


def main(argv: Sequence[str] | None = None) -> int:
    """Parse arguments, run, print; exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: show that all works")
    parser.add_argument("--only", action="append", choices=NAMES, help="may be repeated")
    parser.add_argument("--json", type=Path, help="write the result here")
    given = parser.parse_args(argv)
    result = run(given.only or NAMES, QUICK if given.quick else FULL)
    if given.json is not None:
        given.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf8")
    sys.stdout.write(report.markdown(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
