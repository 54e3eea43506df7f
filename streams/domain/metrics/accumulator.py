"""The value of one metric bucket while it is being folded."""

from ddsketch.mapping import LogarithmicMapping

from schemas.derived.metric import MetricPartial

RELATIVE_ACCURACY = 0.01
"""A quantile read from a sketch is within 1 % of the true value."""

_bin_of = LogarithmicMapping(RELATIVE_ACCURACY).key
ZERO_BIN = -(2**31)
"""Where observations of 0 are counted; the logarithm has no bin for them."""


class Accumulator:
    """Count, sum, extremes and (for durations) a quantile sketch; all integers.

    Observations can be taken back (a reopened deal was never won): count, sum and sketch undo
    exactly, minimum and maximum keep the extremes ever seen until the bucket is empty.

    Args:
        key: Of the bucket; kept here so that it is encoded once, not in every batch.
    """

    __slots__ = ("bins", "count", "key", "max", "min", "offset", "sum")

    def __init__(self, key: bytes = b"") -> None:
        self.key = key
        self.count = 0
        self.sum = 0
        self.min = 0
        self.max = 0
        self.offset = -1
        self.bins: dict[int, int] | None = None

    @classmethod
    def of(cls, partial: MetricPartial, key: bytes = b"") -> "Accumulator":
        """Continue from a stored value."""
        it = cls(key)
        _, it.offset, it.count, it.sum, it.min, it.max, flat = partial
        if flat:
            it.bins = dict(zip(flat[::2], flat[1::2], strict=True))
        return it

    def copy(self) -> "Accumulator":
        """Return an equal one to change."""
        it: Accumulator = object.__new__(Accumulator)  # every field is set once, below
        it.key, it.offset = self.key, self.offset
        it.count, it.sum, it.min, it.max = self.count, self.sum, self.min, self.max
        it.bins = None if self.bins is None else self.bins.copy()
        return it

    def add(self, number: int, amount: int, *, sketch: bool) -> None:
        """Add observations of the same amount.

        Args:
            number: 1 adds one, -1 takes one back, 0 corrects the sum only.
            amount: Of one observation; for a correction the signed difference.
            sketch: Whether the metric has quantiles; amounts must then be ≥ 0.
        """
        if number == 0:
            self.sum += amount
            return
        if number > 0:
            # Comparisons, not min() and max(): the fold's innermost loop runs through here.
            if self.count == 0:
                self.min = self.max = amount
            elif amount < self.min:
                self.min = amount
            elif amount > self.max:
                self.max = amount
        self.count += number
        self.sum += number * amount
        if self.count == 0:
            self.min = self.max = 0
        if sketch:
            self._count_in_bin(_bin_of(amount) if amount > 0 else ZERO_BIN, number)

    def _count_in_bin(self, key: int, number: int) -> None:
        bins = self.bins
        if bins is None:
            bins = self.bins = {}
        total = bins.get(key, 0) + number
        if total:
            bins[key] = total
        else:
            bins.pop(key, None)

    def partial(self, generation: int) -> MetricPartial:
        """Return the value as it is stored and published."""
        flat: list[int] = []
        if self.bins:
            for key in sorted(self.bins):
                flat += (key, self.bins[key])
        # `tuple.__new__` at a third of the time of the class's own: this runs for every bucket.
        return tuple.__new__(
            MetricPartial,
            (generation, self.offset, self.count, self.sum, self.min, self.max, flat),
        )
