"""What ingest must have written follows from the workload, and nothing else is accepted."""

from schemas.codec import decode_entry, encode_entry
from schemas.journal import tick
from streams.runtime.translation import Source
from tests.exactness.upstream import (
    Coordinates,
    compare_journal,
    compare_letters,
    compare_upstream,
    wanted_entries,
)
from tests.exactness.verdict import Verdict
from tests.exactness.workload import Workload

WORKLOAD = Workload(7, 300, 1_790_000_000_000)
PLANNED = list(WORKLOAD.records())
SOURCES = [
    Source(record.topic, 0, offset, record.key, record.value, record.headers)
    for offset, (record, _) in enumerate(PLANNED)
]
REFUSED = compare_upstream(Verdict(), PLANNED, SOURCES)
WANTED = wanted_entries(SOURCES, REFUSED, 4)[2]
JOURNAL = [encode_entry(entry._replace(recorded_ms=77)) for entry in WANTED.values()]


def differences(journal: list[bytes]) -> list[str]:
    """Return what is said of one partition's journal."""
    verdict = Verdict()
    compare_journal(verdict, journal, WANTED)
    return verdict.differences


def test_refused_records_are_known_from_the_workload() -> None:
    """Coordinates of what ingest must refuse, before ingest has seen it."""
    assert 0 < len(REFUSED) == sum(identity is None for _, identity in PLANNED)


def test_record_lost_or_doubled_upstream_is_a_difference() -> None:
    """The feeder itself is checked: each record as often as planned."""
    for sources in (SOURCES[1:], [*SOURCES, SOURCES[5]]):
        verdict = Verdict()
        compare_upstream(verdict, PLANNED, sources)
        assert verdict.differences


def test_journal_with_ticks_and_repeats_of_ingest_is_right() -> None:
    """A crash of ingest repeats what it had written; the fold passes over it, and so do we."""
    again = [JOURNAL[0], encode_entry(tick(5)), *JOURNAL[:20], *JOURNAL]
    assert differences(JOURNAL) == differences(again) == []


def test_entry_lost_changed_or_out_of_order_is_a_difference() -> None:
    """Each entry once, with its bytes, in the order of its source."""
    changed = encode_entry(decode_entry(JOURNAL[3])._replace(tenant="other"))
    assert differences(JOURNAL[:-1])
    assert differences([*JOURNAL[:3], changed, *JOURNAL[4:]])
    assert differences([*JOURNAL[:5], *JOURNAL[6:], JOURNAL[5]])


def test_dead_letters_are_those_the_workload_made() -> None:
    """Each with its bytes; a repeat after a crash is counted, one too many is a difference."""
    wanted: dict[Coordinates, bytes | None] = {
        (s.topic, s.partition, s.offset): s.value
        for s in SOURCES
        if (s.topic, s.partition, s.offset) in REFUSED
    }
    letters = [
        (value, [("source_topic", topic.encode()), ("source_partition", b"%d" % partition),
                 ("source_offset", b"%d" % offset), ("source_key", b"\xff")])
        for (topic, partition, offset), value in wanted.items()
    ]  # fmt: skip
    for given, equal in (
        (letters, True), ([*letters, letters[0]], True), (letters[1:], False),
        ([*letters, (b"x", [("source_topic", b"t"), ("source_partition", b"0"),
                            ("source_offset", b"1")])], False),
    ):  # fmt: skip
        verdict = Verdict()
        compare_letters(verdict, given, wanted)
        assert (not verdict.differences) is equal
