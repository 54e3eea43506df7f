"""Reads current metric values: what `daybook metrics show` and snapshots need."""

from collections import defaultdict

import redis

from schemas.codec import decode_partial
from schemas.derived.metric import MetricPartial, merge_partials
from sinks.mapping.valkey import (
    REBUILDING_FIELD,
    TOPIC_FIELD,
    Position,
    hash_key,
    parse_field,
    position_key,
)

Bucket = tuple[int, str]
"""(bucket_ms, member); the member is empty for a total."""


def read_hash(client: redis.Redis, key: bytes) -> dict[bytes, bytes]:
    """Return a hash; `client` must not decode responses."""
    held: dict[bytes, bytes] = client.hgetall(key)  # type: ignore[assignment] # it gives bytes
    return held


def read_metric(
    client: redis.Redis,
    generation: int,
    tenant: str,
    metric: str,
    grain: str,
    dimension: str,
) -> dict[Bucket, MetricPartial]:
    """Return the current value of every bucket, partitions added up.

    Args:
        client: Without `decode_responses`: values are bytes.
        generation: Which generation's.
        tenant: Tenant id.
        metric: Name in the catalogue.
        grain: `hour`, `day` or `all`.
        dimension: Empty for the total.

    Returns:
        (bucket_ms, member) → sum of its partials; empty when there is none.
    """
    held = read_hash(client, hash_key(generation, tenant, metric, grain, dimension))
    partials: defaultdict[Bucket, list[MetricPartial]] = defaultdict(list)
    for field, value in held.items():
        bucket_ms, member, _ = parse_field(field)
        partials[bucket_ms, member].append(decode_partial(value))
    return {bucket: merge_partials(values) for bucket, values in partials.items()}


def read_partials(
    client: redis.Redis,
    generation: int,
    tenant: str,
    metric: str,
    grain: str,
    dimension: str,
) -> dict[tuple[int, str, int], MetricPartial]:
    """Return (bucket_ms, member, partition) → partial, for comparisons per partition."""
    held = read_hash(client, hash_key(generation, tenant, metric, grain, dimension))
    return {parse_field(field): decode_partial(value) for field, value in held.items()}


def read_positions(client: redis.Redis, generation: int) -> dict[int, Position]:
    """Return partition → how far `daybook live` has applied it."""
    return {
        int(name): Position.parse(text)
        for name, text in read_hash(client, position_key(generation)).items()
        if name not in {TOPIC_FIELD, REBUILDING_FIELD}
    }
