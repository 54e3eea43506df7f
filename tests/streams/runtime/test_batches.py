"""Batches below the stream."""

from dataclasses import dataclass, field

from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.batches import Batch, scheduler_of

JOURNAL = TP("journal.v1", 1)


@dataclass
class Record:
    """A fetched record."""

    offset: int
    key: bytes | None = None
    value: bytes | None = b""
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    timestamp: int = 5
    timestamp_type: int = 0


@given(st.integers(1, 40), st.integers(1, 9))
def test_batches_hold_every_record_once_in_order(count: int, most: int) -> None:
    """Cutting changes nothing but where events begin; each is at most as large as asked."""
    made = [
        b for _, b in scheduler_of(most)().iterate({JOURNAL: [Record(i) for i in range(count)]})
    ]
    assert [record.offset for batch in made for record in batch.records] == list(range(count))
    assert all(len(batch.records) <= most for batch in made)
    assert all(batch.offset == batch.records[-1].offset for batch in made)


def test_each_batch_names_the_offset_read_before_it() -> None:
    """Over fetches and holes the chain of batches is unbroken."""
    scheduler = scheduler_of(2)()
    first = [b for _, b in scheduler.iterate({JOURNAL: [Record(4), Record(5), Record(9)]})]
    second = [b for _, b in scheduler.iterate({JOURNAL: [Record(20)]})]
    assert [batch.before for batch in first + second] == [-1, 5, 9]


def test_partitions_take_turns() -> None:
    """A full partition doesn't hold the others up."""
    other = TP("journal.v1", 2)
    fetched = {JOURNAL: [Record(i) for i in range(4)], other: [Record(0)]}
    order = [tp.partition for tp, _ in scheduler_of(1)().iterate(fetched)]
    assert order.index(2) < 3


def test_batch_is_its_own_value() -> None:
    """What Faust passes on as the message's value is the batch, with the last record's offset."""
    batch = Batch(("journal.v1", 1), [Record(7), Record(8)], 6)
    assert batch.value is batch
    assert (batch.topic, batch.partition, batch.first, batch.offset) == ("journal.v1", 1, 7, 8)
    assert batch.timestamp == 5
