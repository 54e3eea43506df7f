"""Watching the registry while a process runs: is what it follows still the live generation?"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import structlog

from infra.commands.connect import kafka_config
from schemas.codec import decode_generation
from schemas.errors import DaybookError
from schemas.generation import ABORTED, DROPPED, LIVE, Registry
from schemas.topics import GENERATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Consumer, Message

    from infra.settings import Settings

POLL_S = 1.0
WAIT_MS = 5_000
"""How long the broker may hold a request while nothing is promoted; a promotion is told at once."""

log = structlog.get_logger(__name__)


class Following:
    """A thread that reads the registry to its end and goes on reading.

    It asks the process to stop, by SIGTERM to itself, when its generation isn't the one to work on
    any more: another one was promoted (a regular process) or it was given up (one of a replay).

    Args:
        settings: Where Kafka is, and of which installation.
        number: The generation the process works on.
        regular: Whether it follows the live generation, whichever that is.
        mend: Called, with the registry, each time it was read to its end and `number` is live:
            repairs a pointer that a promotion left behind. It is called again after a
            `DaybookError`.

    Attributes:
        outdated: Whether the process was asked to stop.
    """

    def __init__(
        self,
        settings: Settings,
        number: int,
        *,
        regular: bool,
        mend: Callable[[Registry], None] | None = None,
    ) -> None:
        self._settings, self._number, self._regular = settings, number, regular
        self._mend = mend
        self._mended = mend is None
        self._registry = Registry(settings.app)
        self.outdated = False

    def start(self) -> None:
        """Start the thread; it dies with the process."""
        threading.Thread(target=self._run, name="generations", daemon=True).start()

    def _run(self) -> None:
        consumer = self._reader()
        at_end = False
        while not self.outdated:
            message = consumer.poll(POLL_S)
            if message is not None:
                at_end = self._take(message)
            if at_end:
                self._judge()

    def _reader(self) -> Consumer:
        from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

        consumer = Consumer(
            kafka_config(
                self._settings,
                **{
                    "group.id": f"{self._settings.app}-generations",
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "enable.partition.eof": True,
                    "isolation.level": "read_committed",
                    "auto.offset.reset": "earliest",
                    "fetch.wait.max.ms": WAIT_MS,
                },
            )
        )
        consumer.assign([TopicPartition(GENERATION, 0, OFFSET_BEGINNING)])
        return consumer

    def _take(self, message: Message) -> bool:
        """Take in one message; tell whether the end of the log is reached."""
        from confluent_kafka import KafkaError

        error = message.error()
        if error is None:
            if message.offset() == 0:  # the topic was created again: what it says is all there is
                self._registry = Registry(self._settings.app)
            self._registry.apply(decode_generation(message.value() or b""))
            return False
        return error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001 - its only name

    def _judge(self) -> None:
        live = self._registry.live.number
        if self._regular and live != self._number:
            self._give_way("another generation was promoted", live=live)
        elif not self._regular and self._state() in {ABORTED, DROPPED}:
            self._give_way("the generation was given up", state=self._state())
        elif live == self._number and not self._mended:
            self._repair()

    def _state(self) -> str:
        known = {each.number: each.state for each in self._registry.all()}
        return known.get(self._number, LIVE)

    def _repair(self) -> None:
        assert self._mend is not None  # noqa: S101 - `_mended` is true without one
        try:
            self._mend(self._registry)
        except DaybookError as error:
            log.debug("pointer_not_mended_yet", error=str(error))
        else:
            self._mended = True

    def _give_way(self, why: str, **more: object) -> None:
        self.outdated = True
        log.warning("giving_way", reason=why, generation=self._number, **more)
        os.kill(os.getpid(), signal.SIGTERM)
