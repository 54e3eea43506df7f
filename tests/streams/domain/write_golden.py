"""`python -m tests.streams.domain.write_golden`: record a journal, and what the fold makes of it.

An existing file isn't touched. After a change that is meant to change results delete
`golden/folded.json` and run this; the journal stays, so that the digests' difference is the
change's.
"""

import json
import sys

from benchmarks import mix
from infra.simulate.traffic import Plan
from schemas.codec import encode_entry
from schemas.journal import tick
from tests.streams.domain.golden_fold import (
    BATCHES,
    FOLDED,
    JOURNAL,
    folded,
    read_journal,
    write_journal,
)
from tests.streams.journal_builder import ms

EVENTS = 2_500
DAY_MS = 86_400_000


def recorded() -> list[bytes]:
    """Return a stretch of the simulator's traffic, followed by weeks of silence.

    Spread over days, so that timers fire and hours and days change; hours close in the silence.
    """
    plan = Plan(seed=mix.SEED, start_ms=ms("2026-03-20T06:00"), rate=0.02, tenants=mix.TENANTS)
    (log,) = mix.journal(EVENTS, plan, partitions=1)
    end_ms = plan.start_ms + int(EVENTS / plan.rate * 1000)
    silence = [encode_entry(tick(end_ms + day * DAY_MS)) for day in range(40)]
    return [kept.value for kept in log] + silence


def main() -> None:
    """Write what is missing."""
    if not JOURNAL.exists():
        write_journal(recorded())
        sys.stdout.write(f"recorded {JOURNAL.name}\n")
    if not FOLDED.exists():
        records = read_journal()
        said = {str(size): folded(records, size) for size in BATCHES}
        FOLDED.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
        sys.stdout.write(f"wrote {FOLDED.name}\n")


if __name__ == "__main__":
    main()
