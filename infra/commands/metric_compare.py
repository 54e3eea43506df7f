"""Three views of the same metric buckets, compared exactly. Pure.

Every partial carries the journal offset at which it last changed, in Valkey, in ClickHouse and in
the fold alike, whatever the batches were. So a store is compared at its own offset, and traffic
that goes on meanwhile disturbs nothing: a bucket that stands behind the fold's end is stale, one
that stands beyond it is compared with the fold as it was exactly there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from schemas.derived.metric import MetricKey, MetricPartial


class Part(NamedTuple):
    """One bucket's part in one journal partition."""

    partition: int
    key: MetricKey


@dataclass(slots=True)
class Folded:
    """What the offline fold says.

    Args:
        at_end: Part → value when the fold stood at the agreed end of the journal.
        later: Part → offset → value, at the offsets beyond the end that some store stands at.
        closed: Parts that were hour buckets and are forgotten; `at_end` keeps their last value.
    """

    at_end: dict[Part, MetricPartial] = field(default_factory=dict)
    later: dict[Part, dict[int, MetricPartial]] = field(default_factory=dict)
    closed: set[Part] = field(default_factory=set)


class Difference(NamedTuple):
    """One bucket that two views disagree about.

    Args:
        store: `Valkey` or `ClickHouse`.
        part: Which.
        stored: What the store has; None: nothing.
        folded: What the fold says; None: nothing.
    """

    store: str
    part: Part
    stored: MetricPartial | None
    folded: MetricPartial | None

    def text(self) -> str:
        """Return one line for people."""
        return (
            f"{self.store}: {self.part.key.text()} partition {self.part.partition}: "
            f"stored {_short(self.stored)}, folded {_short(self.folded)}"
        )


def differences(
    store: str,
    stored: Mapping[Part, MetricPartial],
    folded: Folded,
    ends: Mapping[int, int],
    *,
    keeps_closed: bool,
) -> list[Difference]:
    """Return every part a store and the fold disagree about.

    Args:
        store: Its name.
        stored: Part → value.
        folded: The fold of the whole journal.
        ends: Journal partition → end up to which both must have come.
        keeps_closed: Whether the store keeps hour buckets that are closed (ClickHouse does).
    """
    found = [
        Difference(store, part, value, expected)
        for part, value in stored.items()
        if (expected := _expected(part, value, folded, ends)) != value
    ]
    missing = (
        Difference(store, part, None, value)
        for part, value in folded.at_end.items()
        if part not in stored and (keeps_closed or part not in folded.closed)
    )
    return sorted([*found, *missing], key=lambda d: (d.part.key.text(), d.part.partition))


def cuts(
    stores: Iterable[Mapping[Part, MetricPartial]], partition: int, end: int, last: int
) -> list[int]:
    """Return the offsets the fold of a partition must stop at, ascending: the end, then beyond.

    Args:
        stores: What each store holds.
        partition: Journal partition.
        end: Its agreed end; the fold stops at the entry before it.
        last: Its end after the stores were read; the last entry the fold takes is before it.
    """
    beyond = {
        value.offset
        for stored in stores
        for part, value in stored.items()
        if part.partition == partition and value.offset >= end
    }
    return sorted(offset for offset in {end - 1, last - 1} | beyond if offset >= 0)


def _expected(
    part: Part, value: MetricPartial, folded: Folded, ends: Mapping[int, int]
) -> MetricPartial | None:
    if value.offset < ends.get(part.partition, 0):
        return folded.at_end.get(part)
    return folded.later.get(part, {}).get(value.offset)


def _short(value: MetricPartial | None) -> str:
    if value is None:
        return "nothing"
    return f"count {value.count} sum {value.sum} at offset {value.offset}"
