"""What ClickHouse must know of a metric to present it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """One row of `crm.dim_metric`; the catalogue's owner hands these to `migrate`.

    Args:
        name: Such as `won_amount`.
        unit: `count`, `minor` (minor units), `seconds` or `ratio`.
        scale: Accumulators are divided by it to be shown in `unit` (1000: ms → seconds).
        value: What a person expects as *the* value: the `count` of observations, their `sum`
            (money, gauges) or their `mean` (durations).
        description: One sentence for people.
    """

    name: str
    unit: str
    scale: int
    value: Literal["count", "sum", "mean"]
    description: str
