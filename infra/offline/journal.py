"""Reads the journal by partition and range, quickly, in a consumer that is thrown away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from infra.commands.connect import RETRY_AFTER_S, TIMEOUT_S, admin, answer, answering, reader
from infra.commands.log_reader import STALL_S, assign, watermarks
from infra.offline.folding import JournalRecord
from infra.offline.points import Instant, cuts_of
from schemas.errors import CorruptLog, Unavailable
from schemas.topics import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from confluent_kafka import Message

    from infra.offline.points import Bounds, Point
    from infra.settings import Settings

BATCH = 5_000
"""Entries read, and folded, at once."""


class Journal:
    """The journal of an installation. Use as a context manager: it holds a consumer.

    The consumer is asked for exactly as many records as the range still has, so that `consume`
    returns as soon as they are there; end-of-partition events, which corrupt its position, are off.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer = reader(settings, **{"enable.partition.eof": False})
        self._id = ""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the consumer."""
        self._consumer.close()

    @property
    def id(self) -> str:
        """Kafka's id of the topic: one that was created again has another.

        Raises:
            ConfigurationError: there is no journal.
            Unavailable: the broker doesn't answer.
        """
        if not self._id:
            from confluent_kafka import TopicCollection

            self.bounds()  # names a missing topic
            client = admin(self._settings)
            future = client.describe_topics(TopicCollection([JOURNAL]))[JOURNAL]
            self._id = str(answer(future, f"describing {JOURNAL}").topic_id)
        return self._id

    def bounds(self) -> dict[int, Bounds]:
        """Return partition → (first offset, offset after the last), as they are now.

        Raises:
            ConfigurationError: there is no journal.
            Unavailable: the broker doesn't answer.
        """
        return watermarks(self._consumer, self._settings, JOURNAL)

    def cuts_at(self, point: Point, option: str = "--as-of") -> dict[int, int]:
        """Return partition → the offset up to which its entries are folded.

        A time is the wall clock of ingest, which every record of the journal carries: what was
        written before it, whatever the time of the events.

        Raises:
            ConfigurationError: the point isn't one of this journal.
            Unavailable: the broker doesn't answer.
        """
        from confluent_kafka import TopicPartition

        bounds = self.bounds()
        if not isinstance(point, Instant):
            return cuts_of(point, bounds, option)
        asked = [TopicPartition(JOURNAL, p, max(0, point.time_ms)) for p in bounds]
        with answering("Kafka"):
            found = self._consumer.offsets_for_times(asked, timeout=TIMEOUT_S)
        # Negative: no record is as late as that, so all of them are before it.
        return {
            at.partition: at.offset if at.offset >= 0 else bounds[at.partition][1] for at in found
        }

    def batches(
        self, partition: int, start: int, end: int, most: int = BATCH
    ) -> Iterator[list[JournalRecord]]:
        """Yield the entries of [`start`, `end`) of one partition, at most so many at once.

        Raises:
            CorruptLog: entries are missing.
            Unavailable: the broker stopped answering.
        """
        if start >= end:
            return
        assign(self._consumer, JOURNAL, {partition: start})
        heard = time.monotonic()
        while start < end:
            messages = self._consumer.consume(min(most, end - start), 1.0)
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > STALL_S:
                raise Unavailable("Kafka", RETRY_AFTER_S, f"reading {JOURNAL} stalled")
            records = [_record(message) for message in messages if not _failed(message, start)]
            if not records:
                continue
            if records[-1].offset - records[0].offset != len(records) - 1 or (
                records[0].offset != start
            ):
                raise CorruptLog(f"{JOURNAL} partition {partition}: entries after {start} are gone")
            start = records[-1].offset + 1
            yield records


def _record(message: Message) -> JournalRecord:
    value = message.value()
    return JournalRecord(message.offset() or 0, value if isinstance(value, bytes) else b"")


def _failed(message: Message, start: int) -> bool:
    """Tell whether a message is the news of a failure that passes by itself.

    Raises:
        CorruptLog: the offset isn't in the log any more.
        Unavailable: the client can't go on.
    """
    from confluent_kafka import KafkaError

    error = message.error()
    if error is None:
        return False
    if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - its name
        raise CorruptLog(f"{JOURNAL} partition {message.partition()}: offset {start} is gone")
    if error.fatal():
        raise Unavailable("Kafka", RETRY_AFTER_S, error.str())
    return True
