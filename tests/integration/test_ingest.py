"""Upstream events become journal entries: each one, in source order, whatever happens."""

import asyncio
import json
import re
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.record.util import calc_crc32c  # type: ignore[import-untyped]
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from infra.embedded.ports import free_port
from schemas.cloudevents import write_binary
from schemas.codec import decode_entry
from schemas.events import CATALOGUE
from schemas.journal import Entry
from schemas.partitioner import partition_of
from schemas.topics import DEAD_LETTER, DEFINITION, JOURNAL
from tests.integration.conftest import PARTITIONS
from tests.integration.journal_check import read_log
from tests.integration.running import Running, wait_for

pytestmark = pytest.mark.integration

TIME_MS = 1_790_000_000_000


def ingest(kafka: str, app: str, log: Path, **config: object) -> Running:
    """Return an ingest process that isn't started yet."""
    fixed = {"bootstrap": kafka, "app": app, "instance": "i1", "metrics_port": free_port()}
    return Running("ingest", log, fixed | config)


class Upstream:
    """A CRM that publishes.

    Args:
        kafka: Bootstrap servers.
    """

    def __init__(self, kafka: str) -> None:
        self.sent = 0
        self._producer = Producer({"bootstrap.servers": kafka, "enable.idempotence": True})

    def send(self, topic: str, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> None:
        """Publish raw bytes."""
        self._producer.produce(topic, value, f"k{self.sent}".encode(), headers=list(headers))
        self.sent += 1

    def deals(self, count: int) -> None:
        """Publish that deals were won."""
        for _ in range(count):
            data = {"deal_id": f"d{self.sent % 50}", "amount_minor": self.sent, "currency": "USD"}
            event = CATALOGUE["crm.deal.won.v1"].model_validate(data)
            headers, value = write_binary(
                event, id=f"deal-{self.sent}", source="crm", tenant="acme", time_ms=TIME_MS
            )
            self.send("crm.deal.v1", headers, value)

    def flush(self) -> None:
        """Wait until the broker has everything."""
        assert self._producer.flush(60) == 0


def entries(kafka: str) -> Iterator[tuple[int, bytes | None, Entry]]:
    """Yield (partition, key, entry) of the journal."""
    for partition in range(PARTITIONS):
        for kept in read_log(kafka, JOURNAL, partition):
            yield partition, kept.key, decode_entry(kept.value)


def test_every_kind_of_event_arrives_at_its_place(kafka: str, app: str, tmp_path: Path) -> None:
    """Events at home, reference data and definitions everywhere, the unreadable in the DLQ."""
    upstream = Upstream(kafka)
    upstream.deals(40)
    agent = CATALOGUE["crm.agent.created.v1"]
    headers, value = write_binary(
        agent.model_validate(agent.EXAMPLE), id="a", source="hr", tenant="acme", time_ms=TIME_MS
    )
    upstream.send("crm.agent.v1", headers, value)
    settings = {"specversion": "1.0", "id": "s", "source": "apply", "tenantid": "acme",
                "type": "crm.definition.applied.v1", "time": "2026-01-01T00:00:00Z"}  # fmt: skip
    for zone in ("Europe/Berlin", "Mars/Olympus"):
        data = {"kind": "settings", "id": "default", "spec": {"timezone": zone}}
        upstream.send(DEFINITION, [], json.dumps({**settings, "data": data}).encode())
    upstream.send("crm.lead.v1", [("ce_id", b"7")], b"{no json")
    upstream.send("crm.lead.v1", [], None)
    upstream.flush()
    with ingest(kafka, app, tmp_path / "ingest.log") as running:
        wait_for(lambda: len(read_log(kafka, DEAD_LETTER, 0)) == 3, "three dead letters")
        wait_for(lambda: len(list(entries(kafka))) == 40 + 2 * PARTITIONS, "all entries")
        assert 'dead_letters_total{reason="not_json",topic="crm.lead.v1"} 1.0' in running.metrics()
        assert running.terminate() == 0
    found = list(entries(kafka))
    for partition, key, entry in found:
        home = partition_of(key or b"", PARTITIONS)
        if entry.type == "crm.deal.won.v1":
            assert (partition, entry.copy) == (home, False)
        else:
            assert entry.copy == (partition != home)
    assert sorted(p for p, _, e in found if e.kind == "definition") == [0, 1, 2, 3]
    letters = [dict(kept.headers) for kept in read_log(kafka, DEAD_LETTER, 0)]
    assert {(letter["reason"], letter["path"]) for letter in letters} >= {
        (b"invalid_field", b"data.spec.timezone")
    }
    broken = next(kept for kept in read_log(kafka, DEAD_LETTER, 0) if kept.value == b"{no json")
    assert dict(broken.headers)["orig_ce_id"] == b"7"
    assert broken.key == b"crm.lead.v1"


def test_sigkill_repeats_entries_and_loses_none(kafka: str, app: str, tmp_path: Path) -> None:
    """After SIGKILLs every event is there, and its first copies are in order per source.

    Skipping whatever isn't higher than the highest source offset seen gives each event once.
    """
    upstream = Upstream(kafka)
    running = ingest(kafka, app, tmp_path / "ingest.log", commit_s=30.0)
    for _ in range(3):
        with running:
            running.wait_running()
            upstream.deals(3_000)
            upstream.flush()
            wait_for(lambda: 'ingested_events_total{topic="crm.deal.v1"} ' in running.metrics(),
                     "some are written")  # fmt: skip
            running.process.send_signal(signal.SIGKILL)
            running.process.wait()
    with running:
        wait_for(lambda: len(applied_once(kafka)) == upstream.sent, "every event is there")
        assert running.terminate() == 0
    applied = applied_once(kafka)
    assert len(set(applied)) == len(applied) == upstream.sent
    assert len(list(entries(kafka))) > upstream.sent, "no kill left a repeat"


def applied_once(kafka: str) -> list[str]:
    """Return the ids a fold would apply: what is higher than all before from its source."""
    applied = []
    highest: dict[tuple[int, str, int], int] = {}
    for partition, _, entry in entries(kafka):
        source = (partition, entry.origin_topic, entry.origin_partition)
        if entry.origin_offset > highest.get(source, -1):
            highest[source] = entry.origin_offset
            applied.append(entry.id)
    return applied


def test_orderly_restart_repeats_nothing(kafka: str, app: str, tmp_path: Path) -> None:
    """SIGTERM commits the position: the next start goes on behind it."""
    upstream = Upstream(kafka)
    running = ingest(kafka, app, tmp_path / "ingest.log", commit_s=30.0)
    for round_ in (1, 2):
        upstream.deals(500)
        upstream.flush()
        with running:
            wait_for(lambda: len(list(entries(kafka))) >= 500 * round_, "all entries")  # noqa: B023
            assert running.terminate() == 0
    assert len(list(entries(kafka))) == 1_000
    assert committed(kafka, app) == upstream.sent


def test_orderly_stop_under_load_commits_what_it_wrote(
    kafka: str, app: str, tmp_path: Path
) -> None:
    """SIGTERM in the middle waits for what is on its way, and commits exactly up to there."""
    upstream = Upstream(kafka)
    upstream.deals(30_000)
    upstream.flush()
    with ingest(kafka, app, tmp_path / "ingest.log", commit_s=30.0) as running:
        wait_for(lambda: len(read_log(kafka, JOURNAL, 0)) > 100, "it is at work")
        assert running.terminate() == 0
    assert 0 < committed(kafka, app) == len(list(entries(kafka))) < upstream.sent


def committed(kafka: str, app: str) -> int:
    """Return the sum of the group's committed offsets of the deal topic."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": f"{app}-ingest"})
    asked = [TopicPartition("crm.deal.v1", partition) for partition in range(PARTITIONS)]
    found: list[Any] = consumer.committed(asked, timeout=30)
    consumer.close()
    return sum(max(0, position.offset) for position in found)


def test_transactional_upstream_is_read_to_its_end(kafka: str, app: str, tmp_path: Path) -> None:
    """Commit markers are holes in a source: they are no gap, and leave no lag."""
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": "crm"})
    producer.init_transactions(30)
    event = CATALOGUE["crm.deal.won.v1"].model_validate({"deal_id": "d"})
    for number in range(5):
        headers, value = write_binary(
            event, id=str(number), source="crm", tenant="acme", time_ms=TIME_MS
        )
        producer.begin_transaction()
        producer.produce("crm.deal.v1", value, partition=1, headers=list(headers))
        producer.commit_transaction(30)
    with ingest(kafka, app, tmp_path / "ingest.log") as running:
        wait_for(lambda: len(list(entries(kafka))) == 5, "all entries")

        def lag() -> object:
            health = running.health()
            return health and health["partitions"].get("crm.deal.v1:1", {}).get("lag")

        wait_for(lambda: lag() == 0, "no lag")
        assert running.terminate() == 0


def test_aborted_upstream_transaction_never_reaches_the_journal(
    kafka: str, app: str, tmp_path: Path
) -> None:
    """What upstream took back was never said; what it may still take back is no lag."""
    event = CATALOGUE["crm.deal.won.v1"].model_validate({"deal_id": "d"})

    def begin(name: str, id_: str) -> Producer:
        producer = Producer({"bootstrap.servers": kafka, "transactional.id": name})
        producer.init_transactions(30)
        producer.begin_transaction()
        headers, value = write_binary(event, id=id_, source="crm", tenant="acme", time_ms=TIME_MS)
        producer.produce("crm.deal.v1", value, partition=1, headers=list(headers))
        assert producer.flush(30) == 0
        return producer

    begin("crm-1", "committed-1").commit_transaction(30)
    begin("crm-2", "aborted").abort_transaction(30)
    begin("crm-3", "committed-2").commit_transaction(30)
    unfinished = begin("crm-4", "open")
    with ingest(kafka, app, tmp_path / "ingest.log") as running:
        wait_for(lambda: len(list(entries(kafka))) == 2, "both committed entries")

        def lag() -> object:
            health = running.health()
            return health and health["partitions"].get("crm.deal.v1:1", {}).get("lag")

        wait_for(lambda: lag() == 0, "no lag behind the open transaction", 20)
        unfinished.commit_transaction(30)
        wait_for(lambda: len(list(entries(kafka))) == 3, "the last one, once committed")
        assert running.terminate() == 0
    assert sorted(entry.id for _, _, entry in entries(kafka)) == [
        "committed-1", "committed-2", "open"]  # fmt: skip


async def send_batch(kafka: str, ids: Sequence[str], *, broken: int | None = None) -> None:
    """Publish one record batch; the header names of record `broken` aren't UTF-8."""
    event = CATALOGUE["crm.deal.won.v1"].model_validate({"deal_id": "d"})
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        batch = producer.create_batch()
        for number, id_ in enumerate(ids):
            headers, value = write_binary(
                event, id=id_, source="crm", tenant="acme", time_ms=TIME_MS
            )
            named = [("br_" + n[3:] if number == broken else n, v) for n, v in headers]
            batch.append(timestamp=TIME_MS, key=None, value=value, headers=named)
        built = bytearray(bytes(batch._build()).replace(b"br_", b"br\xff"))  # noqa: SLF001
        built[17:21] = calc_crc32c(built[21:]).to_bytes(4, "big")
        batch._buffer = built  # noqa: SLF001
        await (await producer.send_batch(batch, "crm.deal.v1", partition=1))


def move_group(kafka: str, app: str, offset: int) -> bool:
    """Do what the runbook says; false while the group still has a member."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": f"{app}-ingest"})
    try:
        consumer.commit(offsets=[TopicPartition("crm.deal.v1", 1, offset)], asynchronous=False)
    except KafkaException:
        return False
    finally:
        consumer.close()
    return True


def test_unparsable_record_is_named_and_can_be_skipped(
    kafka: str, app: str, tmp_path: Path
) -> None:
    """Everything before it is in the journal and committed; behind its batch ingest goes on."""
    asyncio.run(send_batch(kafka, ["a", "b"]))
    asyncio.run(send_batch(kafka, ["c", "broken", "lost"], broken=1))
    asyncio.run(send_batch(kafka, ["d"]))
    running = ingest(kafka, app, tmp_path / "ingest.log")
    with running:
        assert running.wait_exit() == 70
    said = (tmp_path / "ingest.log").read_text()
    assert "a record could not be parsed" in said
    for name, value in (("offset", 3), ("batch_first", 2), ("batch_last", 4), ("skip_to", 5)):
        assert re.search(rf"\W{name}\W+{value}\b", said), name
    assert [entry.id for _, _, entry in entries(kafka)] == ["a", "b", "c"]
    assert committed(kafka, app) == 3
    wait_for(lambda: move_group(kafka, app, 5), "the group is empty")
    with running:
        wait_for(lambda: len(list(entries(kafka))) == 4, "the one behind it")
        assert running.terminate() == 0
    assert [entry.id for _, _, entry in entries(kafka)] == ["a", "b", "c", "d"]


def test_recreated_source_stops_ingest(kafka: str, app: str, tmp_path: Path) -> None:
    """A source that ends before its committed position would be skipped as repeats: exit 70."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": f"{app}-ingest"})
    consumer.commit(offsets=[TopicPartition("crm.deal.v1", 2, 99)], asynchronous=False)
    consumer.close()
    with ingest(kafka, app, tmp_path / "ingest.log") as running:
        assert running.wait_exit() == 70
    assert "was created again" in (tmp_path / "ingest.log").read_text()
