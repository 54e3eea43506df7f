"""Quantiles read from a metric's sketch (DDSketch, 1 % relative accuracy)."""

from collections.abc import Sequence
from itertools import accumulate

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
    if not sketch:
        return None
    counts = sketch[1::2]
    rank = q * (sum(counts) - 1)
    below = zip(sketch[::2], accumulate(counts), strict=True)
    found = next(key for key, count in below if count > rank)
    return 0.0 if found == ZERO_BIN else float(_value_of(found))
