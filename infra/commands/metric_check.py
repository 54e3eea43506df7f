"""`daybook metrics show --check`: Valkey, ClickHouse and an offline fold must say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from infra.commands.connect import answering, clickhouse, valkey
from infra.commands.log_reader import ends, read
from infra.commands.metric_compare import Folded, Part, cuts, differences
from infra.commands.settling import settle
from schemas.codec import decode_partial
from schemas.derived.metric import MetricKey, MetricPartial
from schemas.errors import CorruptLog
from schemas.topics import JOURNAL
from streams.domain.fold import fold
from streams.domain.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.commands.log_reader import LogRecord
    from infra.commands.metric_compare import Difference
    from infra.settings import Settings

BATCH = 2_000
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
        CorruptLog: the journal doesn't begin at offset 0, so it can't be folded from the start.
        NotMigrated: ClickHouse has no tables yet.
        Unavailable: a service doesn't answer or a process stands still.
    """
    journal = settle(settings, report=report)
    in_valkey: Stored = {}
    in_clickhouse: Stored = {}
    for tenant in tenants:
        in_valkey |= from_valkey(settings, tenant)
        in_clickhouse |= from_clickhouse(settings, tenant)
    folded = Folded()
    # Read again, after the stores: an hour bucket may have been closed in between.
    for partition, (first, last) in ends(settings, JOURNAL).items():
        if first:
            raise CorruptLog(f"{JOURNAL} partition {partition} begins at {first}, not at 0")
        stops = cuts((in_valkey, in_clickhouse), partition, journal[partition], last)
        it = _Partition(partition, settings.generation, tenants, folded, journal[partition])
        _fold(settings, it, stops, report)
    found = differences("Valkey", in_valkey, folded, journal, keeps_closed=False)
    found += differences("ClickHouse", in_clickhouse, folded, journal, keeps_closed=True)
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

    client = valkey(settings)
    found: Stored = {}
    pattern = f"db:{settings.generation}:{tenant}:*"
    with answering("Valkey"):
        names = [bytes(name).decode() for name in client.scan_iter(pattern, count=1_000)]
    for name in names:
        _, _, _, metric, grain, dimension = name.split(":", 5)
        with answering("Valkey"):
            held = read_partials(client, settings.generation, tenant, metric, grain, dimension)
        for (bucket_ms, member, partition), partial in held.items():
            key = MetricKey(tenant, metric, grain, bucket_ms, dimension, member)
            found[Part(partition, key)] = partial
    return found


def from_clickhouse(settings: Settings, tenant: str) -> Stored:
    """Return every part of a tenant that ClickHouse holds, newest rows only."""
    client = clickhouse(settings)
    with answering("ClickHouse"):
        rows = client.query(
            CLICKHOUSE_ROWS, parameters={"gen": settings.generation, "tenant": tenant}
        )
    found: Stored = {}
    for metric, grain, bucket_ms, dimension, member, partition, offset, numbers in rows.result_rows:
        count, total, low, high, sketch = numbers
        key = MetricKey(tenant, metric, grain, bucket_ms, dimension, member)
        found[Part(partition, key)] = MetricPartial(
            settings.generation, offset, count, total, low, high, list(sketch)
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


class _Entry(NamedTuple):
    """A journal record as the fold takes it."""

    offset: int
    value: bytes


class _Partition:
    """The fold of one journal partition, noting what it says of some tenants."""

    def __init__(
        self,
        partition: int,
        generation: int,
        tenants: Sequence[str],
        folded: Folded,
        end: int,
    ) -> None:
        self.partition, self._generation, self._end = partition, generation, end
        self._prefixes = tuple(f"{tenant}|".encode() for tenant in tenants)
        self._folded = folded
        self._state = State()
        self._batch: list[_Entry] = []

    def take(self, record: LogRecord, *, cut: bool) -> None:
        """Fold a record; at a cut, and now and then, note what has changed.

        Values beyond the agreed end are kept by offset, because stores stand at any of them.
        """
        self._batch.append(_Entry(record.offset, record.value or b""))
        if cut or len(self._batch) >= BATCH:
            self._flush(beyond=record.offset >= self._end)

    def _flush(self, *, beyond: bool) -> None:
        effects = fold(
            self._state, self._batch, partition=self.partition, generation=self._generation
        )
        self._state.apply(effects)
        self._batch = []
        for raw_key, raw in effects.metrics:
            if raw_key.startswith(self._prefixes):
                part = Part(self.partition, MetricKey.parse(raw_key.decode()))
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


def _fold(
    settings: Settings,
    it: _Partition,
    stops: Sequence[int],
    report: Callable[[str, int, int], None],
) -> None:
    """Fold one partition from its start to the last of `stops`, noting values at each."""
    if not stops:
        return
    at, last, stage = set(stops), stops[-1], f"folding partition {it.partition}"
    for record in read(settings, JOURNAL, {it.partition: 0}):
        it.take(record, cut=record.offset in at)
        if record.offset % BATCH == 0:
            report(stage, record.offset, last)
        if record.offset >= last:
            break
    report(stage, last, last)


def as_json(difference: Difference) -> dict[str, Any]:
    """Return a difference for programs."""
    return {
        "store": difference.store,
        "partition": difference.part.partition,
        **difference.part.key._asdict(),
        "stored": None if difference.stored is None else difference.stored._asdict(),
        "folded": None if difference.folded is None else difference.folded._asdict(),
    }
