"""All-time totals of one tenant as ClickHouse's reports and Valkey show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.commands.connect import answering, clickhouse, valkey
from infra.commands.metric_rows import Period, parts, rows
from infra.generations.registry import generation_of
from sinks.live.read import read_metric

if TYPE_CHECKING:
    import redis

    from infra.settings import Settings

REPORTED = ("deals_created", "deals_won", "deals_lost", "open_deals", "won_amount", "win_rate")
BY_REGION = "won_amount"
FROM_CLICKHOUSE = """
SELECT metric, dimension, member, value FROM crm_report.v_metric
WHERE tenant = {tenant:String} AND grain = 'all' AND metric IN {metrics:Array(String)}
  AND (dimension = '' OR (dimension = 'region' AND metric = {by_region:String}))
ORDER BY metric, dimension, member
"""


def from_clickhouse(settings: Settings, tenant: str) -> dict[str, Any]:
    """Return metric → value, and `regions` → amount won, as BI sees them."""
    asked = {"tenant": tenant, "metrics": list(REPORTED), "by_region": BY_REGION}
    client = clickhouse(settings)
    with answering("ClickHouse"):
        found = client.query(FROM_CLICKHOUSE, parameters=asked)
    return _arranged(
        (metric, dimension, member, value) for metric, dimension, member, value in found.result_rows
    )


def from_valkey(settings: Settings, tenant: str) -> dict[str, Any]:
    """Return the same, as dashboards see them."""
    client, generation = valkey(settings), generation_of(settings)
    asked = [(metric, "") for metric in REPORTED] + [(BY_REGION, "region")]
    return _arranged(
        (metric, dimension, member, value)
        for metric, dimension in asked
        for member, value in current(client, generation, tenant, metric, dimension)
    )


def current(
    client: redis.Redis, generation: int, tenant: str, metric: str, dimension: str = ""
) -> list[tuple[str, float | None]]:
    """Return (member, value) of a metric's all-time bucket in Valkey.

    Raises:
        Unavailable: Valkey is away.
    """
    with answering("Valkey"):
        buckets = {
            part: read_metric(client, generation, tenant, part, "all", dimension)
            for part in parts(metric)
        }
    return [
        (row["member"], row["value"]) for row in rows(metric, "all", dimension, buckets, Period())
    ]


def _arranged(values: Any) -> dict[str, Any]:
    totals: dict[str, Any] = {}
    regions: dict[str, float | None] = {}
    for metric, dimension, member, value in values:
        number = value if value is None or metric == "win_rate" else int(value)
        if dimension:
            regions[member] = number
        else:
            totals[metric] = None if number is None else round(number, 6)
    return {**{metric: totals.get(metric) for metric in REPORTED}, "regions": regions}
