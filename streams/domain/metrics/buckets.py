"""Metric buckets in the hands of the fold: those known from before, those a batch touches."""

from collections.abc import Mapping

from schemas.codec import decode_partial
from streams.domain.metrics.accumulator import Accumulator
from streams.domain.metrics.record import Observation

Groups = dict[str, dict[str, Accumulator]]
"""Start of a key (`tenant|metric|grain|bucket_ms|`) → `dimension|member` → bucket.

In two steps, because an observation names one start and several members: its keys then need
neither be put together nor encoded (a quarter of the fold's time was spent on that).
"""

KNOWN_MAX = 50_000
"""Buckets of a partition kept decoded, about 400 bytes each."""


class KnownBuckets:
    """Committed buckets that were touched lately, decoded.

    The same buckets are touched by batch after batch: copying one takes a fifth of the time that
    decoding it takes. Whatever is in here equals the row in the state's table; it may be forgotten
    at any time.

    Args:
        most: Buckets to keep; all are forgotten when there are more.
    """

    __slots__ = ("_most", "_size", "groups")

    def __init__(self, most: int = KNOWN_MAX) -> None:
        self._most = most
        self._size = 0
        self.groups: Groups = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return self._size

    def clear(self) -> None:
        """Forget all."""
        self.groups = {}
        self._size = 0

    def merge(self, touched: Groups, closed: set[str]) -> None:
        """Take in what a committed batch has touched.

        Args:
            touched: Nobody changes these any more.
            closed: Starts of the keys that were deleted before that.
        """
        groups = self.groups
        for start in closed:  # determinism: removals, in any order
            self._size -= len(groups.pop(start, ()))
        for start, members in touched.items():
            known = groups.get(start)
            if known is None:
                groups[start] = members
                self._size += len(members)
            else:
                before = len(known)
                known.update(members)
                self._size += len(known) - before
        if self._size > self._most:
            self.clear()


class TouchedBuckets:
    """Working copies of the buckets of one table that a batch changes.

    Args:
        known: Decoded ones; only read.
        stored: The state's table: key → encoded bucket; only read.

    Attributes:
        groups: Those touched and not closed since.
        touched: Key → bucket, in the order they were touched first; None for a closed one.
    """

    __slots__ = ("_known", "_stored", "groups", "touched")

    def __init__(self, known: Groups, stored: Mapping[bytes, bytes]) -> None:
        self._known = known
        self._stored = stored
        self.groups: Groups = {}
        self.touched: dict[bytes, Accumulator | None] = {}

    def observe(self, observation: Observation, offset: int) -> bool:
        """Change the buckets of one observation; tell whether one of them is new."""
        start, members, _, number, amount, sketch = observation
        group = self.groups.get(start)
        if group is None:
            group = self.groups[start] = {}
        fresh = False
        # `Accumulator.add` written out for what nine of ten observations are: this is the
        # innermost loop, five buckets for each entry, and the call takes longer than its work.
        plain = number == 1 and not sketch
        for member in members:
            it = group.get(member)
            if it is None:
                it = group[member] = self._open(start, member)
                fresh = fresh or it.offset < 0
            it.offset = offset
            if plain and it.count > 0:
                it.count += 1
                it.sum += amount
                if amount < it.min:
                    it.min = amount
                elif amount > it.max:
                    it.max = amount
            else:
                it.add(number, amount, sketch=sketch)
        return fresh

    def _open(self, start: str, member: str) -> Accumulator:
        """Return a working copy of a bucket as it is stored, or a new one."""
        touched = self.touched
        members = self._known.get(start)
        known = None if members is None else members.get(member)
        if known is not None:
            # One touched before and not in its group was closed: it begins anew.
            it = Accumulator(known.key) if known.key in touched else known.copy()
        else:
            key = (start + member).encode()
            raw = None if key in touched else self._stored.get(key)
            it = Accumulator(key) if raw is None else Accumulator.of(decode_partial(raw), key)
        touched[it.key] = it
        return it

    def close(self, tenant: str, bucket_ms: int, stored: set[bytes]) -> list[Accumulator]:
        """Forget a tenant's buckets of one hour.

        Args:
            tenant: Tenant id.
            bucket_ms: Start of the hour, UTC ms.
            stored: Keys of those in the state.

        Returns:
            The last values of those touched in this batch, by key.
        """
        prefix, middle = f"{tenant}|".encode(), f"|hour|{bucket_ms}|".encode()
        here = {key for key in self.touched if key.startswith(prefix) and middle in key}
        last = []
        for key in sorted(stored | here):
            it = self.touched.get(key)
            if it is not None:
                last.append(it)
            self.touched[key] = None
            self.groups.pop(start_of(key), None)
        return last


def start_of(key: bytes) -> str:
    """Return the start of a bucket's key.

    >>> start_of(b"acme|deals_won|hour|3600000|agent|ann")
    'acme|deals_won|hour|3600000|'
    """
    return b"|".join(key.split(b"|", 4)[:4]).decode() + "|"
