"""Quantiles read from a metric's sketch (DDSketch, 1 % relative accuracy)."""

from collections.abc import Sequence

from ddsketch.mapping import LogarithmicMapping

from streams.domain.metrics.accumulator import RELATIVE_ACCURACY, ZERO_BIN

_value_of = LogarithmicMapping(RELATIVE_ACCURACY).value


def quantile(sketch: Sequence[int], q: float) -> float | None:
    """Return the q-quantile of a sketch, within 1 % of the true value.

    Args:
        sketch: Flat pairs (bin, count), ascending by bin, as in `MetricPartial.sketch`.
        q: 0…1; 0.5 is the (lower) median.

    Returns:
        In the unit of the observations; None for an empty sketch.

    Source: Masson, Rim, Lee, "DDSketch", VLDB 2019, algorithm 2.
    """
    total = sum(sketch[1::2])
    if total <= 0:
        return None
    rank, below = q * (total - 1), 0
    for key, count in zip(sketch[::2], sketch[1::2], strict=True):
        below += count
        if below > rank:
            return 0.0 if key == ZERO_BIN else float(_value_of(key))
    return None
