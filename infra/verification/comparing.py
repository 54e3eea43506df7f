"""Metric buckets of one partition in several views, compared where they stand. Pure.

Every value carries the journal offset at which it last changed, in every view alike, whatever the
batches were. So each is compared at its own offset, and traffic that goes on disturbs nothing: a
value below the agreed cut must be the fold's value at the cut, one beyond it the fold's value
exactly there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from infra.verification.sums import SEPARATOR, Sum, hash_of, text_of
from infra.verification.tally import CLOSED_HOURS, DAY_MS, Group, metric_row_of
from schemas.codec import decode_partial
from schemas.derived.metric import MetricKey
from sinks.mapping.records import TIME_MAX_MS, TIME_MIN_MS
from sinks.mapping.tables import METRIC_TABLE
from streams.domain.table import HOURS, METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from infra.offline.folding import JournalRecord
    from streams.domain.effects import Effects
    from streams.domain.state import State

TABLE, CLICKHOUSE, VALKEY, FOLD = "table", "ClickHouse", "Valkey", "fold"
Parts = dict[bytes, bytes]
"""Key of a bucket's row in the fold's tables → encoded value."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is reconciled.

    Args:
        tenant: Whose; empty: everybody's.
        start_ms: Buckets and facts from then on, UTC ms; the all-time bucket always.
        end_ms: And before then.
    """

    tenant: str = ""
    start_ms: int = TIME_MIN_MS
    end_ms: int = TIME_MAX_MS

    def holds_key(self, raw: bytes) -> bool:
        """Whether a bucket is compared, by its key."""
        tenant, _, grain, bucket, _ = raw.split(b"|", 4)
        if self.tenant and tenant != self.tenant.encode():
            return False
        return grain == b"all" or self.start_ms <= int(bucket) < self.end_ms

    def holds(self, group: Group) -> bool:
        """Whether a group of facts is compared: its day begins in the period."""
        mine = not self.tenant or group.tenant == self.tenant
        return mine and self.start_ms <= group.day * DAY_MS < self.end_ms


class Differing(NamedTuple):
    """One bucket that a view and the fold disagree about.

    Args:
        view: Name of the view.
        key: Of the bucket.
        stored: What the view has; None: nothing.
        folded: What the fold says; None: nothing.
    """

    view: str
    key: bytes
    stored: bytes | None
    folded: bytes | None


class Total(NamedTuple):
    """What is added up for the report: one metric of a tenant in one grain."""

    tenant: str
    metric: str
    grain: str


@dataclass(slots=True)
class Comparison:
    """The buckets of one partition; it watches the offline fold that they are compared with.

    Call `at_end` when the fold stands at `end`, `at_stop` at each of `stops()`, then `finish`.

    Args:
        partition: Of the journal.
        generation: Of all views.
        end: Agreed cut: every view has passed it.
        scope: Which buckets.
        views: Name → what it holds.
        found: The differences.
        sums: View (and `fold`) → total → parts and hashes at the cut; equal where views agree.
    """

    partition: int
    generation: int
    end: int
    scope: Scope
    views: Mapping[str, Parts]
    found: list[Differing] = field(default_factory=list)
    sums: dict[str, dict[Total, Sum]] = field(default_factory=dict)
    closed_in_clickhouse: dict[Group, Sum] = field(default_factory=dict)
    _ahead: dict[int, list[tuple[str, bytes, bytes]]] = field(default_factory=dict)
    _missing: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    _at_end: Parts = field(default_factory=dict)
    _published: Parts = field(default_factory=dict)
    _closed: set[bytes] = field(default_factory=set)

    def watch(self, records: Sequence[JournalRecord], state: State, effects: Effects) -> None:
        """Remember what the last batch said, and what closed behind the cut."""
        _ = state
        if records[-1].offset >= self.end:
            self._published = {k: v for k, v in effects.metrics if v is not None}
            self._closed.update(key for key, value in effects.metrics if value is None)

    def at_end(self, state: State) -> None:
        """Compare what stands below the cut; put aside what is beyond."""
        for table in (METRICS, HOURS):
            for key, value in state.tables[table.prefix].items():
                if self.scope.holds_key(key):
                    self._at_end[key] = value
        for key, value in self._at_end.items():
            self._add(FOLD, key, value)
        for view, parts in self.views.items():
            for key, raw in parts.items():
                self._compare(view, key, raw)
            self._missing[view] = {
                key: value for key, value in self._at_end.items() if key not in parts
            }
        for key, value in self._at_end.items():
            if not representable(key):  # ClickHouse's row is one of several: nothing to tell by
                self._missing[CLICKHOUSE].pop(key, None)
                self._add(CLICKHOUSE, key, value)

    def _compare(self, view: str, key: bytes, raw: bytes) -> None:
        if view == CLICKHOUSE and not representable(key):
            return
        expected = self._at_end.get(key)
        if raw == expected:
            self._add(view, key, expected)
            return
        offset = decode_partial(raw).offset
        if offset >= self.end:
            self._ahead.setdefault(offset, []).append((view, key, raw))
        elif expected is None and view == CLICKHOUSE and grain_of(key) == b"hour":
            self._add_closed(key, raw)
        elif expected is not None and decode_partial(raw) == decode_partial(expected):
            self._add(view, key, expected)  # an older schema's bytes
        else:
            self.found.append(Differing(view, key, raw, expected))

    def stops(self) -> set[int]:
        """Return where the fold must end a batch: behind each entry a view stands at."""
        return {offset + 1 for offset in self._ahead}

    def at_stop(self, offset: int) -> None:
        """Compare what stands at the entry before `offset`, where the fold stands now."""
        for view, key, raw in self._ahead.pop(offset - 1, ()):
            expected = self._published.get(key)
            if expected is None or decode_partial(raw) != decode_partial(expected):
                self.found.append(Differing(view, key, raw, expected))
            elif key in self._at_end:
                # It agrees where it stands, so it agrees at the cut, which it has passed.
                self._add(view, key, self._at_end[key])

    def finish(self) -> list[Differing]:
        """Return all differences: also what was never reached, and what is missing.

        Valkey and the table forget an hour when it closes, ClickHouse never does.
        """
        for left in self._ahead.values():
            self.found += [Differing(view, key, raw, None) for view, key, raw in left]
        for view, missing in self._missing.items():
            for key, value in missing.items():
                if view != CLICKHOUSE and key in self._closed:
                    self._add(view, key, value)
                else:
                    self.found.append(Differing(view, key, None, value))
        return sorted(self.found, key=lambda each: (each.key, each.view))

    def _add(self, view: str, key: bytes, value: bytes) -> None:
        tenant, metric, grain, _ = key.decode().split("|", 3)
        sums = self.sums.setdefault(view, {})
        total = Total(tenant, metric, grain)
        hashed = hash_of(b"%b%b%b%b%d" % (key, _SEPARATOR, value, _SEPARATOR, self.partition))
        sums[total] = sums.get(total, Sum()).plus(1, hashed)

    def _add_closed(self, key: bytes, raw: bytes) -> None:
        row = metric_row_of(key, raw, self.generation)
        if row is not None:
            group = Group(CLOSED_HOURS, row[0], row[1], row[3] // DAY_MS)
            hashed = hash_of(text_of(row, METRIC_TABLE, self.partition))
            known = self.closed_in_clickhouse.get(group, Sum())
            self.closed_in_clickhouse[group] = known.plus(1, hashed)


_SEPARATOR = SEPARATOR.encode()


def grain_of(key: bytes) -> bytes:
    """Return the grain of a bucket."""
    return key.split(b"|", 3)[2]


def representable(key: bytes) -> bool:
    """Whether ClickHouse can tell the bucket from its neighbours: others are clamped together."""
    return TIME_MIN_MS < MetricKey.parse(key.decode()).bucket_ms < TIME_MAX_MS


def differing_groups(
    folded: Mapping[Group, Sum], stored: Mapping[Group, Sum]
) -> Iterator[tuple[Group, Sum, Sum]]:
    """Yield (group, stored, folded) where two tallies disagree, in order."""
    for group in sorted({*folded, *stored}):
        one, other = stored.get(group, Sum()), folded.get(group, Sum())
        if one != other:
            yield group, one, other
