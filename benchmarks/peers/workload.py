"""The one workload all peers do: what a record is, what is kept, what is said, what must come out.

Each record is a journal entry with a new deal in it, in our Avro, the same bytes for everybody.
For each: decode it, change one subject's row, add to three metric partials, and for 2 % of them
state an action. Rows and partials are packed integers in network byte order, so no serialiser
decides. Imports `schemas` only: a peer with an environment of its own runs it too.
"""

import random
import struct
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from schemas.avro import schema_of
from schemas.codec import decode_entry, decode_event, encode_entry, encode_event
from schemas.events import DealCreated
from schemas.journal import EVENT, Entry, journal_key
from schemas.partitioner import partition_of

PARTITIONS = 4
TENANTS = 5
CONTACTS = 4_000
"""Of each tenant: 20,000 subjects."""
EVERY_MS = 100
"""Event time between two records: a backlog of 240,000 spans almost seven hours."""
HOUR_MS = 3_600_000
ACTION_EVERY = 50
"""An amount that is a multiple of this is an action: 2 %."""
AMOUNT_MAX = 100_000
SEED = 11

SUBJECT = struct.Struct(">qqqq")
"""Deals, sum of amounts, sum of gaps (ms), time of the last (UTC ms)."""
PARTIAL = struct.Struct(">qq")
"""Observations, sum."""
ACTION = struct.Struct(">qq")
"""Deals of the subject so far, sum of their amounts."""
_NEW_SUBJECT = bytes(SUBJECT.size)
_NEW_PARTIAL = bytes(PARTIAL.size)

Get = Callable[[bytes], bytes | None]
Put = Callable[[bytes, bytes], object]


class Input(NamedTuple):
    """One record.

    Args:
        partition: By the key, murmur2.
        key: `tenant|contact/n`.
        value: Encoded entry.
    """

    partition: int
    key: bytes
    value: bytes


class Totals(NamedTuple):
    """What state and output must add up to, whoever made them."""

    subjects: int
    deals: int
    amount: int
    gap_ms: int
    observations: int
    partial_sum: int
    actions: int


def step(value: bytes, partition: int, get: Get, put: Put) -> tuple[bytes, bytes] | None:
    """Do the work of one record.

    Args:
        value: Encoded entry.
        partition: It came from; part of the partials' keys, as each partition keeps its own.
        get: Key → row; None for a new one. Subjects' keys begin with `s`, partials' with `m`.
        put: Keeps a row.

    Returns:
        An action (key, value), or None.
    """
    entry = decode_entry(value)
    amount: int = decode_event(entry.data).amount_minor  # type: ignore[attr-defined]  # DealCreated
    key = journal_key(entry.tenant, entry.subject)
    row_key = b"s" + key
    deals, total, gaps, last = SUBJECT.unpack(get(row_key) or _NEW_SUBJECT)
    gap = entry.time_ms - last if deals else 0
    deals, total = deals + 1, total + amount
    put(row_key, SUBJECT.pack(deals, total, gaps + gap, entry.time_ms))
    hour = entry.time_ms // HOUR_MS
    for metric, change in (("deals", 1), ("amount", amount), ("gap", gap)):
        bucket = f"m{entry.tenant}|{metric}|{hour}|{partition}".encode()
        count, held = PARTIAL.unpack(get(bucket) or _NEW_PARTIAL)
        put(bucket, PARTIAL.pack(count + 1, held + change))
    return (key, ACTION.pack(deals, total)) if amount % ACTION_EVERY == 0 else None


def inputs(
    records: int, start_ms: int, *, contacts: int = CONTACTS, tenants: int = TENANTS
) -> Iterator[Input]:
    """Yield the first so many records; few subjects have many deals, most have few.

    Args:
        records: How many.
        start_ms: Time of the first, UTC ms.
        contacts: Of each tenant.
        tenants: How many; they take turns.
    """
    chance = random.Random(SEED)  # noqa: S311 - a workload, not a secret
    home = cache(lambda key: partition_of(key, PARTITIONS))
    for number in range(records):
        contact = f"contact-{int(contacts * chance.random() ** 2)}"
        tenant, subject = f"tenant-{number % tenants}", f"contact/{contact}"
        deal = DealCreated(
            contact_id=contact,
            deal_id=f"deal-{number}",
            stage="prospecting",
            amount_minor=chance.randrange(AMOUNT_MAX),
            currency="USD",
        )
        at_ms = start_ms + number * EVERY_MS
        key = journal_key(tenant, subject)
        entry = Entry(
            EVENT,
            copy=False,
            id=f"event-{number}",
            type=DealCreated.TYPE,
            source="benchmarks",
            tenant=tenant,
            subject=subject,
            time_ms=at_ms,
            recorded_ms=at_ms,
            origin_topic="crm.deal.v1",
            origin_partition=home(key),
            origin_offset=number,
            data=encode_event(deal),
        )
        yield Input(entry.origin_partition, key, encode_entry(entry))


def totals(rows: Iterable[bytes], actions: int) -> Totals:
    """Add up final rows, subjects' and partials' in any order; their sizes tell them apart."""
    subjects = deals = amount = gap = observations = partial_sum = 0
    for row in rows:
        if len(row) == SUBJECT.size:
            one = SUBJECT.unpack(row)
            subjects, deals = subjects + 1, deals + one[0]
            amount, gap = amount + one[1], gap + one[2]
        else:
            count, held = PARTIAL.unpack(row)
            observations, partial_sum = observations + count, partial_sum + held
    return Totals(subjects, deals, amount, gap, observations, partial_sum, actions)


def arithmetic(records: Iterable[Input]) -> Totals:
    """Return what records must give, by one loop over all of them."""
    rows: dict[bytes, bytes] = {}
    actions = sum(
        step(record.value, record.partition, rows.get, rows.__setitem__) is not None
        for record in records
    )
    return totals(rows.values(), actions)


def layout(record: type) -> str:
    """Return the Avro fields of a record as `name:type` in order, for a reader in another language.

    Types are Avro's; `?` before one means a union of null and it, `[]` an array of strings.
    """
    return ",".join(f"{each['name']}:{_type(each['type'])}" for each in schema_of(record)["fields"])


def _type(declared: object) -> str:
    if isinstance(declared, list):
        return "?" + _type(declared[1])
    if isinstance(declared, dict):
        return "[]" if declared["type"] == "array" else str(declared["type"])
    return str(declared)
