"""How far the worker got: the heads it writes into its state topic with every transaction."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from infra.commands.connect import RETRY_AFTER_S, reader
from infra.commands.log_reader import LogRecord, assign, is_end, to_record, watermarks
from infra.generations.registry import app_in
from schemas.codec import decode_row
from schemas.errors import Unavailable
from schemas.state.rows import Head
from schemas.topics import state_topic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from infra.settings import Settings

HEAD_KEY = b"!head"
TAIL_RECORDS = 5_000
"""Read back from the end to find a first head; a transaction writes its head last."""
REFRESH_S = 10.0


class Heads:
    """The newest head of each journal partition; `refresh` reads what came since.

    Of the generation the settings mean. Use as a context manager: it holds a consumer.
    """

    def __init__(self, settings: Settings) -> None:
        self._topic = state_topic(app_in(settings))
        self._consumer = reader(settings)
        self._marks = watermarks(self._consumer, settings, self._topic)
        self._heads: dict[int, Head] = {}
        self._from_start = False
        self._begin({p: max(low, high - TAIL_RECORDS) for p, (low, high) in self._marks.items()})

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

    def refresh(self) -> Mapping[int, Head]:
        """Return partition → newest head; an empty `Head` for one that was never written.

        Raises:
            Unavailable: the broker stopped answering.
        """
        self._drain()
        if len(self._heads) < len(self._marks) and not self._from_start:
            self._from_start = True  # a transaction larger than the tail: rare, so read it all
            self._begin({p: low for p, (low, _) in self._marks.items()})
            self._drain()
        return {p: self._heads.get(p, Head()) for p in self._marks}

    def _begin(self, offsets: Mapping[int, int]) -> None:
        assign(self._consumer, self._topic, offsets)
        self._behind = set(offsets)

    def _drain(self) -> None:
        """Read to the end of every partition once, then whatever has already arrived."""
        deadline = time.monotonic() + REFRESH_S
        while True:
            message = self._consumer.poll(0.2 if self._behind else 0)
            if message is None:
                if not self._behind:
                    return
            elif is_end(message):
                self._behind.discard(int(message.partition() or 0))
            elif message.error() is None:
                self._keep(to_record(message))
            if time.monotonic() > deadline:
                raise Unavailable("Kafka", RETRY_AFTER_S, f"reading {self._topic} stalled")

    def _keep(self, record: LogRecord) -> None:
        if record.key == HEAD_KEY and record.value is not None:
            self._heads[record.partition] = decode_row(Head, record.value)
