"""The journal is dense, and a source is read without holes: proof at the last moment. Pure.

Faust can drop records between a seek and its queue being cleared (seen on a real broker: records
0..3119 of a partition were gone). Nothing downstream could notice, so nothing is folded that does
not follow what was folded before it.
"""

from schemas.errors import CorruptLog


def admit(partition: int, expected: int, first: int, last: int, count: int) -> int:
    """Decide how much of a batch of journal entries is new.

    Args:
        partition: Journal partition, for the message.
        expected: Offset of the next entry to fold.
        first: Offset of the batch's first entry.
        last: Offset of its last one.
        count: How many entries it holds.

    Returns:
        How many entries at its start were folded already and must be skipped (0 … `count`).

    Raises:
        CorruptLog: It starts after `expected`, or has a hole.

    Examples:
        >>> admit(0, 5, 5, 9, 5)
        0
        >>> admit(0, 5, 3, 9, 7)
        2
        >>> admit(0, 5, 0, 4, 5)
        5
    """
    if last - first + 1 != count:
        raise CorruptLog(
            f"journal partition {partition}: {count} entries at offsets {first}..{last}, not dense"
        )
    if first > expected:
        raise CorruptLog(
            f"journal partition {partition}: expected offset {expected}, got {first}..{last}"
        )
    return min(expected - first, count)


def check_follows(partition: int, applied: int, first: int, last: int, count: int) -> None:
    """Refuse to fold entries that don't begin right behind the state, or that have a hole.

    Args:
        partition: Journal partition.
        applied: Last offset in the state; -1 for none.
        first: Offset of the first entry to fold.
        last: Offset of the last one.
        count: How many entries.

    Raises:
        CorruptLog: They don't follow. Whoever gathered them is at fault, not the journal.
    """
    if first != applied + 1 or last - first + 1 != count:
        raise CorruptLog(
            f"journal partition {partition}: offset {applied} was folded last, and {count} entries "
            f"at {first}..{last} don't follow it"
        )


def check_bounds(partition: int, applied: int, low: int, high: int) -> None:
    """Refuse a journal that can't continue what is applied.

    Args:
        partition: Journal partition.
        applied: Last offset in the state; -1 for none.
        low: First offset the broker still has.
        high: One past the last.

    Raises:
        CorruptLog: Retention passed the position, or the log was replaced by a shorter one.
    """
    if low > applied + 1:
        raise CorruptLog(
            f"journal partition {partition}: entries {applied + 1}..{low - 1} were deleted before "
            "they were folded; the state can't be continued, replay from a complete journal"
        )
    if applied >= high:
        raise CorruptLog(
            f"journal partition {partition}: offset {applied} was folded but the log ends at "
            f"{high}; the topic was created again, use a new app id"
        )


def check_changelog(partition: int, applied: int, low: int, committed: int | None) -> None:
    """Refuse a changelog that has lost rows: what is missing would be taken for never written.

    Args:
        partition: Journal partition.
        applied: Last offset in the state that was loaded; -1 for none.
        low: First offset of the changelog. Compaction leaves it at 0; only deletion moves it.
        committed: The group's journal offset: advisory where there is a state, but where there is
            none it tells that there was one. None: the group never committed, or was forgotten.

    Raises:
        CorruptLog: The state is gone, or a part of it.
    """
    if low > 0:
        raise CorruptLog(
            f"journal partition {partition}: the state topic begins at offset {low}, rows before "
            "were deleted; it must be compacted and nothing else; replay into a new app id"
        )
    if applied < 0 and committed:
        raise CorruptLog(
            f"journal partition {partition}: the state topic is empty, but the group has folded up "
            f"to offset {committed}; it was deleted; restore it, or use a new app id"
        )


class Links:
    """Chain of the batches of each source partition, for logs with holes.

    Upstream topics may be compacted or transactional, so density proves nothing there. Instead
    each batch names the offset read before it, and the reader compares that with what it took
    last. The two sides are reset together by a seek.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[tuple[str, int], int] = {}

    def seek(self, source: tuple[str, int], offset: int) -> None:
        """Start again: the next batch follows `offset - 1`, whatever offset it has."""
        self._last[source] = offset - 1

    def append(self, source: tuple[str, int], last: int) -> int:
        """Note that records up to `last` were read; return the offset read before (-1: none)."""
        before = self._last.get(source, -1)
        self._last[source] = last
        return before

    def follow(self, source: tuple[str, int], before: int, last: int) -> None:
        """Take a batch that follows `before`.

        Raises:
            CorruptLog: Something between was read and not delivered.
        """
        mine = self._last.get(source, -1)
        if before != mine:
            topic, partition = source
            raise CorruptLog(
                f"{topic} partition {partition}: records after {mine} up to {before} were read "
                "and lost on the way"
            )
        self._last[source] = last
