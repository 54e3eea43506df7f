"""Batches below the stream: one Faust event = consecutive records of one partition.

Faust costs about 100 µs per event whatever the event holds (three turns of the event loop, four
tasks), so the cure is to have fewer of them. `take()` doesn't: it gathers above that cost.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

import faust
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP, AppT, Message

from streams.runtime.guard import Links

Item = TypeVar("Item")


class Fetched(Protocol):
    """What we use of a record fetched by aiokafka."""

    @property
    def offset(self) -> int:
        """Offset in its partition."""

    @property
    def key(self) -> bytes | None:
        """Kafka key."""

    @property
    def value(self) -> bytes | None:
        """Value; None for a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Name and value; names may repeat."""

    @property
    def timestamp(self) -> int:
        """UTC ms."""

    @property
    def timestamp_type(self) -> int:
        """0 for the producer's clock, 1 for the broker's."""


def slices(records: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    """Cut records into consecutive runs of at most `most`.

    Examples:
        >>> list(slices([1, 2, 3], 2))
        [[1, 2], [3]]
    """
    for start in range(0, len(records), most):
        yield records[start : start + most]


class Batch:
    """Quacks like one aiokafka record (faust/transport/drivers/aiokafka.py, `_to_message`).

    Its `value` is itself, its offset the last record's, so that acking the event acks them all.

    Args:
        source: Topic and partition.
        records: Consecutive records of it, at least one.
        before: Offset read before the first of them, -1 for none (see `guard.Links`).
    """

    __slots__ = ("before", "offset", "partition", "records", "timestamp", "timestamp_type", "topic",
                 "value")  # fmt: skip

    headers: tuple[()] = ()
    key = None
    checksum = None
    serialized_key_size = 0
    serialized_value_size = 0

    def __init__(self, source: tuple[str, int], records: Sequence[Fetched], before: int) -> None:
        last = records[-1]
        self.topic, self.partition = source
        self.offset = last.offset
        self.timestamp, self.timestamp_type = last.timestamp, last.timestamp_type
        self.records = records
        self.before = before
        self.value = self

    @property
    def first(self) -> int:
        """Offset of the first record."""
        return self.records[0].offset


class Delivery(Protocol):
    """A Faust event that carries a batch."""

    @property
    def value(self) -> Batch:
        """The batch."""

    def ack(self) -> object:
        """Tell Faust that it is done."""


class BatchScheduler(DefaultSchedulingStrategy):
    """Wraps what one fetch brought into batches; subclassed per app for the size."""

    most = 5_000

    def __init__(self) -> None:
        self.links = Links()

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        """Return batches round robin over topics and partitions, as Faust does with records."""
        return super().iterate({tp: self._batches(tp, list(rs)) for tp, rs in records.items()})

    def _batches(self, tp: TP, records: Sequence[Fetched]) -> list[Batch]:
        source = (tp.topic, tp.partition)
        return [
            Batch(source, run, self.links.append(source, run[-1].offset))
            for run in slices(records, self.most)
        ]


def scheduler_of(most: int) -> type[BatchScheduler]:
    """Return the scheduler class that cuts at `most` records: Faust takes a class, no instance."""
    return type("SizedBatchScheduler", (BatchScheduler,), {"most": most})


class BatchSchema(faust.Schema[Any, Any]):
    """Hands batches through undecoded: a decode error inside Faust would skip the record."""

    def compile(self, app: AppT, **_options: Any) -> Callable[..., Awaitable[Any]]:
        """Return the function that makes an event of a message."""

        async def decode(message: Message, *, propagate: bool = False) -> Any:  # noqa: ARG001
            value = cast("Any", message.value)
            return app.create_event(cast("Any", None), value, message.headers, message)

        return decode
