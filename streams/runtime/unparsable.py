"""Records aiokafka can't parse: what is before them is delivered, and they are named.

Kafka takes any bytes as a header's name, aiokafka insists on UTF-8; a wrong checksum ends the same
way. Its parser then raises without a coordinate and drops the records it had parsed before. Here
a fetch ends in front of such a record, so that everything before it is written and committed, and
only the fetch that begins there raises.
"""

import traceback
from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher  # type: ignore[import-untyped]


class RecordParseError(Exception):
    """A record can't be parsed; an operator decides what becomes of it.

    Args:
        coordinates: `topic`, `partition`, `offset` (the next one to read: the record's own, unless
            the reader was moved into the middle of its batch), and, if the batch could be opened,
            `batch_first`, `batch_last`, `skip_to`. A batch is parsed from its first record on,
            so the offset to go on from is behind the whole batch.
    """

    def __init__(self, coordinates: dict[str, object]) -> None:
        super().__init__("a record can't be parsed")
        self.coordinates = coordinates


class ReadablePrefix(fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of one fetch up to the first that can't be parsed."""

    def _unpack_records(self) -> Iterator[Any]:
        began = self.next_fetch_offset
        try:
            yield from super()._unpack_records()
        except Exception as error:
            if self.next_fetch_offset > began:
                return  # the next fetch begins at the record, and raises
            raise RecordParseError(self._coordinates(error)) from error

    def _coordinates(self, error: Exception) -> dict[str, object]:
        found: dict[str, object] = {
            "topic": self._tp.topic,
            "partition": self._tp.partition,
            "offset": self.next_fetch_offset,
        }
        for frame, _ in traceback.walk_tb(error.__traceback__):
            batch = frame.f_locals.get("next_batch")
            if batch is not None:
                found["batch_first"] = batch.base_offset
                found["batch_last"] = batch.next_offset - 1
                found["skip_to"] = batch.next_offset
        return found


def install() -> None:
    """Make aiokafka's fetchers use `ReadablePrefix`: they take the class from their module."""
    fetcher.PartitionRecords = ReadablePrefix
