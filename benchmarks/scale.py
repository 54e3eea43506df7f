"""How much each benchmark does: `QUICK` shows that all works, `FULL` gives figures to publish."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of one run.

    Args:
        rounds: Rounds of each variant, interleaved; the median of an odd number is a round.
        codec_records: Records each codec writes and reads in one round.
        fold_entries: Entries of the one partition that is folded.
        ingest_events: Upstream events of each ingest round.
        journal_events: Events in the journal that worker and sink read.
        peer_s: A slow peer is stopped after this long, s; its rate is that of what it did.
        peer_records: Records of the workload the quick peers do side by side; slower ones get a
            part of it.
        peer_rounds: Rounds of each of the peers.
        facts: Events in ClickHouse that reports are asked about.
        report_rounds: How often each report is asked.
        growth_records: Records of each step of growth.
        subjects: Numbers of subjects in the state.
        paces: (events per second, how long they are sent in s) of the open loop.
        chain_warm_s: The first seconds of each don't count.
        chain_backlog: Events sent at once, to find the chain's maximum.
    """

    rounds: int
    codec_records: int
    fold_entries: int
    ingest_events: int
    journal_events: int
    peer_s: float
    peer_records: int
    peer_rounds: int
    facts: int
    report_rounds: int
    growth_records: int
    subjects: tuple[int, ...]
    paces: tuple[tuple[int, float], ...]
    chain_warm_s: float
    chain_backlog: int


FULL = Scale(
    rounds=3,
    codec_records=20_000,
    fold_entries=30_000,
    ingest_events=80_000,
    journal_events=120_000,
    peer_s=8.0,
    peer_records=240_000,
    peer_rounds=3,
    facts=10_000_000,
    report_rounds=50,
    growth_records=60_000,
    subjects=(10_000, 100_000, 1_000_000),
    paces=((1_000, 23.0), (5_000, 13.0)),
    chain_warm_s=3.0,
    chain_backlog=80_000,
)
QUICK = Scale(
    rounds=1,
    codec_records=4_000,
    fold_entries=6_000,
    ingest_events=20_000,
    journal_events=40_000,
    peer_s=3.0,
    peer_records=40_000,
    peer_rounds=1,
    facts=200_000,
    report_rounds=20,
    growth_records=12_000,
    subjects=(10_000, 40_000),
    paces=((1_000, 9.0), (2_000, 9.0)),
    chain_warm_s=3.0,
    chain_backlog=20_000,
)
