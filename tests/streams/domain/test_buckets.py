"""Decoded buckets kept between batches change no value."""

from streams.domain.effects import Effects
from streams.domain.fold import fold
from streams.domain.metrics.accumulator import Accumulator
from streams.domain.metrics.buckets import KnownBuckets
from streams.domain.state import State
from streams.domain.table import METRICS
from tests.streams.domain.sample import sample


def test_forgotten_buckets_are_read_from_their_rows() -> None:
    """A fold that knows nothing decoded gives what one gives that knows everything."""
    records, halves = sample().records, []
    half = len(records) // 2
    for forget in (False, True):
        state = State()
        state.apply(fold(state, records[:half], partition=0))
        assert len(state.buckets)
        if forget:
            state.buckets.clear()
        halves.append(fold(state, records[half:], partition=0))
    assert halves[0] == halves[1]


def test_effects_without_decoded_buckets_leave_none_behind() -> None:
    """What was decoded before no longer equals the rows, so it is forgotten."""
    state, records = State(), sample().records
    effects = fold(state, records, partition=0)
    state.apply(effects)
    state.apply(Effects(effects.head, rows=[(METRICS.prefix + b"key", b"value")]))
    assert not len(state.buckets)


def test_known_buckets_are_bounded() -> None:
    """Beyond the limit all are forgotten; a deleted start takes its members along."""
    known = KnownBuckets(most=3)
    known.merge({"a|": {"|": Accumulator(), "agent|ann": Accumulator()}}, set())
    known.merge({"a|": {"|": Accumulator()}, "b|": {"|": Accumulator()}}, set())
    assert len(known) == 3
    known.merge({}, {"a|"})
    assert (len(known), list(known.groups)) == (1, ["b|"])
    known.merge({"c|": {str(number): Accumulator() for number in range(3)}}, set())
    assert (len(known), known.groups) == (0, {})
