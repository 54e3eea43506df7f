"""What a lane takes into one transaction."""

from collections import deque
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.batches import Batch
from streams.runtime.lane import Inbox


@dataclass
class Record:
    """A fetched record."""

    offset: int
    value: bytes | None = b"x" * 10
    key: bytes | None = None
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    timestamp: int = 0
    timestamp_type: int = 0


@dataclass
class Event:
    """A Faust event."""

    value: Batch

    def ack(self) -> None:
        """Acknowledge."""


def filled(sizes: list[int]) -> Inbox:
    """Return an inbox with batches of these sizes."""
    inbox, offset = Inbox(deque()), 0
    for size in sizes:
        records = [Record(offset + number) for number in range(size)]
        inbox.add(Event(Batch(("journal.v1", 0), list(records), offset - 1)), list(records))
        offset += size
    return inbox


@given(st.lists(st.integers(1, 20), min_size=1, max_size=12), st.integers(1, 40))
def test_everything_comes_out_once_in_order(sizes: list[int], most: int) -> None:
    """Taking until it is empty gives every entry in order, in whole batches."""
    inbox, offsets = filled(sizes), []
    while inbox.batches:
        events, records = inbox.take(most, 10**9)
        assert len(records) <= most or len(events) == 1
        offsets += [record.offset for record in records]
    assert offsets == list(range(sum(sizes)))
    assert inbox.entries == 0


def test_bytes_bound_a_transaction() -> None:
    """Large entries make small transactions: taking stops at the batch that passes the limit."""
    events, records = filled([3, 3, 3]).take(1_000, 50)
    assert (len(events), len(records)) == (2, 6)
