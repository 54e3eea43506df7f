"""Comparing everything a run left behind: logs, tables, stores."""

from collections.abc import Iterator, Sequence
from itertools import chain

import redis

from infra.commands.connect import clickhouse
from infra.generations.registry import generation_of
from infra.settings import Settings
from schemas.codec import decode_effect, decode_entry
from schemas.derived.metric import split_published
from schemas.journal import DEFINITION, TICK
from schemas.topics import DEAD_LETTER, EFFECT, JOURNAL, METRIC, UPSTREAM, state_topic
from schemas.topics import DEFINITION as DEFINITIONS
from sinks.live.read import read_hash, read_positions
from sinks.mapping.valkey import place
from streams.domain.state import State
from streams.domain.table import HEAD_KEY
from streams.runtime.loader import bounds, reader
from streams.runtime.translation import Source
from tests.exactness.expected import JournalRecord, Trail, follow
from tests.exactness.upstream import (
    compare_journal,
    compare_letters,
    compare_upstream,
    wanted_entries,
)
from tests.exactness.verdict import Verdict
from tests.exactness.warehouse import LogRecord, Warehouse
from tests.exactness.workload import Workload
from tests.integration.journal_check import Kept, read_log


class Comparison:
    """Compares; every difference ends in `verdict`.

    Args:
        settings: Where everything is; nothing may be running any more but the engines.
        workload: What upstream said.
    """

    def __init__(self, settings: Settings, workload: Workload) -> None:
        self._settings, self._workload = settings, workload
        self._generation = generation_of(settings)
        self.verdict = Verdict()
        self._warehouse = Warehouse(clickhouse(settings), self._generation, self.verdict)

    def run(self) -> Verdict:
        """Compare everything."""
        journals = {p: self._read(JOURNAL, p) for p in range(self._settings.partitions)}
        self._compare_ingest(journals)
        shown: dict[bytes, dict[bytes, bytes]] = {}
        for partition, journal in journals.items():
            self._compare_partition(partition, journal, shown)
        self._compare_valkey(shown)
        self._warehouse.doubles()
        self._warehouse.ledger(self._ends(JOURNAL, EFFECT, METRIC))
        return self.verdict

    def _read(self, topic: str, partition: int, isolation: str = "read_committed") -> list[Kept]:
        return read_log(self._settings.kafka, topic, partition, isolation)

    def _ends(self, *topics: str) -> dict[tuple[str, int], int]:
        consumer = reader({"bootstrap.servers": self._settings.kafka})
        try:
            return {
                (topic, partition): bounds(consumer, topic, partition, 30)[1]
                for topic in topics
                for partition in range(self._settings.partitions)
            }
        finally:
            consumer.close()

    def _sources(self) -> Iterator[Source]:
        for topic in (*UPSTREAM, DEFINITIONS):
            for partition in range(1 if topic == DEFINITIONS else self._settings.partitions):
                for kept in self._read(topic, partition):
                    yield Source(topic, partition, kept.offset, kept.key, kept.row[1], kept.headers)

    def _compare_ingest(self, journals: dict[int, list[Kept]]) -> None:
        sources = list(self._sources())
        planned = list(self._workload.records())
        refused = compare_upstream(self.verdict, planned, sources)
        wanted = wanted_entries(sources, refused, self._settings.partitions)
        for partition, journal in journals.items():
            offsets = [kept.offset for kept in journal]
            self.verdict.equal("dense journals", offsets, list(range(len(offsets))))
            values = (kept.value for kept in journal)
            compare_journal(self.verdict, values, wanted[partition])
        letters = ((kept.row[1], kept.headers) for kept in self._read(DEAD_LETTER, 0))
        bytes_of = {
            where: source.value
            for source in sources
            if (where := (source.topic, source.partition, source.offset)) in refused
        }
        compare_letters(self.verdict, letters, bytes_of)
        definitions = {
            (entry.tenant, entry.source, entry.id)
            for entry in chain.from_iterable(entries.values() for entries in wanted.values())
            if entry.kind == DEFINITION
        }
        identities = {each.identity for each in planned if each.identity}
        self._warehouse.identities(len(identities - definitions))

    def _compare_partition(
        self, partition: int, journal: Sequence[Kept], shown: dict[bytes, dict[bytes, bytes]]
    ) -> None:
        generation = self._generation
        metrics = self._read(METRIC, partition)
        trail = Trail(kept.row for kept in metrics)
        changelog = self._read(state_topic(self._settings.app), partition)
        found = State.load(kept.row for kept in changelog)
        end = found.head.applied + 1
        self._compare_rest(partition, journal[end:])
        entries = [JournalRecord(kept.offset, kept.value) for kept in journal[:end]]
        folded = follow(entries, trail, partition=partition, generation=generation)
        trail.finish(self.verdict)
        rows = {key: value for key, value in found.rows() if key != HEAD_KEY}
        wanted = {key: value for key, value in folded.state.rows() if key != HEAD_KEY}
        self.verdict.mappings("rows of tables", rows, wanted)
        self.verdict.equal("heads", found.head, folded.state.head)
        effects = self._read(EFFECT, partition)
        told = [(k.key, dict(k.headers)["kind"].decode(), k.value) for k in effects]
        self.verdict.sequences("effects", told, folded.effects)
        numbers = [decode_effect(kept.value).seq for kept in effects]
        self.verdict.equal("dense effect numbers", numbers, list(range(len(numbers))))
        self._count_aborted(partition)
        self._warehouse.events(partition, map(_plain, journal))
        self._warehouse.effects(partition, list(map(_plain, effects)))
        self._warehouse.metrics(partition, map(_plain, metrics))
        for key, value in dict(kept.row for kept in metrics).items():
            name, field = place(generation, partition, split_published(key)[1])
            if value is not None:
                shown.setdefault(name, {})[field] = value

    def _compare_rest(self, partition: int, rest: Sequence[Kept]) -> None:
        """What isn't folded may only be ticks: a worker that leaves drops what it holds back."""
        left = [kept for kept in rest if decode_entry(kept.value).kind != TICK]
        self.verdict.equal(f"entries of partition {partition} not folded", len(left), 0)

    def _count_aborted(self, partition: int) -> None:
        """Count what a reader that doesn't wait for commits would have believed."""
        for topic in (METRIC, EFFECT, state_topic(self._settings.app)):
            there = len(self._read(topic, partition, "read_uncommitted"))
            aborted = there - len(self._read(topic, partition))
            self.verdict.compared["aborted records, seen by nobody"] += aborted

    def _compare_valkey(self, shown: dict[bytes, dict[bytes, bytes]]) -> None:
        generation = self._generation
        with redis.Redis.from_url(self._settings.valkey_url) as client:
            names = [bytes(name) for name in client.scan_iter(f"db:{generation}:*", count=1_000)]
            held = {name: read_hash(client, name) for name in names if name.count(b":") > 2}
            positions = read_positions(client, generation)
        flat = {(name, at): value for name, fields in held.items() for at, value in fields.items()}
        self.verdict.mappings(
            "values in Valkey",
            flat,
            {(name, at): value for name, fields in shown.items() for at, value in fields.items()},
        )
        self.verdict.mappings(
            "positions in Valkey",
            {partition: position.next_offset for partition, position in positions.items()},
            {partition: end for (_, partition), end in self._ends(METRIC).items()},
        )


def _plain(kept: Kept) -> LogRecord:
    return LogRecord(kept.offset, *kept.row)
