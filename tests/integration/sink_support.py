"""What the sinks' integration tests share: processes under test, records whose fate is known."""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from confluent_kafka import KafkaError, Message, Producer

from infra.embedded.ports import free_port
from schemas.codec import encode_effect, encode_entry, encode_event, encode_fact, encode_partial
from schemas.derived.effect import FACT, Effect, Fact
from schemas.derived.metric import MetricKey, MetricPartial, published_key
from schemas.events.deal import DealWon
from schemas.journal import EVENT, Entry, tick
from schemas.topics import EFFECT, JOURNAL, METRIC
from sinks.kafka import SESSION_MS
from tests.integration.running import Running

START_MS = 1_767_225_600_000
DAY_MS = 86_400_000
generations = itertools.count(1_000)
"""Each test writes a generation of its own, so the shared server needs no clean-up."""


Place = tuple[int, int]
"""(partition, offset)."""
Known = tuple[str, int, int]
"""(event id, amount, event time in ms)."""


class Process(Running):
    """A sink or live process; faults are those of `sink_process.at`.

    Attributes:
        session_ms: How long the group waits for a silent member.
    """

    session_ms = SESSION_MS

    def start(self) -> None:
        """Start it, again if it has ended."""
        given = json.dumps(
            {"config": self.config, "faults": self.faults, "session_ms": self.session_ms}
        )
        argv = [sys.executable, "-m", "tests.integration.sink_process", self.kind, given]
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(argv, stdout=out, stderr=out)

    def without_faults(self, **config: Any) -> None:
        """Start it again, with another configuration and no faults."""
        self.faults = {}
        self.config |= config
        self.start()

    @property
    def words(self) -> str:
        """What it logged so far."""
        return self.log.read_text()


def sink(tmp_path: Path, kafka: str, clickhouse_url: str, app: str, **config: Any) -> Process:
    """Return a sink process, not started; small batches, so that there are many."""
    config = {
        "bootstrap": kafka,
        "clickhouse_url": clickhouse_url,
        "app": app,
        "metrics_port": free_port(),
        "policy": {"rows": 400, "flush_s": 0.2},
        **config,
    }
    return Process("sink", tmp_path / f"sink-{config['metrics_port']}.log", config)


def live(tmp_path: Path, kafka: str, valkey_url: str, app: str, **config: Any) -> Process:
    """Return a live process, not started."""
    config = {
        "bootstrap": kafka,
        "valkey_url": valkey_url,
        "app": app,
        "metrics_port": free_port(),
        **config,
    }
    return Process("live", tmp_path / f"live-{config['metrics_port']}.log", config)


class Log:
    """Writes the journal and the derived topics, and remembers what is in them.

    Args:
        kafka: Bootstrap servers.
        generation: Of effects and partials.

    Attributes:
        events: (partition, offset) → what is known of every journal event.
        effects: (partition, offset) → seq of every committed effect.
        partials: (partition, key) → newest committed partial.
    """

    def __init__(self, kafka: str, generation: int) -> None:
        self._generation = generation
        self._numbers = itertools.count()
        self._plain = Producer(
            {"bootstrap.servers": kafka, "enable.idempotence": True, "log_level": 0}
        )
        self._kafka = kafka
        self._transactional: Producer | None = None
        self._seq: dict[int, int] = {}
        self.events: dict[Place, Known] = {}
        self.effects: dict[tuple[int, int], int] = {}
        self.partials: dict[tuple[int, bytes], MetricPartial] = {}

    def journal(self, count: int, partitions: int = 4, *, months: int = 3) -> None:
        """Append events, spread over months, with a tick after every hundredth."""
        for number in itertools.islice(self._numbers, count):
            partition = number % partitions
            self._append(partition, event_entry(number, months=months))
            if number % 100 == 0:
                self._plain.produce(JOURNAL, encode_entry(tick(START_MS)), partition=partition)
            self._plain.poll(0)
        assert self._plain.flush(60) == 0

    def ticks(self, count: int, partition: int = 0) -> None:
        """Append ticks."""
        for _ in range(count):
            self._plain.produce(JOURNAL, encode_entry(tick(START_MS)), partition=partition)
        assert self._plain.flush(60) == 0

    def entries(self, *entries: Entry, partition: int = 0) -> None:
        """Append entries as they are."""
        for entry in entries:
            self._plain.produce(JOURNAL, encode_entry(entry), partition=partition)
        assert self._plain.flush(60) == 0

    def _append(self, partition: int, entry: Entry) -> None:
        amount = int(entry.correlation)

        def delivered(error: KafkaError | None, message: Message) -> None:
            assert error is None
            self.events[message.partition() or 0, message.offset() or 0] = (
                entry.id,
                amount,
                entry.time_ms,
            )

        self._plain.produce(
            JOURNAL, encode_entry(entry), partition=partition, on_delivery=delivered
        )

    @property
    def transactional(self) -> Producer:
        """The producer of the derived topics, as the fold has one."""
        if self._transactional is None:
            self._transactional = Producer(
                {
                    "bootstrap.servers": self._kafka,
                    "transactional.id": f"log-{self._generation}",
                    "log_level": 0,
                }
            )
            self._transactional.init_transactions(30)
        return self._transactional

    def derived(
        self, count: int, partitions: int = 4, *, commit: bool = True, skip_seq: int = 0
    ) -> None:
        """Write one transaction: `count` effects and partials in each partition.

        Args:
            count: Per partition.
            partitions: How many.
            commit: False: abort it; nothing of it may be seen.
            skip_seq: Sequence numbers to leave out first, as if effects were lost.
        """
        producer = self.transactional
        producer.begin_transaction()
        delivered: dict[tuple[int, int], int] = {}
        seqs = {p: self._seq.get(p, 0) + skip_seq for p in range(partitions)}
        partials: dict[tuple[int, bytes], MetricPartial] = {}
        for partition, number in itertools.product(range(partitions), range(count)):
            effect = self._effect(seqs[partition], number)
            seqs[partition] += 1

            def seen(error: KafkaError | None, message: Message, seq: int = effect.seq) -> None:
                assert error is None
                delivered[message.partition() or 0, message.offset() or 0] = seq

            producer.produce(EFFECT, encode_effect(effect), partition=partition, on_delivery=seen)
            key = MetricKey("acme", "won_amount", "day", START_MS, "agent", f"a{number % 7}")
            partial = MetricPartial(self._generation, effect.seq, 1, effect.seq, 0, effect.seq, [])
            partials[partition, key.text().encode()] = partial
            producer.produce(
                METRIC,
                encode_partial(partial),
                published_key(self._generation, key.text().encode()),
                partition=partition,
            )
        producer.flush(30)
        if not commit:
            producer.abort_transaction(30)
            return
        producer.commit_transaction(30)
        self._seq |= seqs
        self.effects |= delivered
        self.partials |= partials

    def _effect(self, seq: int, number: int) -> Effect:
        fact = Fact(
            "deal_stage" if number % 2 else "deal_won",
            f"deal-{number}",
            started_ms=START_MS + number,
            ended_ms=START_MS + seq,
            duration_ms=seq,
            amount_minor=number,
        )
        return Effect(
            FACT, fact.name, f"effect-{seq}", seq, self._generation, "acme", "contact/1",
            START_MS + seq * 3_600_000, number, 0, encode_fact(fact),
        )  # fmt: skip


def event_entry(number: int, *, months: int = 3, **changes: Any) -> Entry:
    """Return the entry of one won deal; its correlation is its amount, for comparisons."""
    amount = number * 7919 % 100_000
    event = DealWon(deal_id=f"deal-{number}", amount_minor=amount, currency="USD")
    entry = Entry(
        EVENT,
        copy=False,
        id=f"event-{number}",
        type=DealWon.TYPE,
        source="test",
        tenant=f"tenant-{number % 3}",
        subject=f"contact/{number % 500}",
        time_ms=START_MS + number * 7_919_000 % (30 * months * DAY_MS),
        recorded_ms=START_MS,
        correlation=str(amount),
        data=encode_event(event),
    )
    return entry._replace(**changes)


def rows_of(client: Client, sql: str, generation: int) -> list[tuple[Any, ...]]:
    """Return the rows of a query with the parameter `{gen:UInt16}`."""
    return [tuple(row) for row in client.query(sql, parameters={"gen": generation}).result_rows]


def held_events(client: Client, generation: int) -> list[tuple[Place, Known]]:
    """Return what is known of every row."""
    rows = rows_of(
        client,
        "SELECT _partition, _offset, event_id, amount_minor, toUnixTimestamp64Milli(ts) "
        "FROM crm.fct_event WHERE gen = {gen:UInt16}",
        generation,
    )
    return [
        ((partition, offset), (event, amount, ts)) for partition, offset, event, amount, ts in rows
    ]


def assert_exact(client: Client, generation: int, log: Log) -> None:
    """Prove that ClickHouse holds exactly what the log does: each row once, none else."""
    events = held_events(client, generation)
    assert len(events) == len(log.events)
    assert dict(events) == log.events
    effects = rows_of(
        client,
        "SELECT _partition, _offset, seq FROM crm.fct_effect WHERE gen = {gen:UInt16}",
        generation,
    )
    assert len(effects) == len(log.effects)
    assert {(partition, offset): seq for partition, offset, seq in effects} == log.effects
    stages = rows_of(
        client, "SELECT count() FROM crm.fct_deal_stage WHERE gen = {gen:UInt16}", generation
    )
    facts = rows_of(
        client,
        "SELECT countIf(name = 'deal_stage') FROM crm.fct_effect WHERE gen = {gen:UInt16}",
        generation,
    )
    assert stages == facts
    assert _held_partials(client, generation) == _wanted_partials(log)


def _wanted_partials(log: Log) -> dict[tuple[int, str], tuple[int, int]]:
    return {
        (partition, key.decode()): (partial.offset, partial.sum)
        for (partition, key), partial in log.partials.items()
    }


def _held_partials(client: Client, generation: int) -> dict[tuple[int, str], tuple[int, int]]:
    rows = rows_of(
        client,
        "SELECT _partition, tenant, metric, grain, toUnixTimestamp64Milli(bucket), dimension, "
        "member, _offset, sum FROM crm.agg_metric FINAL WHERE gen = {gen:UInt16}",
        generation,
    )
    return {
        (partition, MetricKey(*key).text()): (offset, total)
        for partition, *key, offset, total in rows
    }


def caught_up(client: Client, generation: int, log: Log) -> bool:
    """Whether the newest event and effect of the log and its partials have arrived."""
    ends: dict[tuple[str, int], int] = {}
    for table, wanted in (("event", log.events), ("effect", log.effects)):
        for partition, offset in wanted:
            ends[table, partition] = max(ends.get((table, partition), 0), offset)
    rows = rows_of(
        client,
        "SELECT 'event', _partition, max(_offset) FROM crm.fct_event "
        "WHERE gen = {gen:UInt16} GROUP BY 2 UNION ALL "
        "SELECT 'effect', _partition, max(_offset) FROM crm.fct_effect "
        "WHERE gen = {gen:UInt16} GROUP BY 2",
        generation,
    )
    arrived = {(table, partition): offset for table, partition, offset in rows}
    return arrived == ends and _held_partials(client, generation) == _wanted_partials(log)


def settled(client: Client, generation: int) -> bool:
    """Whether every ledger of a generation is closed."""
    rows = rows_of(
        client,
        "SELECT topic, partition, argMax(pending_to, (epoch, owner, seq)) FROM crm.ops_ledger "
        "WHERE gen = {gen:UInt16} AND kind = 1 GROUP BY 1, 2",
        generation,
    )
    return bool(rows) and all(row[2] == 0 for row in rows)


def is_stopped(process: Process) -> bool:
    """Whether a process was stopped by SIGSTOP."""
    assert process.process.poll() is None, f"ended with {process.process.returncode}"
    state = Path(f"/proc/{process.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state == "T"
