"""The embedded engines all benchmarks share, emptied between them."""

import itertools
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # as in infra.commands
from confluent_kafka.cimpl import NewTopic

from benchmarks.child import Child, Daybook
from benchmarks.machine import jar_version
from benchmarks.mix import Kept
from infra.commands.connect import admin, clickhouse, kafka_config, valkey
from infra.commands.publishing import Outbound
from infra.commands.topic_state import converge, wanted
from infra.embedded.jars import ensure_jars
from infra.embedded.ports import free_port
from infra.embedded.running import RunningStack
from infra.embedded.stack import ENGINES
from infra.generations.registry import generation_of
from infra.settings import Settings, load
from schemas.errors import Unavailable
from schemas.topics import JOURNAL

PARTITIONS = 4
QUIET_TICK_MS = 60_000
"""A worker's own ticks would lengthen the backlog it is measured on."""
_ADMIN_S = 30.0
_RETRY_S = 0.1
_TABLES = ("ops_ledger", "fct_event", "fct_effect", "fct_deal_stage", "agg_metric")

Ends = dict[tuple[str, int], int]
"""(topic, partition) → offset after the last record."""


@dataclass(slots=True)
class Engines:
    """Kafka, Valkey and ClickHouse, and the processes that use them.

    Args:
        stack: The engines.
        settings: Where they are; app and generation of the current installation.
        versions: Engine → version.
        admin: One client for all questions: making one takes longer than asking it.
    """

    stack: RunningStack
    settings: Settings
    versions: Mapping[str, str]
    admin: AdminClient
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return self.settings.kafka

    def pid(self, engine: str) -> int:
        """Return the pid of an engine.

        Raises:
            Unavailable: It doesn't run.
        """
        pid = self.stack.process(engine).pid
        if pid is None:
            raise Unavailable(engine, 0.0, "it has no pid")
        return pid

    def renew(self) -> None:
        """Delete all topics, make them again, empty; app id and generation are new.

        ClickHouse's and Valkey's content is of other generations and stays.
        """
        client = self.admin
        names = [name for name in client.list_topics(timeout=_ADMIN_S).topics if name[0] != "_"]
        if names:
            for future in client.delete_topics(names).values():
                future.result(_ADMIN_S)
        self.rejoin(generation=generation_of(self.settings) + 1)

    def rejoin(self, *, generation: int | None = None) -> None:
        """Take a new app id: nothing read yet, no state. Topics other than the state's stay."""
        self.settings = self.settings.model_copy(
            update={
                "app": f"bench-{next(self._numbers)}",
                "generation": generation or self.settings.generation,
            }
        )
        deadline = time.monotonic() + _ADMIN_S
        while True:
            try:
                converge(self.admin, wanted(self.settings))
            except Unavailable:  # a deleted name lingers for a moment
                if time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_S)
            else:
                return

    def make_topic(self, name: str) -> str:
        """Make a topic for a peer's output, as the journal is but under another name."""
        topic = f"bench.{name}.{next(self._numbers)}"
        made = self.admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        made[topic].result(_ADMIN_S)
        return topic

    def empty_clickhouse(self) -> None:
        """Delete every row the sink wrote, and its positions."""
        with clickhouse(self.settings) as client:
            for table in _TABLES:
                client.command(f"TRUNCATE TABLE crm.{table}")

    def daybook(
        self,
        command: str,
        *,
        tick_ms: int = QUIET_TICK_MS,
        instance: str = "",
        store: Path | None = None,
    ) -> Daybook:
        """Start a process of ours for the current app id.

        Args:
            command: `worker`, `ingest`, `sink`, `live` or `migrate`.
            tick_ms: How often a worker lets time pass, ms.
            instance: Member id, when there are several of a kind.
            store: Directory of a worker's rows in RocksDB; None: they are in memory.
        """
        port = free_port()
        own = {
            "DAYBOOK_METRICS_PORT": str(port),
            "DAYBOOK_TICK_MS": str(tick_ms),
            "DAYBOOK_LOG_FORMAT": "json",
            "DAYBOOK_INSTANCE": instance,
        }
        if store is not None:
            own |= {"DAYBOOK_STORE": "rocksdb", "DAYBOOK_STORE_DIR": str(store)}
        argv = (sys.executable, "-m", "infra.cli", command)
        return Daybook(command, argv, self._environment() | own, port)

    def own(self, module: str, *arguments: str) -> Daybook:
        """Start `python -m benchmarks.<module>`, which runs a worker, for the current app id."""
        port = free_port()
        argv = (sys.executable, "-m", f"benchmarks.{module}", self.bootstrap, *arguments)
        return Daybook(
            module, argv, self._environment() | {"DAYBOOK_METRICS_PORT": str(port)}, port
        )

    def peer(self, module: str, *arguments: str, python: str = sys.executable) -> Child:
        """Start `python -m benchmarks.<module>`; it gets the broker's address first.

        Args:
            module: Below `benchmarks`.
            arguments: After the broker's address.
            python: Interpreter, for a peer with an environment of its own.
        """
        argv = (python, "-m", f"benchmarks.{module}", self.bootstrap, *arguments)
        return Child(module, argv, self._environment())

    def producer(self) -> Producer:
        """Return the producer that fills topics: idempotent, acks=all, lz4."""
        return Producer(
            kafka_config(
                self.settings,
                **{
                    "enable.idempotence": True,
                    "partitioner": "murmur2_random",
                    "linger.ms": 20,
                    "compression.type": "lz4",
                    "batch.size": 1_000_000,
                    "queue.buffering.max.messages": 2_000_000,
                    "queue.buffering.max.kbytes": 1 << 20,
                },
            )
        )

    def publish(self, records: Sequence[Outbound]) -> None:
        """Write upstream records; returns when all are acknowledged."""
        producer = self.producer()
        for number, record in enumerate(records):
            producer.produce(record.topic, record.value, record.key, headers=list(record.headers))
            if number % 1_000 == 0:
                producer.poll(0)
        _flush(producer)

    def write_journal(self, logs: Sequence[Sequence[Kept]]) -> None:
        """Write a journal, partition by partition number."""
        producer = self.producer()
        for partition, log in enumerate(logs):
            for kept in log:
                producer.produce(JOURNAL, kept.value, kept.key, partition)
            producer.poll(0)
        _flush(producer)

    def ends(self, *topics: str) -> Ends:
        """Return where topics of four partitions end now; transactions' markers count."""
        wanted_ = {
            TopicPartition(topic, partition): OffsetSpec.latest()  # type: ignore[no-untyped-call]
            for topic in topics
            for partition in range(PARTITIONS)
        }
        return {
            (part.topic, part.partition): future.result(_ADMIN_S).offset
            for part, future in self.admin.list_offsets(wanted_).items()
        }

    def total(self, topic: str) -> int:
        """Return how many records a topic without markers has."""
        return sum(self.ends(topic).values())

    def _environment(self) -> dict[str, str]:
        settings = self.settings
        return {
            "DAYBOOK_KAFKA": settings.kafka,
            "DAYBOOK_VALKEY_URL": settings.valkey_url,
            "DAYBOOK_CLICKHOUSE_URL": settings.clickhouse_url,
            "DAYBOOK_APP": settings.app,
            "DAYBOOK_GENERATION": str(settings.generation),
            "DAYBOOK_PARTITIONS": str(PARTITIONS),
        }


def _flush(producer: Producer) -> None:
    if left := producer.flush(60):
        raise Unavailable("Kafka", 0.0, f"{left} records not acknowledged")


@contextmanager
def running(cache: Path) -> Iterator[Engines]:
    """Start the engines in a directory that is deleted afterwards.

    Args:
        cache: Where Kafka's jars are kept.
    """
    with (
        tempfile.TemporaryDirectory(prefix="daybook-bench-") as folder,
        RunningStack.start(Path(folder), cache=cache, only=ENGINES) as stack,
    ):
        settings = load(data=Path(folder), partitions=PARTITIONS, generation=1)
        engines = Engines(stack, settings, _versions(settings, cache), admin(settings))
        engines.rejoin()
        with engines.daybook("migrate") as migration:
            migration.wait_end()
        yield engines


def _versions(settings: Settings, cache: Path) -> dict[str, str]:
    with clickhouse(settings) as client, valkey(settings) as store:
        return {
            "kafka": jar_version(ensure_jars(cache)),
            "clickhouse": str(client.command("SELECT version()")),
            "valkey": str(dict(store.info("server")).get("valkey_version", "unknown")),
        }
