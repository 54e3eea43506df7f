"""What must have come of one journal partition: an offline fold, entry by entry. Pure."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.derived.metric import published_key
from streams.domain.effects import Effects
from streams.domain.fold import fold
from streams.domain.state import State
from tests.exactness.verdict import Verdict


class JournalRecord(NamedTuple):
    """A journal record as the fold takes it."""

    offset: int
    value: bytes


class Trail:
    """Checks the published values of metric buckets against every value the fold passed through.

    Batches conflate: of the values a bucket takes within one transaction only the last is
    published. So what is in the log must be a subsequence of what the fold says, entry by entry,
    and end with its last value; a value told twice, or one that never was, is neither.

    Args:
        records: Key and value of the committed records of one partition, in order.
    """

    def __init__(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        self._left: defaultdict[bytes, deque[bytes | None]] = defaultdict(deque)
        self._open: set[bytes] = set()
        self.records = 0
        for key, value in records:
            self._left[key].append(value)
            self.records += 1

    def follow(self, key: bytes, value: bytes | None) -> None:
        """Take the next value the fold gives a bucket; None: the bucket is closed."""
        left = self._left[key]
        if left and left[0] == value:
            left.popleft()
            self._open.discard(key)
        else:
            self._open.add(key)

    def finish(self, verdict: Verdict) -> None:
        """Note what is in the log without reason, and last values that aren't."""
        verdict.compared["metric records"] += self.records
        for key, left in self._left.items():
            if left:
                verdict.wrong(f"metric {key!r}: {len(left)} records too many, first {left[0]!r}")
        for key in sorted(self._open):
            verdict.wrong(f"metric {key!r}: its last value is missing")


@dataclass(slots=True)
class Folded:
    """What the fold of a partition says.

    Args:
        state: After the last entry.
        effects: (key, kind, value) of every effect, in order.
    """

    state: State = field(default_factory=State)
    effects: list[tuple[bytes, str, bytes]] = field(default_factory=list)


def steps(
    state: State, journal: Iterable[JournalRecord], *, partition: int, generation: int
) -> Iterator[Effects]:
    """Fold entry by entry, applying each to the state after it was yielded."""
    for record in journal:
        effects = fold(state, [record], partition=partition, generation=generation)
        yield effects
        state.apply(effects)


def follow(
    journal: Iterable[JournalRecord], trail: Trail, *, partition: int, generation: int
) -> Folded:
    """Fold a journal partition, checking metric records on the way."""
    folded = Folded()
    for effects in steps(folded.state, journal, partition=partition, generation=generation):
        for key, value in effects.metrics:
            trail.follow(published_key(generation, key), value)
        folded.effects += effects.effects
    return folded
