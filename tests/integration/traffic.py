"""Seeded journal traffic whose facts depend on what came before (time in stage, first reply)."""

import itertools
import random
import time
from collections.abc import Iterator

import orjson
from confluent_kafka import Producer

from schemas.codec import encode_entry, encode_event
from schemas.events import CATALOGUE, Event
from schemas.journal import EVENT, Entry, journal_key
from schemas.topics import JOURNAL

TENANTS = ("acme", "globex")
STAGES = ("prospecting", "engaging", "proposal", "negotiation")


def events(seed: int, count: int, deals: int = 40) -> Iterator[tuple[str, Event]]:
    """Yield (tenant, event): deals that move through stages, and tasks that fall due."""
    rnd = random.Random(seed)  # noqa: S311 - reproducible on purpose
    for number in range(count):
        tenant = rnd.choice(TENANTS)
        deal = f"deal-{rnd.randrange(deals)}"
        kind = rnd.choice(
            ("created", "stage", "stage", "amount", "won", "lost", "reopened", "task")
        )
        yield tenant, _event(kind, deal, number, rnd)


def _event(kind: str, deal: str, number: int, rnd: random.Random) -> Event:
    money: dict[str, object] = {"amount_minor": rnd.randrange(10_000), "currency": "USD"}
    if kind == "task":
        due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + rnd.random() * 5))
        data: dict[str, object] = {"task_id": f"task-{number}", "assignee_id": "ada", "due_at": due}
        return _make("task.created", data)
    if kind == "stage":
        return _make("deal.stage_changed", {"deal_id": deal, "to": rnd.choice(STAGES)})
    if kind == "amount":
        data = {"deal_id": deal, "to_minor": money["amount_minor"], "currency": "USD"}
        return _make("deal.amount_changed", data)
    if kind == "created":
        return _make("deal.created", {"deal_id": deal, "stage": STAGES[0], **money})
    return _make(f"deal.{kind}", {"deal_id": deal, **(money if kind == "won" else {})})


def _make(name: str, data: dict[str, object]) -> Event:
    return CATALOGUE[f"crm.{name}.v1"].model_validate_json(orjson.dumps(data))


class JournalWriter:
    """Appends entries as ingest would: idempotent, keyed, with source coordinates.

    Args:
        kafka: Bootstrap servers.
    """

    def __init__(self, kafka: str) -> None:
        self._offset = 0
        self._producer = Producer({
            "bootstrap.servers": kafka, "enable.idempotence": True, "partitioner": "murmur2",
            "linger.ms": 5,
        })  # fmt: skip

    def write(self, tenant: str, event: Event) -> None:
        """Append one event; it happens now."""
        now_ms = time.time_ns() // 1_000_000
        subject = event.derived_subject() or ""
        entry = Entry(
            EVENT,
            copy=False,
            id=f"event-{self._offset}",
            type=event.TYPE,
            source="test",
            tenant=tenant,
            subject=subject,
            time_ms=now_ms,
            recorded_ms=now_ms,
            origin_topic="upstream",
            origin_partition=0,
            origin_offset=self._offset,
            data=encode_event(event),
        )
        self._offset += 1
        self._producer.produce(JOURNAL, encode_entry(entry), journal_key(tenant, subject))
        self._producer.poll(0)

    @property
    def written(self) -> int:
        """How many entries were appended."""
        return self._offset

    def write_some(
        self, stream: Iterator[tuple[str, Event]], count: int, *, flush: bool = True
    ) -> None:
        """Append the next events of a stream."""
        for tenant, event in itertools.islice(stream, count):
            self.write(tenant, event)
        if flush:
            self.flush()

    def flush(self) -> None:
        """Wait until the broker has everything."""
        assert self._producer.flush(60) == 0
