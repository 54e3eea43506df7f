"""One journal, one result: whatever the batches, the restarts and the workers were.

Compared byte for byte: every effect in order, and every row of the state. A bucket carries the
offset at which it was written, which is the end of its batch; where batches differ, the buckets are
compared without it.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import mix
from infra.simulate.traffic import Plan
from schemas.codec import decode_partial, encode_partial
from schemas.definitions.applied import DefinitionApplied
from schemas.events import CATALOGUE
from streams.domain.fold import fold
from streams.domain.state import State
from streams.domain.table import HOURS, METRICS
from tests.streams.domain.golden_fold import read_journal
from tests.streams.journal_builder import Journal, Record, ms

Said = list[tuple[bytes, str, bytes]]
ENTRIES = 400
PARTITIONS = 4


@cache
def every_type() -> tuple[Record, ...]:
    """Return a journal with every event type, changing settings, repeats and ticks."""
    journal = Journal()
    for round_, zone in enumerate(("Europe/Berlin", "Asia/Tokyo")):
        journal.settings(timezone=zone, first_contact_within="PT1M", hour_retention="P1D")
        for number, (_, event) in enumerate(sorted(CATALOGUE.items())):
            if event is DefinitionApplied:
                continue
            at = f"2026-03-0{2 - round_}T10:{number % 60:02d}:00"
            journal.event(event.model_validate(event.EXAMPLE), at, event_id=f"{number % 50}")
            if number % 3 == 0:
                journal.tick(f"2026-03-0{2 + round_}T11:{number % 60:02d}:00")
    return tuple(journal.tick("2026-05-01").records)


@cache
def recorded() -> tuple[Record, ...]:
    """Return the beginning of recorded traffic, and the silence after it in which timers fire."""
    records = read_journal()
    chosen = [*records[:ENTRIES], *records[-40:]]
    return tuple(Record(offset, record.value) for offset, record in enumerate(chosen))


@cache
def simulated() -> tuple[tuple[Record, ...], ...]:
    """Return the simulator's traffic, spread over partitions as ingest does."""
    plan = Plan(seed=7, start_ms=ms("2026-03-20T06:00"), rate=0.05, tenants=mix.TENANTS)
    logs = mix.journal(ENTRIES, plan, partitions=PARTITIONS)
    return tuple(
        tuple(Record(offset, kept.value) for offset, kept in enumerate(log)) for log in logs
    )


def rows(state: State) -> dict[bytes, bytes]:
    """Return every row, buckets without the offset they were written at."""
    return {
        key: encode_partial(decode_partial(value)._replace(offset=0))
        if key[:1] in {METRICS.prefix, HOURS.prefix}
        else value
        for key, value in state.rows()
    }


def through_the_changelog(log: list[tuple[bytes, bytes | None]]) -> State:
    """Return the state that a worker loads: from bytes, nothing kept in memory."""
    return State.load(log)


def folded(
    records: Sequence[Record], cuts: Sequence[int], restarts: Sequence[int], partition: int = 0
) -> tuple[Said, dict[bytes, bytes]]:
    """Fold with batches that end at `cuts`, beginning anew from the changelog at `restarts`."""
    state, said = State(), []
    log: list[tuple[bytes, bytes | None]] = []
    edges = sorted({0, len(records), *(each % (len(records) + 1) for each in (*cuts, *restarts))})
    again = {each % (len(records) + 1) for each in restarts}
    for start, end in pairwise(edges):
        if start in again:
            state = through_the_changelog(log)
        effects = fold(state, records[start:end], partition=partition)
        state.apply(effects)
        log += effects.rows
        said += effects.effects
    return said, rows(state)


@cache
def whole(journal: str, partition: int = 0) -> tuple[Said, dict[bytes, bytes]]:
    """Return the result of one batch and no restart."""
    return folded(journal_named(journal)[partition], (), (), partition)


def journal_named(name: str) -> tuple[tuple[Record, ...], ...]:
    """Return the partitions of one of the journals."""
    if name == "simulated":
        return simulated()
    return (every_type() if name == "every type" else recorded(),)


CUTS = st.lists(st.integers(0, 10_000), max_size=12)


@given(journal=st.sampled_from(["every type", "recorded"]), cuts=CUTS, restarts=CUTS)
@settings(max_examples=12, deadline=None)
def test_neither_batches_nor_restarts_change_anything(
    journal: str, cuts: list[int], restarts: list[int]
) -> None:
    """However it is cut, and wherever a worker began anew, the bytes are the same."""
    (records,) = journal_named(journal)
    assert folded(records, cuts, restarts) == whole(journal)


@given(
    owners=st.lists(st.tuples(*[st.integers(0, 3)] * PARTITIONS), min_size=1, max_size=4),
    order=st.permutations(range(PARTITIONS)),
)
@settings(max_examples=8, deadline=None)
def test_the_number_of_workers_changes_nothing(
    owners: list[tuple[int, ...]], order: list[int]
) -> None:
    """Partitions go from worker to worker, each time through the changelog; results stay."""
    # For each stretch of time, `owners` says which worker has which partition, and `order` in
    # which they happen to get to them.
    logs = simulated()
    changelogs: list[list[tuple[bytes, bytes | None]]] = [[] for _ in logs]
    said: list[Said] = [[] for _ in logs]
    memory: dict[tuple[int, int], State] = {}
    for stretch, owner in enumerate(owners):
        for partition in order:
            records = logs[partition]
            start, end = (len(records) * (stretch + each) // len(owners) for each in (0, 1))
            stayed = stretch > 0 and owners[stretch - 1][partition] == owner[partition]
            state = memory[owner[partition], partition] if stayed else None
            state = state or through_the_changelog(changelogs[partition])
            effects = fold(state, records[start:end], partition=partition)
            state.apply(effects)
            memory[owner[partition], partition] = state
            changelogs[partition] += effects.rows
            said[partition] += effects.effects
    for partition in range(PARTITIONS):
        expected = whole("simulated", partition)
        assert (said[partition], rows(State.load(changelogs[partition]))) == expected
