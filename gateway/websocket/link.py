"""One connection: what its session decides is done here, what it is owed waits here."""

import asyncio
import socket
import time
from collections.abc import Iterable
from typing import Protocol

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from gateway.protocol.channels import Address, Channel
from gateway.protocol.codes import SLOW, Close
from gateway.protocol.decisions import Decision, End, Load, Look, Open, Perform, Shut, Write
from gateway.protocol.moment import Now
from gateway.protocol.session import Session
from gateway.websocket.frames import text_frame
from gateway.websocket.outbox import Outbox

NOTSENT_LOWAT = 16_384
"""Bytes the kernel takes beyond what it could send: without it a client that reads nothing is
given 3.9 MB before anybody notices, with it 41 KB."""
CLOSE_S = 2.0
"""From our close frame to the client's, seconds."""


def now() -> Now:
    """Read both clocks."""
    return Now(time.monotonic(), time.time_ns() // 1_000_000)


class Around(Protocol):
    """What a link asks of its hub."""

    def open(self, link: "Link", channel: Channel) -> None:
        """Fan a channel out to a link, beginning with the next record."""

    def shut(self, link: "Link", channel: Channel) -> None:
        """Stop it."""

    def answer(self, link: "Link", question: Load | Look | Perform) -> None:
        """See to it that the session gets its answer."""

    def flush_soon(self, link: "Link") -> None:
        """Call the link's `flush` in a few milliseconds."""


class Link:
    """One connection of the server.

    A text to an idle connection is written at once; what follows within the same few milliseconds
    is gathered into one frame.

    Args:
        connection: Its handshake is done.
        session: Of the protocol.
        outbox: Empty.
        hub: Shared by all.
    """

    __slots__ = (
        "_busy", "_closing", "_connection", "_hub", "_outbox", "_paused", "_transport", "due_s",
        "session",
    )  # fmt: skip

    def __init__(
        self, connection: "Connection", session: Session, outbox: Outbox, hub: Around
    ) -> None:
        self.session = session
        self.due_s = session.due_s(now())
        self._connection, self._outbox, self._hub = connection, outbox, hub
        self._transport = connection.transport
        self._busy = self._paused = False
        self._closing: asyncio.Task[None] | None = None
        connection.link = self
        raw = self._transport.get_extra_info("socket")
        if raw is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT)

    def address(self, channel: Channel) -> Address:
        """Return a channel of the connection's tenant."""
        claims = self.session.claims
        assert claims is not None  # noqa: S101 - only who is connected has channels
        return Address(claims.tenant, channel.name)

    async def serve(self) -> None:
        """Take frames until the connection is gone."""
        try:
            while True:
                frame = await self._connection.recv(decode=False)
                self.carry_out(self.session.receive(frame, now()))
        except ConnectionClosed:
            pass
        finally:
            self.carry_out(self.session.lost())
            self._outbox.clear()
            if self._closing is not None:
                await self._closing

    def tick(self) -> None:
        """Do what is due."""
        moment = now()
        if self._outbox.too_slow(moment.mono_s):
            self.carry_out(self.session.close(SLOW))
        elif moment.mono_s >= self.due_s:
            self.carry_out(self.session.tick(moment))

    def carry_out(self, decisions: Iterable[Decision]) -> None:
        """Do what the session decided, in order."""
        for decision in decisions:
            if isinstance(decision, Write):
                self.write(decision.text)
            elif isinstance(decision, Open):
                self._hub.open(self, decision.channel)
            elif isinstance(decision, Shut):
                self._hub.shut(self, decision.channel)
            elif isinstance(decision, End):
                self._end(decision.close)
            else:
                self._hub.answer(self, decision)
        self.due_s = self.session.due_s(now())

    def write(self, text: bytes, frame: bytes | None = None) -> None:
        """Send one JSON object.

        Args:
            text: The object.
            frame: The same as a frame, when many get it.
        """
        if self._busy or self._paused:
            self._outbox.put(text, time.monotonic())
            return
        self._send(frame or text_frame(text))
        self._busy = True
        self._hub.flush_soon(self)

    def flush(self) -> None:
        """Write what has gathered; with nothing gathered the connection is idle again."""
        if self._paused:
            return  # `resume` flushes
        self._busy = bool(self._outbox)
        while self._outbox and not self._paused:
            self._send(text_frame(self._outbox.take()))
        if self._busy:
            self._hub.flush_soon(self)

    def pause(self) -> None:
        """Note that the client reads more slowly than we write."""
        self._paused = True
        self._outbox.paused(time.monotonic())

    def resume(self) -> None:
        """Note that there is room again."""
        self._paused = False
        self._outbox.resumed()
        self.flush()

    def abort(self) -> None:
        """Drop the connection; the client comes back."""
        self._transport.abort()

    def _send(self, frame: bytes) -> None:
        # A closing transport raises, and would end the fan-out to everybody behind this one.
        if self._connection.state is State.OPEN and not self._transport.is_closing():
            self._transport.write(frame)

    def _end(self, close: Close) -> None:
        if close is SLOW:
            self._outbox.clear()  # it would have to be read first; it is recovered instead
        else:
            while self._outbox:
                self._send(text_frame(self._outbox.take()))
        self._closing = asyncio.get_running_loop().create_task(self._close(close))

    async def _close(self, close: Close) -> None:
        try:
            # A client that reads nothing holds up its own close frame too.
            async with asyncio.timeout(CLOSE_S):
                await self._connection.close(close.code, close.reason)
        except (TimeoutError, ConnectionClosed, OSError):
            self._transport.abort()


class Connection(ServerConnection):
    """A websocket that tells its link about back-pressure.

    Attributes:
        link: None until its handshake is done.
    """

    link: Link | None = None

    def pause_writing(self) -> None:
        """Note that the transport's buffer is full."""
        super().pause_writing()
        if self.link is not None:
            self.link.pause()

    def resume_writing(self) -> None:
        """Note that it has room."""
        super().resume_writing()
        if self.link is not None:
            self.link.resume()
