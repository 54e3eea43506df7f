"""The same figures read from four places: Faust tables, Valkey, ClickHouse, an offline fold."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import clickhouse_connect
import redis

from infra.commands.log_reader import LogRecord, ends, read
from infra.generations.registry import app_in, generation_of
from infra.settings import Settings
from schemas.codec import decode_effect, decode_partial
from schemas.derived.metric import MetricKey, MetricPartial, merge_partials
from schemas.topics import EFFECT, JOURNAL, METRIC, state_topic
from sinks.live.read import read_metric
from streams.domain.fold import fold
from streams.domain.metrics.catalogue import METRICS as CATALOGUE
from streams.domain.state import State
from streams.domain.table import METRICS


@dataclass(frozen=True, slots=True)
class Value:
    """A bucket, partitions added up; what every place must agree on."""

    count: int
    sum: int
    min: int
    max: int
    sketch: tuple[int, ...]


class Bucket(NamedTuple):
    """Which bucket of the tenant."""

    metric: str
    grain: str
    bucket_ms: int
    dimension: str
    member: str


Figures = dict[Bucket, Value]


def _value(partial: MetricPartial) -> Value:
    return Value(partial.count, partial.sum, partial.min, partial.max, tuple(partial.sketch))


@dataclass(frozen=True)
class Places:
    """Where to read, for one tenant whose traffic has ended."""

    settings: Settings
    tenant: str

    def clickhouse(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query; `{tenant:String}` is bound."""
        url = urlsplit(self.settings.clickhouse_url)
        client = clickhouse_connect.get_client(
            host=url.hostname or "", port=url.port or 0, username=url.username or "",
            password=url.password or "",
        )  # fmt: skip
        with client:
            found = client.query(sql, parameters={"tenant": self.tenant})
            return [tuple(row) for row in found.result_rows]

    def in_valkey(self) -> Figures:
        """Read every bucket the catalogue knows."""
        figures: Figures = {}
        generation = generation_of(self.settings)
        with redis.Redis.from_url(self.settings.valkey_url) as client:
            for metric in CATALOGUE.values():
                for grain in metric.grains:
                    for dimension in ("", *metric.dimensions):
                        found = read_metric(
                            client, generation, self.tenant, metric.name, grain,
                            dimension,
                        )  # fmt: skip
                        for (bucket_ms, member), partial in found.items():
                            bucket = Bucket(metric.name, grain, bucket_ms, dimension, member)
                            figures[bucket] = _value(partial)
        return figures

    def in_clickhouse(self) -> Figures:
        """Read the newest partial of each partition and add them up."""
        rows = self.clickhouse(
            "SELECT metric, grain, toUnixTimestamp64Milli(bucket), dimension, member, "
            "count, sum, min, max, sketch FROM crm.agg_metric FINAL WHERE tenant = {tenant:String}"
        )
        partials: defaultdict[Bucket, list[MetricPartial]] = defaultdict(list)
        for metric, grain, bucket_ms, dimension, member, *rest in rows:
            bucket = Bucket(metric, grain, int(bucket_ms), dimension, member)
            count, total, low, high, sketch = rest
            partials[bucket].append(MetricPartial(1, 0, count, total, low, high, list(sketch)))
        return {bucket: _value(merge_partials(found)) for bucket, found in partials.items()}


@dataclass(frozen=True)
class Logs:
    """What the logs hold of every tenant, each topic read once."""

    settings: Settings

    def in_tables(self) -> dict[str, Figures]:
        """Read the worker's tables as its changelog has them; tenant → figures."""
        return _by_tenant(
            State.load(
                (record.key or b"", record.value)
                for record in records
                if (record.key or b"").startswith(METRICS.prefix)
            )
            for records in self._partitions(state_topic(app_in(self.settings))).values()
        )

    def in_offline_fold(self) -> dict[str, Figures]:
        """Fold the whole journal here and now; tenant → figures."""

        def states() -> Iterator[State]:
            for partition, records in self._partitions(JOURNAL).items():
                state = State()
                for start in range(0, len(records), 5_000):
                    effects = fold(state, records[start : start + 5_000], partition=partition)  # type: ignore[arg-type]  # every journal record has a value
                    state.apply(effects)
                yield state

        return _by_tenant(states())

    def repeats(self) -> list[str]:
        """Return what a `read_committed` reader of `derived.*` would see twice or not at all."""
        wrong = []
        for partition, records in self._partitions(EFFECT).items():
            numbers = [decode_effect(record.value or b"").seq for record in records]
            if numbers != list(range(len(numbers))):
                wrong.append(f"effects of partition {partition} are not numbered 0…{len(numbers)}")
        for partition, records in self._partitions(METRIC).items():
            seen: dict[bytes, int] = {}
            for record in records:
                if record.value is None:
                    continue
                key, offset = record.key or b"", decode_partial(record.value).offset
                if offset <= seen.get(key, -1):
                    wrong.append(f"metric {key!r} of partition {partition} repeats {offset}")
                seen[key] = offset
        return wrong

    def _partitions(self, topic: str) -> dict[int, list[LogRecord]]:
        found: dict[int, list[LogRecord]] = {p: [] for p in ends(self.settings, topic)}
        for record in read(self.settings, topic):
            found[record.partition].append(record)
        return found


def _by_tenant(states: Iterable[State]) -> dict[str, Figures]:
    partials: defaultdict[MetricKey, list[MetricPartial]] = defaultdict(list)
    for state in states:
        for raw, value in state.tables[METRICS.prefix].items():
            key = MetricKey.parse(raw.decode())
            partials[key].append(decode_partial(value))
    figures: defaultdict[str, Figures] = defaultdict(dict)
    for key, found in partials.items():
        figures[key.tenant][Bucket(*key[1:])] = _value(merge_partials(found))
    return dict(figures)
