"""The hub: who has which channel open, and publications on their way to all of them.

Publications are handed out one after the other, each to all its subscribers, so every one of them
sees a channel in order. The event loop gets a turn after some hundred; who subscribes in such a
turn stands behind the publication in hand, and its session doesn't take it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator

import structlog

from gateway.protocol import replies
from gateway.protocol.calls import Call
from gateway.protocol.channels import Address, Channel
from gateway.protocol.codes import FAILURES, INTERNAL, NOT_AVAILABLE, Close
from gateway.protocol.decisions import Load, Look, Perform
from gateway.protocol.history import Histories, Publication
from gateway.protocol.permissions import Claims
from gateway.websocket.frames import text_frame
from gateway.websocket.link import Link, now
from gateway.websocket.telemetry import DELIVERIES, PUBLICATIONS, Telemetry
from schemas.errors import Refused

TURN = 500
"""Deliveries between two turns of the event loop."""
FLUSH_S = 0.005
SWEEP_S = 0.25

Caller = Callable[[Claims, Call], Awaitable[bytes]]
"""Carries out a call; returns its answer (JSON text), or raises `Refused`."""

log = structlog.get_logger(__name__)


class Hub:
    """All connections of a process; on the event loop only.

    Args:
        histories: What was published.
        call: Carries out what clients call.
        telemetry: Counters.
    """

    def __init__(self, histories: Histories, call: Caller, telemetry: Telemetry) -> None:
        self._histories, self._call, self._telemetry = histories, call, telemetry
        self._links: dict[Link, None] = {}
        self._subscribers: dict[Address, dict[Link, None]] = {}
        self._busy: list[Link] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._since_turn = 0

    def __len__(self) -> int:
        """Return how many connections there are."""
        return len(self._links)

    @property
    def subscriptions(self) -> int:
        """Return how many subscriptions there are."""
        return sum(len(links) for links in self._subscribers.values())

    @contextlib.contextmanager
    def holding(self, link: Link) -> Iterator[None]:
        """Know a link while it is served."""
        self._links[link] = None
        try:
            yield
        finally:
            del self._links[link]

    def open(self, link: Link, channel: Channel) -> None:
        """Fan a channel out to a link, beginning with the next record."""
        self._subscribers.setdefault(link.address(channel), {})[link] = None

    def shut(self, link: Link, channel: Channel) -> None:
        """Stop it."""
        address = link.address(channel)
        links = self._subscribers[address]
        del links[link]
        if not links:
            del self._subscribers[address]

    def answer(self, link: Link, question: Load | Look | Perform) -> None:
        """See to it that a session gets its answer."""
        if isinstance(question, Perform):
            task = asyncio.get_running_loop().create_task(self._perform(link, question))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        else:
            link.carry_out(link.session.failed(question.ticket, NOT_AVAILABLE))

    def flush_soon(self, link: Link) -> None:
        """Call a link's `flush` in a few milliseconds, together with others."""
        if not self._busy:
            asyncio.get_running_loop().call_later(FLUSH_S, self._flush)
        self._busy.append(link)

    async def deliver(self, publications: Iterable[Publication]) -> None:
        """Keep publications and hand them out; in the order of their partitions."""
        count = 0
        for publication in publications:
            if self._histories.append(publication):
                count += 1
                await self._fan_out(publication)
        self._telemetry.count(PUBLICATIONS, count)

    async def sweep(self) -> None:
        """Do what time asks for, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            for link in list(self._links):
                with self._guarding(link):
                    link.tick()
            self._histories.expire(now().utc_ms)

    async def end_all(self, close: Close, within_s: float) -> None:
        """End every connection, spread over a time so that they don't come back all at once."""
        links = list(self._links)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, link in enumerate(links):
            await asyncio.sleep(max(0.0, began + within_s * number / len(links) - loop.time()))
            with self._guarding(link):
                link.carry_out(link.session.close(close))

    async def _fan_out(self, publication: Publication) -> None:
        subscribers = self._subscribers.get(publication.address)
        if not subscribers:
            return
        text = replies.published(publication)
        frame = text_frame(text)
        count = 0
        for link in list(subscribers):
            if not link.session.takes(publication):
                continue
            with self._guarding(link):
                link.write(text, frame)
            count += 1
            self._since_turn += 1
            if self._since_turn >= TURN:
                self._since_turn = 0
                await asyncio.sleep(0)
        self._telemetry.count(DELIVERIES, count)

    async def _perform(self, link: Link, question: Perform) -> None:
        claims = link.session.claims
        assert claims is not None  # noqa: S101 - only who is connected calls
        try:
            given = await self._call(claims, question.call)
        except Refused as refused:
            decisions = link.session.failed(question.ticket, FAILURES[refused.code])
        except Exception:
            log.exception("call_failed", call=type(question.call).__name__)
            decisions = link.session.failed(question.ticket, INTERNAL)
        else:
            decisions = link.session.performed(question.ticket, given)
        link.carry_out(decisions)

    def _flush(self) -> None:
        busy, self._busy = self._busy, []
        for link in busy:
            with self._guarding(link):
                link.flush()

    @contextlib.contextmanager
    def _guarding(self, link: Link) -> Iterator[None]:
        """Keep one connection's failure from the others."""
        try:
            yield
        except Exception:
            log.exception("connection_failed", client=link.session.client)
            link.abort()
