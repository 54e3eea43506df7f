"""A fold of a part: one tenant, or some metrics. Such a generation can be compared, never promoted.

Whoever doubts one tenant's figures need not wait until everybody's history has been folded again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.codec import decode_entry, encode_entry
from schemas.journal import DEFINITION, TICK, Entry
from streams.domain.effects import Effects
from streams.domain.fold import Fold, Record
from streams.domain.state import State


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of the journal is folded, and what of the result is published.

    Args:
        tenant: The only tenant whose entries count; empty: every tenant's.
        metrics: The only metrics published; empty: all. State and effects are those of all,
            because a metric is made of facts that others share.
    """

    tenant: str = ""
    metrics: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Tell whether nothing is left out."""
        return not (self.tenant or self.metrics)


class Altered(NamedTuple):
    """A record of the journal whose entry says something else on its way to a fold."""

    offset: int
    value: bytes


def selected(fold: Fold, selection: Selection) -> Fold:
    """Return a fold of the selected part of the journal.

    Entries of other tenants move the position and the source high-waters, ticks pass as they are:
    the head stands where that of a whole fold stands, but for its effect number. The tenant's rows
    and metric buckets are equal to those of the whole fold byte for byte, and so are its effects,
    except for their places among what is no longer there: `seq` counts what is written, and an
    effect of a timer has an `index` (so an `id`) that counts the effects of its tick.

    One case is left: when more than `batch.MAX_FIRED` timers are due at one tick, those of other
    tenants no longer push the tenant's to the next one.
    """
    if selection.whole:
        return fold

    def fold_selected(
        state: State, records: Sequence[Any], *, partition: int, generation: int = 1
    ) -> Effects:
        if selection.tenant:
            records = list(_silenced(records, selection.tenant))
        effects = fold(state, records, partition=partition, generation=generation)
        if selection.metrics:
            effects.metrics = [
                (key, value) for key, value in effects.metrics if _metric(key) in selection.metrics
            ]
        return effects

    return fold_selected


def _silenced(records: Iterable[Record], tenant: str) -> Iterator[Record]:
    for record in records:
        entry = decode_entry(record.value)
        if entry.tenant == tenant or entry.kind == TICK:
            yield record
        else:
            yield Altered(record.offset, encode_entry(_without_word(entry)))


def _without_word(entry: Entry) -> Entry:
    """Return an entry of no type: no module folds it and no subject remembers it."""
    return Entry(
        DEFINITION,
        copy=entry.copy,
        id="",
        type="",
        source="",
        tenant="",
        subject="",
        time_ms=entry.time_ms,
        recorded_ms=entry.recorded_ms,
        origin_topic=entry.origin_topic,
        origin_partition=entry.origin_partition,
        origin_offset=entry.origin_offset,
    )


def _metric(key: bytes) -> str:
    """Return the metric of a bucket's key."""
    return key.split(b"|", 2)[1].decode()
