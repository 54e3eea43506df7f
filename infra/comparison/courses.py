"""One journal partition folded twice in one pass: as it went, and as it would have gone. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.codec import decode_entry, decode_partial
from schemas.derived.metric import MetricKey, MetricPartial
from streams.domain.fold import fold
from streams.domain.selection import Selection, selected
from streams.domain.state import State
from streams.domain.table import HOURS, METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infra.comparison.effects import EffectBags
    from streams.domain.effects import Effects
    from streams.domain.fold import Record
    from streams.domain.whatif import Name, WhatIf

HOUR = b"hour"

Parts = list[tuple[MetricKey, MetricPartial]]


class Courses:
    """Two courses of one journal partition that part at an offset.

    Order of calls: `together` up to where they part, `part`, `apart` to the end, `parts`.

    Args:
        partition: Journal partition.
        whatif: What the second course has otherwise.
        bags: Where differing effects are counted; one for all partitions.
        tenant: Fold this tenant only; empty: all.
    """

    def __init__(
        self, partition: int, whatif: WhatIf, bags: EffectBags, *, tenant: str = ""
    ) -> None:
        self._partition, self._whatif, self._bags = partition, whatif, bags
        self._fold = selected(fold, Selection(tenant))
        self._before = _Course(State())
        self._after = self._before

    def together(self, records: Sequence[Record]) -> None:
        """Fold consecutive records that lie before the courses part."""
        self._folded(self._before, records)

    def part(self, names: Sequence[Name], records: Sequence[Record]) -> None:
        """Let the second course begin with the first records it has of its own.

        Args:
            names: The definitions to inject before them.
            records: As `apart` takes them; at least one.
        """
        self._after = _Course(State.load(self._before.state.rows()))
        time_ms = decode_entry(records[0].value).time_ms
        injected = self._whatif.injected(names, at=records[0].offset, time_ms=time_ms)
        self._apart(records, injected)

    def apart(self, records: Sequence[Record]) -> None:
        """Fold consecutive records in both courses and weigh what they say."""
        self._apart(records, [])

    def _apart(self, records: Sequence[Record], injected: Sequence[Record]) -> None:
        before = self._folded(self._before, records)
        changed = [*injected, *self._whatif.applied_to(records)]
        self._bags.take(before, self._folded(self._after, changed))

    def _folded(self, course: _Course, records: Sequence[Record]) -> Effects:
        effects = self._fold(course.state, records, partition=self._partition)
        course.take(effects)
        return effects

    def parts(self) -> tuple[Parts, Parts]:
        """Return every metric bucket of both courses, closed hours with their last values."""
        return list(self._before.parts()), list(self._after.parts())


class _Course:
    """A state, and the last value of every hour that was open since the courses parted."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._hours: dict[bytes, bytes] = dict(state.tables[HOURS.prefix])

    def take(self, effects: Effects) -> None:
        for key, value in effects.metrics:
            if value is not None and key.split(b"|", 3)[2] == HOUR:
                self._hours[key] = value
        self.state.apply(effects)

    def parts(self) -> Iterator[tuple[MetricKey, MetricPartial]]:
        for values in (self.state.tables[METRICS.prefix], self._hours):
            for key, value in values.items():
                yield MetricKey.parse(key.decode()), decode_partial(value)
