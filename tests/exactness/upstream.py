"""From what upstream published to what the journal and the dead letters must hold. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b

from schemas.codec import decode_entry, encode_entry
from schemas.journal import TICK, Entry
from schemas.topics import DEAD_LETTER
from streams.runtime.translation import Source, translate
from tests.exactness.verdict import Verdict
from tests.exactness.workload import Planned

Coordinates = tuple[str, int, int]
"""(topic, partition, offset) of an upstream record."""


def fingerprint(
    topic: str, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> bytes:
    """Return what tells one upstream record from another."""
    parts = (topic, key, value, tuple((name, bytes(text)) for name, text in headers))
    return blake2b(repr(parts).encode(), digest_size=16).digest()


def compare_upstream(
    verdict: Verdict, planned: Iterable[Planned], sources: Iterable[Source]
) -> set[Coordinates]:
    """Compare the upstream topics with the workload: each record as often as planned.

    Returns:
        Coordinates of the records that ingest must refuse, known from the workload alone.
    """
    wanted: Counter[bytes] = Counter()
    refused: set[bytes] = set()
    for record, identity in planned:
        mark = fingerprint(record.topic, record.key, record.value, record.headers)
        wanted[mark] += 1
        if identity is None:
            refused.add(mark)
    found: Counter[bytes] = Counter()
    letters: set[Coordinates] = set()
    for source in sources:
        mark = fingerprint(source.topic, source.key, source.value, source.headers)
        found[mark] += 1
        if mark in refused:
            letters.add((source.topic, source.partition, source.offset))
    verdict.mappings("upstream records", found, wanted)
    return letters


def wanted_entries(
    sources: Iterable[Source], refused: set[Coordinates], partitions: int
) -> dict[int, dict[Coordinates, Entry]]:
    """Return what ingest must write, by journal partition, without the time of writing."""
    wanted: dict[int, dict[Coordinates, Entry]] = {p: {} for p in range(partitions)}
    for source in sources:
        where = (source.topic, source.partition, source.offset)
        if where in refused:
            continue
        for out in translate(source, now_ms=2**42, partitions=partitions):
            entry = decode_entry(out.value or b"")
            wanted[out.partition][where] = entry._replace(recorded_ms=0)
    return wanted


def first_entries(values: Iterable[bytes], verdict: Verdict) -> Iterator[tuple[Coordinates, Entry]]:
    """Yield the entries of one journal partition that count: ingest's repeats are passed over.

    A repeat must be the same entry again, and each source partition must be in order.
    """
    seen: dict[tuple[str, int], int] = {}
    for value in values:
        entry = decode_entry(value)
        if entry.kind == TICK:
            verdict.compared["ticks"] += 1
            continue
        source = (entry.origin_topic, entry.origin_partition)
        if entry.origin_offset <= seen.get(source, -1):
            verdict.compared["repeats of ingest"] += 1
            continue
        seen[source] = entry.origin_offset
        yield (*source, entry.origin_offset), entry._replace(recorded_ms=0)


def compare_journal(
    verdict: Verdict, values: Iterable[bytes], wanted: Mapping[Coordinates, Entry]
) -> None:
    """Compare one journal partition with what ingest must have written to it."""
    found = {where: encode_entry(entry) for where, entry in first_entries(values, verdict)}
    verdict.mappings(
        "journal entries", found, {where: encode_entry(entry) for where, entry in wanted.items()}
    )


def compare_letters(
    verdict: Verdict,
    letters: Iterable[tuple[bytes | None, Sequence[tuple[str, bytes]]]],
    wanted: Mapping[Coordinates, bytes | None],
) -> None:
    """Compare the dead letters; ingest may write one again after a crash.

    Args:
        verdict: Where to note it.
        letters: Value and headers of each.
        wanted: Coordinates → bytes of the records that must be there.
    """
    found: dict[Coordinates, bytes | None] = {}
    for value, headers in letters:
        told = {name: bytes(text).decode() for name, text in headers if name.startswith("source_")
                and name != "source_key"}  # fmt: skip
        where = (told["source_topic"], int(told["source_partition"]), int(told["source_offset"]))
        if where in found:
            verdict.compared["repeated dead letters"] += 1
        found[where] = value
    verdict.mappings(f"records of {DEAD_LETTER}", found, wanted)
