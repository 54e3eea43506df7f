"""Reads what each view holds: the worker's changelog, ClickHouse, Valkey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.commands.connect import answering, kafka_config
from infra.verification.sums import Sum, expression
from infra.verification.tally import EFFECTS, EVENTS, TABLES, Group
from schemas.codec import encode_partial
from schemas.derived.metric import MetricKey, MetricPartial
from schemas.generation import app_of
from schemas.topics import state_topic
from sinks.live.read import read_hash
from sinks.mapping.valkey import parse_field
from streams.domain.table import HOURS, METRICS
from streams.runtime.loader import bounds, changelog_rows, reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    import redis
    from clickhouse_connect.driver.client import Client

    from infra.settings import Settings
    from infra.verification.comparing import Parts, Scope

BROKER_TIMEOUT_S = 30.0
PARTS = """
SELECT tenant, metric, grain, toUnixTimestamp64Milli(bucket), dimension, member,
  max(_offset) AS newest, argMax((count, sum, min, max, sketch), _offset)
FROM crm.agg_metric
WHERE gen = {gen:UInt16} AND _partition = {partition:UInt16}
  AND ({tenant:String} = '' OR tenant = {tenant:String})
  AND (grain = 'all' OR toUnixTimestamp64Milli(bucket) BETWEEN {start:Int64} AND {end:Int64} - 1)
GROUP BY tenant, metric, grain, bucket, dimension, member
"""
DAY = "toInt64(floor(toUnixTimestamp64Milli(ts) / 86400000))"
KINDS = {EVENTS: "event_type", EFFECTS: "concat(kind, '.', name)"}
CAUSES = {EVENTS: "_offset", EFFECTS: "cause_offset"}
IDENTITIES = {EVENTS: "_offset", EFFECTS: "seq"}
FACTS = """
FROM {table} {final}
WHERE gen = {{gen:UInt16}} AND {cause} < arrayElement({{cuts:Array(UInt64)}}, _partition + 1)
  AND ({{tenant:String}} = '' OR tenant = {{tenant:String}})
  AND {day} * 86400000 BETWEEN {{start:Int64}} AND {{end:Int64}} - 1
"""


def in_table(settings: Settings, generation: int, partition: int, scope: Scope) -> Parts:
    """Return the metric rows of one partition of the worker's tables, as its changelog has them.

    Raises:
        CorruptLog: the changelog was cut short while it was read.
        Unavailable: the broker doesn't answer.
    """
    topic = state_topic(app_of(settings.app, generation))
    found: Parts = {}
    with answering("Kafka", settings.kafka):
        consumer = reader(kafka_config(settings))
        try:
            low, _ = bounds(consumer, topic, partition, BROKER_TIMEOUT_S)
            for key, value in changelog_rows(consumer, topic, partition, low):
                if key[:1] not in {METRICS.prefix, HOURS.prefix}:
                    continue
                if value is None:
                    found.pop(key[1:], None)
                elif scope.holds_key(key[1:]):
                    found[key[1:]] = value
        finally:
            consumer.close()
    return found


def in_valkey(client: redis.Redis, generation: int, scope: Scope) -> dict[int, Parts]:
    """Return partition → the parts of buckets that Valkey holds.

    Raises:
        Unavailable: Valkey doesn't answer.
    """
    found: dict[int, Parts] = {}
    with answering("Valkey"):
        pattern = f"db:{generation}:{scope.tenant or '*'}:*"
        for name in client.scan_iter(pattern, count=1_000):
            words = bytes(name).split(b":", 5)
            if len(words) < 6:  # noqa: PLR2004 - db, generation, tenant, metric, grain, dimension
                continue
            _, _, tenant, metric, grain, dimension = words
            for field, value in read_hash(client, bytes(name)).items():
                bucket_ms, member, partition = parse_field(field)
                start = b"%b|%b|%b|%d|%b|" % (tenant, metric, grain, bucket_ms, dimension)
                key = start + member.encode()
                if scope.holds_key(key):
                    found.setdefault(partition, {})[key] = value
    return found


def in_clickhouse(client: Client, generation: int, partition: int, scope: Scope) -> Parts:
    """Return the newest part of each bucket that ClickHouse holds of one partition.

    Raises:
        NotMigrated: there are no tables yet.
        Unavailable: ClickHouse doesn't answer.
    """
    asked = {"gen": generation, "partition": partition, **_asked(scope)}
    found: Parts = {}
    with answering("ClickHouse"), client.query_rows_stream(PARTS, parameters=asked) as rows:
        for *names, offset, numbers in rows:
            count, total, low, high, sketch = numbers
            value = MetricPartial(generation, offset, count, total, low, high, list(sketch))
            found[MetricKey(*names).text().encode()] = encode_partial(value)
    return found


def fact_sums(
    client: Client, generation: int, cuts: Mapping[int, int], scope: Scope
) -> dict[int, dict[Group, Sum]]:
    """Return partition → group → counts and hashes of the facts whose entries are below the cuts.

    Raises:
        NotMigrated: there are no tables yet.
        Unavailable: ClickHouse doesn't answer.
    """
    found: dict[int, dict[Group, Sum]] = {partition: {} for partition in cuts}
    for fact in (EVENTS, EFFECTS):
        query = (
            f"SELECT _partition, tenant, {KINDS[fact]} AS what, {DAY} AS day, count(), "
            f"sum({expression(TABLES[fact])}) {_from(fact)} GROUP BY _partition, tenant, what, day"
        )
        asked = {"gen": generation, "cuts": _by_partition(cuts), **_asked(scope)}
        with answering("ClickHouse"):
            rows = client.query(query, parameters=asked).result_rows
        for partition, tenant, kind, day, count, hashed in rows:
            group = Group(fact, tenant, kind, day)
            found.setdefault(partition, {})[group] = Sum(count, hashed)
    return found


def fact_rows(
    client: Client, generation: int, partition: int, cuts: Mapping[int, int], group: Group
) -> dict[int, tuple[int, int]]:
    """Return identity → (hash, journal offset of the cause) of the rows of one group.

    Raises:
        Unavailable: ClickHouse doesn't answer.
    """
    fact = group.scope
    query = (
        f"SELECT {IDENTITIES[fact]}, {expression(TABLES[fact])}, {CAUSES[fact]} {_from(fact)} "
        f"AND _partition = {{partition:UInt16}} AND {KINDS[fact]} = {{kind:String}} "
        f"AND {DAY} = {{day:Int64}}"
    )
    asked = {
        "gen": generation, "cuts": _by_partition(cuts), "tenant": group.tenant,
        "start": -(2**62), "end": 2**62, "partition": partition, "kind": group.kind,
        "day": group.day,
    }  # fmt: skip
    with answering("ClickHouse"):
        rows = client.query(query, parameters=asked).result_rows
    return {identity: (hashed, cause) for identity, hashed, cause in rows}


def _from(fact: str) -> str:
    table = TABLES[fact]
    final = "FINAL" if table.collapses else ""
    return FACTS.format(table=table.name, final=final, cause=CAUSES[fact], day=DAY)


def _by_partition(cuts: Mapping[int, int]) -> list[int]:
    return [cuts.get(partition, 0) for partition in range(max(cuts) + 1)]


def _asked(scope: Scope) -> dict[str, Any]:
    return {"tenant": scope.tenant, "start": scope.start_ms, "end": scope.end_ms}
