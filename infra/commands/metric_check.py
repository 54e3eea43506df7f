"""`daybook metrics show --check`: Valkey, ClickHouse and an offline fold must say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from infra.commands.connect import answering, clickhouse, valkey
from infra.commands.metric_compare import Folded, Part, cuts, differences
from infra.commands.settling import settle
from infra.generations.registry import generation_of, resolved
from infra.offline.journal import Journal
from infra.offline.reaching import begin, go_on
from schemas.codec import decode_partial
from schemas.derived.metric import MetricKey, MetricPartial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.commands.metric_compare import Difference
    from infra.offline.folding import JournalRecord
    from infra.settings import Settings
    from streams.domain.effects import Effects
    from streams.domain.state import State

CLICKHOUSE_ROWS = """
SELECT metric, grain, toUnixTimestamp64Milli(bucket), dimension, member, _partition,
  max(_offset) AS newest, argMax((count, sum, min, max, sketch), _offset)
FROM crm.agg_metric WHERE gen = {gen:UInt16} AND tenant = {tenant:String}
GROUP BY metric, grain, bucket, dimension, member, _partition
"""

Stored = dict[Part, MetricPartial]


def check(
    settings: Settings, tenants: Sequence[str], report: Callable[[str, int, int], None]
) -> dict[str, Result]:
    """Compare every bucket of some tenants with a fold of the whole journal.

    Traffic may go on: see `infra.commands.metric_compare`.

    Returns:
        Tenant → what was found.

    Raises:
        CorruptLog: the journal doesn't reach back to offset 0.
        NotMigrated: ClickHouse has no tables yet.
        Unavailable: a service doesn't answer or a process stands still.
    """
    settings = resolved(settings)
    generation = generation_of(settings)
    agreed = settle(settings, report=report)
    in_valkey: Stored = {}
    in_clickhouse: Stored = {}
    for tenant in tenants:
        in_valkey |= from_valkey(settings, tenant)
        in_clickhouse |= from_clickhouse(settings, tenant)
    folded = Folded()
    with Journal(settings) as journal:
        # Asked again, after the stores: an hour bucket may have been closed in between.
        for partition, (_, last) in journal.bounds().items():
            stops = cuts((in_valkey, in_clickhouse), partition, agreed[partition], last)
            noting = _Noting(partition, tenants, folded, agreed[partition])
            it = begin(partition, None, generation=generation, watchers=[noting])
            go_on(journal, it, last, stops=[stop + 1 for stop in stops], report=report)
    found = differences("Valkey", in_valkey, folded, agreed, keeps_closed=False)
    found += differences("ClickHouse", in_clickhouse, folded, agreed, keeps_closed=True)
    return {
        tenant: Result(
            sum(part.key.tenant == tenant for part in folded.at_end),
            [each for each in found if each.part.key.tenant == tenant],
        )
        for tenant in tenants
    }


def from_valkey(settings: Settings, tenant: str) -> Stored:
    """Return every part of a tenant that Valkey holds."""
    from sinks.live.read import read_partials

    client, generation = valkey(settings), generation_of(settings)
    found: Stored = {}
    pattern = f"db:{generation}:{tenant}:*"
    with answering("Valkey"):
        names = [bytes(name).decode() for name in client.scan_iter(pattern, count=1_000)]
    for name in names:
        _, _, _, metric, grain, dimension = name.split(":", 5)
        with answering("Valkey"):
            held = read_partials(client, generation, tenant, metric, grain, dimension)
        for (bucket_ms, member, partition), partial in held.items():
            key = MetricKey(tenant, metric, grain, bucket_ms, dimension, member)
            found[Part(partition, key)] = partial
    return found


def from_clickhouse(settings: Settings, tenant: str) -> Stored:
    """Return every part of a tenant that ClickHouse holds, newest rows only."""
    client, generation = clickhouse(settings), generation_of(settings)
    with answering("ClickHouse"):
        rows = client.query(CLICKHOUSE_ROWS, parameters={"gen": generation, "tenant": tenant})
    found: Stored = {}
    for metric, grain, bucket_ms, dimension, member, partition, offset, numbers in rows.result_rows:
        count, total, low, high, sketch = numbers
        key = MetricKey(tenant, metric, grain, bucket_ms, dimension, member)
        found[Part(partition, key)] = MetricPartial(
            generation, offset, count, total, low, high, list(sketch)
        )
    return found


class Result(NamedTuple):
    """What was found of one tenant.

    Args:
        compared: Parts of buckets the fold knows (bucket and partition).
        differences: Those some view disagrees about.
    """

    compared: int
    differences: list[Difference]


class _Noting:
    """Notes what the fold of one partition says of some tenants.

    Args:
        partition: Which.
        tenants: Whose buckets.
        folded: Where to.
        end: Agreed end; values beyond it are kept by offset, because stores stand at any of them.
    """

    def __init__(self, partition: int, tenants: Sequence[str], folded: Folded, end: int) -> None:
        self._partition, self._folded, self._end = partition, folded, end
        self._prefixes = tuple(f"{tenant}|".encode() for tenant in tenants)

    def watch(self, records: Sequence[JournalRecord], state: State, effects: Effects) -> None:  # noqa: ARG002 - the protocol's
        """Note what a batch changed."""
        beyond = records[-1].offset >= self._end
        for raw_key, raw in effects.metrics:
            if raw_key.startswith(self._prefixes):
                part = Part(self._partition, MetricKey.parse(raw_key.decode()))
                self._note(part, raw, beyond=beyond)

    def _note(self, part: Part, raw: bytes | None, *, beyond: bool) -> None:
        if raw is None:
            self._folded.closed.add(part)
            return
        value = decode_partial(raw)
        if beyond:
            self._folded.later.setdefault(part, {})[value.offset] = value
        else:
            self._folded.closed.discard(part)
            self._folded.at_end[part] = value


def as_json(difference: Difference) -> dict[str, Any]:
    """Return a difference for programs."""
    return {
        "store": difference.store,
        "partition": difference.part.partition,
        **difference.part.key._asdict(),
        "stored": None if difference.stored is None else difference.stored._asdict(),
        "folded": None if difference.folded is None else difference.folded._asdict(),
    }
