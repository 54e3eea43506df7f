"""Notes when the probes' effects become visible: on Kafka, in Valkey, in ClickHouse."""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from benchmarks.engines import PARTITIONS, Engines
from benchmarks.mix import PROBE_TENANT
from infra.commands.connect import clickhouse, kafka_config, valkey
from infra.generations.registry import generation_of
from schemas.codec import decode_effect, decode_partial
from schemas.topics import EFFECT
from sinks.live.read import read_hash
from sinks.mapping.valkey import hash_key, parse_field

FACT = "deal_created"
METRIC = "deals_created"
VALKEY_EVERY_S = 0.004
CLICKHOUSE_EVERY_S = 0.04


class Seen(NamedTuple):
    """One probe's effect, as a `read_committed` consumer got it.

    Args:
        partition: Journal partition.
        cause: Offset of the probe's entry.
        scheduled_ms: When the probe was to be sent, UTC ms.
        at_ms: When the effect was seen, UTC ms.
    """

    partition: int
    cause: int
    scheduled_ms: int
    at_ms: float


class Progress:
    """How far a store was, by partition: what is asked again and again while a probe may come."""

    def __init__(self) -> None:
        self._at_ms: dict[int, list[float]] = {}
        self._offsets: dict[int, list[int]] = {}

    def note(self, partition: int, offset: int, at_ms: float) -> None:
        """Note the highest journal offset visible; one that isn't higher than before is no news."""
        offsets = self._offsets.setdefault(partition, [])
        if not offsets or offset > offsets[-1]:
            offsets.append(offset)
            self._at_ms.setdefault(partition, []).append(at_ms)

    def reached_ms(self, partition: int, offset: int) -> float | None:
        """Return when an offset was first visible, UTC ms; None: never."""
        offsets = self._offsets.get(partition, [])
        found = bisect_left(offsets, offset)
        return self._at_ms[partition][found] if found < len(offsets) else None


class Watchers:
    """Three threads that look until told to stop; start them before the load.

    Args:
        engines: Where to look.
    """

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._stop = threading.Event()
        self._failures: list[Exception] = []
        self.effects: list[Seen] = []
        self.valkey, self.clickhouse = Progress(), Progress()
        self._threads = [
            threading.Thread(target=self._run, args=(look,), daemon=True)
            for look in (self._watch_effects, self._watch_valkey, self._watch_clickhouse)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop looking.

        Raises:
            Exception: What a watcher failed with.
        """
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        if self._failures:
            raise self._failures[0]

    def complete(self, probes: int) -> bool:
        """Tell whether so many probes were seen, and the last of each partition in both stores."""
        last: dict[int, int] = {}
        for seen in list(self.effects):
            last[seen.partition] = max(last.get(seen.partition, -1), seen.cause)
        return len(self.effects) >= probes and all(
            progress.reached_ms(partition, cause) is not None
            for progress in (self.valkey, self.clickhouse)
            for partition, cause in last.items()
        )

    def _run(self, look: Callable[[], None]) -> None:
        try:
            look()
        except Exception as error:  # noqa: BLE001 - raised again by `stop`, in the main thread
            self._failures.append(error)

    def _watch_effects(self) -> None:
        settings = self._engines.settings
        consumer = Consumer(
            kafka_config(
                settings,
                **{
                    "group.id": "bench-watch",
                    "isolation.level": "read_committed",
                    "enable.auto.commit": False,
                },
            )
        )
        ends = self._engines.ends(EFFECT)
        consumer.assign([TopicPartition(EFFECT, p, ends[EFFECT, p]) for p in range(PARTITIONS)])
        prefix = f"{PROBE_TENANT}|".encode()
        while not self._stop.is_set():
            message = consumer.poll(0.05)
            if message is None or message.error() is not None:
                continue
            at_ms, key, value = time.time() * 1000, message.key(), message.value()
            if not key or not value or not key.startswith(prefix):
                continue
            effect = decode_effect(value)
            if effect.name == FACT:
                partition = message.partition() or 0
                self.effects.append(Seen(partition, effect.cause_offset, effect.time_ms, at_ms))
        consumer.close()

    def _watch_valkey(self) -> None:
        settings = self._engines.settings
        key = hash_key(generation_of(settings), PROBE_TENANT, METRIC, "all", "")
        with valkey(settings) as client:
            while not self._stop.wait(VALKEY_EVERY_S):
                held = read_hash(client, key)
                at_ms = time.time() * 1000
                for name, value in held.items():
                    _, _, partition = parse_field(name)
                    self.valkey.note(partition, decode_partial(value).offset, at_ms)

    def _watch_clickhouse(self) -> None:
        settings = self._engines.settings
        sql = (
            "SELECT _partition, max(cause_offset) FROM crm.fct_effect "  # noqa: S608 - our own names
            f"WHERE gen = {generation_of(settings):d} AND tenant = '{PROBE_TENANT}' "
            f"AND name = '{FACT}' GROUP BY 1"
        )
        with clickhouse(settings) as client:
            while not self._stop.wait(CLICKHOUSE_EVERY_S):
                rows = client.query(sql).result_rows
                at_ms = time.time() * 1000
                for partition, offset in rows:
                    self.clickhouse.note(int(partition), int(offset), at_ms)
