"""What the processors do with the events Faust gives them, and with failures."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NoReturn, cast

import pytest

from streams.processors import ingest as ingest_module
from streams.processors import journal as journal_module
from streams.processors.ingest import ingest_processor
from streams.processors.journal import journal_processor


class Stopped(BaseException):
    """The process would have ended."""


def _fail(_reason: str, **_coordinates: object) -> NoReturn:
    raise Stopped


class Message:
    """Where an event comes from."""

    partition = 0


class Event:
    """A Faust event that remembers whether it was acked."""

    message = Message()
    acked = False

    def ack(self) -> None:
        """Acknowledge."""
        self.acked = True


class Stream:
    """A Faust stream, as far as acks go: it acks an event when the next one is asked for."""

    def __init__(self, events: Sequence[Event], *, acks: bool = True) -> None:
        self._events, self._acks = events, acks

    def noack(self) -> "Stream":
        """Return the same without acks."""
        return Stream(self._events, acks=False)

    async def events(self) -> AsyncIterator[Event]:
        """Yield the events."""
        for event in self._events:
            try:
                yield event
            finally:
                if self._acks:
                    event.ack()


class Taking:
    """Takes what it is offered or given to write.

    Args:
        failure: Raised instead.
    """

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.taken: list[Event] = []

    def offer(self, event: Event) -> None:
        """Take it, as a lane."""
        if self.failure is not None:
            raise self.failure
        self.taken.append(event)

    async def write(self, event: Event) -> None:
        """Take it, as the intake."""
        self.offer(event)


def _journal(to: Taking) -> Callable[[Any], Awaitable[None]]:
    return journal_processor(cast("Any", {0: to}))


def _ingest(to: Taking) -> Callable[[Any], Awaitable[None]]:
    return ingest_processor(cast("Any", to))


@pytest.mark.parametrize("processor", [_journal, _ingest])
async def test_events_are_acked_by_who_makes_them_durable(
    processor: Callable[[Taking], Callable[[Any], Awaitable[None]]],
) -> None:
    """Acked by the stream, an event would count as done before its transaction or its report."""
    events, to = [Event(), Event()], Taking()
    await processor(to)(Stream(events))
    assert to.taken == events
    assert not any(event.acked for event in events)


@pytest.mark.parametrize("processor", [_journal, _ingest])
async def test_failure_in_a_processor_is_a_fail_stop(
    processor: Callable[[Taking], Callable[[Any], Awaitable[None]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Raised, it would make Faust ack the event and go on with the next one."""
    for module in (ingest_module, journal_module):
        monkeypatch.setattr(module, "fail_stop", _fail)
    with pytest.raises(Stopped):
        await processor(Taking(ValueError("injected")))(Stream([Event()]))
