"""The benchmarks do what they say; how fast is never asserted."""

import json
from dataclasses import asdict

import pytest

from benchmarks import codec, fold, mix, report
from benchmarks.figures import Latency, Rate, Run, Section, Spread
from benchmarks.rounds import interleave
from benchmarks.scale import Scale
from benchmarks.watchers import Progress
from schemas.codec import decode_entry
from schemas.journal import TICK

START_MS = 1_780_000_000_000
TINY = Scale(
    rounds=1, codec_records=20, fold_entries=300, ingest_events=0, journal_events=0, peer_s=0.0,
    peer_records=0, peer_rounds=0, facts=0, report_rounds=0,
    growth_records=0, subjects=(), paces=(), chain_warm_s=0.0, chain_backlog=0,
)  # fmt: skip


def test_both_codecs_do_the_same_work() -> None:
    """Fastavro writes the same bytes and reads equal objects, else the comparison means nothing."""
    found = codec.samples(START_MS, 200)
    assert found.entries
    assert found.events
    assert found.effects
    assert found.partials
    assert codec.disagreements(found) == []


def test_codec_benchmark_measures_each_kind_both_ways_with_both_codecs() -> None:
    """Four kinds of record, encode and decode, ours and fastavro's."""
    section = codec.measure(TINY, START_MS)
    assert len({rate.variant for rate in section.rates}) == 4 * 2 * 2
    assert {rate.count for rate in section.rates} == {20}


def test_fold_benchmark_folds_every_entry_in_each_cut() -> None:
    """All batch sizes do the same entries and state the same effects."""
    (log,) = mix.journal(300, mix.plan(START_MS), partitions=1)
    works = [fold.work(log, size) for size in fold.BATCHES]
    assert {work.entries for work in works} == {len(log)}
    assert len({work.effects for work in works}) == 1
    assert works[0].buckets >= works[-1].buckets > 0


def test_fold_section_names_every_batch_size() -> None:
    """One row per batch size and one with rows on the disk, all of the same number of entries."""
    section = fold.measure(TINY, START_MS)
    assert [rate.variant for rate in section.rates] == [
        *(f"batches of {size:,}" for size in fold.BATCHES),
        f"batches of {fold.SHARES_AT}, rows in RocksDB",
    ]
    assert len({rate.count for rate in section.rates}) == 1


def test_journal_is_dense_and_holds_what_its_backlog_promises() -> None:
    """Offsets have no hole, and without ticks there are as many entries as ingest is to write."""
    plan, partitions = mix.plan(START_MS), 4
    logs = mix.journal(500, plan, partitions)
    for log in logs:
        assert [kept.offset for kept in log] == list(range(len(log)))
    entries = [decode_entry(kept.value) for log in logs for kept in log]
    written = sum(entry.kind != TICK for entry in entries)
    assert written == mix.upstream(500, plan, partitions).entries
    assert 0 < len(entries) - written < 50


def test_mix_has_many_types() -> None:
    """The traffic is no single type: a dozen at the least."""
    records = mix.upstream(2_000, mix.plan(START_MS), 4).records
    counts = mix.event_types(records, START_MS + 3_600_000)
    assert sum(counts.values()) == len(records)
    assert len(counts) >= 12


def test_probe_carries_its_scheduled_time_into_its_effect() -> None:
    """The fact of a probe has the probe's send time, so a reader knows its latency."""
    sent = list(mix.paced(mix.plan(START_MS, rate=100.0), 1.0))
    assert [at_ms for at_ms, _ in sent] == [START_MS + 10 * slot for slot in range(100)]
    probes = [at_ms for at_ms, record in sent if (record.key or b"").startswith(b"probe|contact/")]
    assert probes == [START_MS + 10 * slot for slot in range(0, 100, mix.PROBE_EVERY)]


def test_progress_finds_the_first_moment_an_offset_was_visible() -> None:
    """Asked for an offset between two looks, the later one counts; one never reached has none."""
    progress = Progress()
    for offset, at_ms in ((3, 10.0), (3, 20.0), (7, 30.0)):
        progress.note(0, offset, at_ms)
    assert [progress.reached_ms(0, offset) for offset in (2, 3, 4, 7, 8)] == [
        10.0, 10.0, 30.0, 30.0, None,
    ]  # fmt: skip
    assert progress.reached_ms(1, 0) is None


def test_rounds_are_interleaved_and_the_median_counts() -> None:
    """A B A B A B, not A A A B B B: a busy minute hits every variant."""
    order: list[str] = []
    seconds = iter((1.0, 9.0, 4.0, 9.0, 2.0, 9.0))

    def run(name: str) -> Run:
        order.append(name)
        return Run(100, next(seconds), {"process": 0.5})

    ours, peer = interleave({"ours": lambda: run("a"), "peer": lambda: run("b")}, 3)
    assert "".join(order) == "ababab"
    assert ours.per_s == Spread(50.0, 25.0, 100.0)
    assert ours.cpu_us["process"].median == pytest.approx(5_000)
    assert peer.variant == "peer"


def test_latency_of_nothing_is_an_error() -> None:
    """A store in which no event ever appeared has no latency, not one of zero."""
    with pytest.raises(ValueError, match="Valkey"):
        Latency.of("Valkey", [])


def _result() -> dict[str, object]:
    run = Run(1_000, 0.5, {"worker": 0.02, "kafka": 0.01})
    slow = Run(10, 1.0, {"worker": 1.0, "kafka": 0.0})
    section = Section(
        name="worker", title="Worker", unit="entries", notes=("How.",),
        rates=(Rate.of("ours", [run]), Rate.of("peer", [slow])),
        latencies=(Latency.of("effect", [1.0, 2.0, 3.0]),), facts={"a": "b"}, load=(3.0, 4.0),
    )  # fmt: skip
    return {
        "at": "2026-01-05 09:00 UTC", "seconds": 1, "quick": False, "machine": {"cores": "2"},
        "sections": [asdict(section)],
    }  # fmt: skip


def test_report_shows_figures_shares_and_a_busy_machine() -> None:
    """Read back from JSON, each figure is in a table, with ratios against the first variant."""
    text = report.markdown(json.loads(json.dumps(_result())))
    assert (
        "| ours | 1,000 | 2,000 | 2,000 … 2,000 | 1.00 | 20.0 (67%) | 10.0 (33%) | 30.0 |" in text
    )
    assert "| peer | 10 | 10 |" in text
    assert "| effect | 3 | 2 | 3 | 3 | 3 | 3 | 3 |" in text
    assert "the machine was busy" in text


def test_ratios_are_within_a_group() -> None:
    """What did other work is not compared: each group's first variant is its 1.00."""
    rates = [Rate.of(name, [Run(number, 1.0, {})], name[0]) for name, number in
             (("a1", 10), ("a2", 5), ("b1", 100), ("b2", 300))]  # fmt: skip
    section = Section("x", "X", "records", rates=tuple(rates))
    text = report.markdown(json.loads(json.dumps(_result() | {"sections": [asdict(section)]})))
    ratios = [
        line.split(" | ")[-1] for line in text.splitlines() if line[2:4] in {"a1", "a2", "b1", "b2"}
    ]
    assert ratios == ["1.00 |", "0.50 |", "1.00 |", "3.00 |"]


def test_report_replaces_only_what_is_between_the_markers() -> None:
    """The rest of the page is somebody else's; doing it twice gives the same."""
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    once = report.replaced(page, "new\n")
    assert once == f"before\n{report.BEGIN}\n\nnew\n\n{report.END}\nafter\n"
    assert report.replaced(once, "new\n") == once


def test_report_refuses_a_page_without_markers() -> None:
    """Nothing is guessed: figures in the wrong place are worse than none."""
    with pytest.raises(ValueError, match="the page needs"):
        report.replaced("no markers", "new")
