"""Metric values as they were known at a point of the journal, folded anew."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.commands.snapshots import opened
from infra.generations.registry import generation_of, resolved
from infra.offline.points import parse_point
from infra.offline.reaching import fold_to
from schemas.codec import decode_partial
from schemas.derived.metric import MetricKey, MetricPartial, merge_partials
from streams.domain.table import HOURS, METRICS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from infra.commands.metric_rows import Bucket
    from infra.offline.reaching import Report
    from infra.settings import Settings
    from streams.domain.state import State


@dataclass(slots=True)
class Known:
    """What was known at a point.

    Args:
        cuts: Journal partition → offset; entries below it were folded.
        buckets: Tenant → stored metric → (bucket, member) → value, partitions added up.
        zones: Tenant → IANA zone its settings had then; those that had set one.
    """

    cuts: dict[int, int]
    buckets: dict[str, dict[str, dict[Bucket, MetricPartial]]] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)


def known_then(
    settings: Settings,
    point: str,
    tenant: str | None,
    metrics: Collection[str],
    shape: tuple[str, str],
    report: Report,
) -> Known:
    """Fold every partition to a point and add up what the fold then knew.

    Args:
        settings: Where everything is.
        point: See `infra.offline.points.parse_point`.
        tenant: Whose values; None: everybody's.
        metrics: Stored metrics.
        shape: Grain and dimension.
        report: Called with (stage, done, total).

    Raises:
        ConfigurationError: the point is none of this journal.
        CorruptLog: the journal doesn't reach back, and no snapshot does.
        Unavailable: the broker doesn't answer.
    """
    asked = parse_point(point)
    settings = resolved(settings)
    generation = generation_of(settings)
    with opened(settings) as (journal, snapshots):
        known = Known(journal.cuts_at(asked))
        partials: defaultdict[MetricKey, list[MetricPartial]] = defaultdict(list)
        for partition, cut in known.cuts.items():
            it = fold_to(
                journal, partition, cut, generation=generation, snapshots=snapshots,
                report=report,
            )  # fmt: skip
            for key, value in _parts(it.state, tenant, metrics, shape):
                partials[key].append(value)
            _note_zones(it.state, known.zones)
    for key, values in partials.items():
        metric = known.buckets.setdefault(key.tenant, {}).setdefault(key.metric, {})
        metric[key.bucket_ms, key.member] = merge_partials(values)
    return known


def _parts(
    state: State, tenant: str | None, metrics: Collection[str], shape: tuple[str, str]
) -> Iterator[tuple[MetricKey, MetricPartial]]:
    table = HOURS if shape[0] == "hour" else METRICS
    for raw, value in state.tables[table.prefix].items():
        key = MetricKey.parse(raw.decode())
        mine = tenant is None or key.tenant == tenant
        if mine and key.metric in metrics and (key.grain, key.dimension) == shape:
            yield key, decode_partial(value)


def _note_zones(state: State, zones: dict[str, str]) -> None:
    for raw in state.tables[SETTINGS.prefix]:
        found = state.find(SETTINGS, raw)
        if found is not None:
            zones[raw.decode()] = found.timezone
