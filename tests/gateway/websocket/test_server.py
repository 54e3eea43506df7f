"""What no well-behaved client does, and what the network does to those that do."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close

from gateway.websocket.config import GatewayConfig
from gateway.websocket.outbox import OutboxLimits
from tests.gateway.websocket.serving import Serving, serving, until

ROOM = "chat:lobby"


@contextlib.asynccontextmanager
async def raw(given: Serving, **options: object) -> AsyncIterator[ClientConnection]:
    """Connect a plain websocket."""
    async with connect(given.url, compression=None, proxy=None, **options) as made:  # type: ignore[arg-type]
        yield made


async def ended(made: ClientConnection) -> Close | None:
    """Return how the server ended the connection."""
    try:
        while True:
            await made.recv()
    except ConnectionClosed as closed:
        return closed.rcvd


async def log_in(given: Serving, made: ClientConnection, channel: str = ROOM) -> None:
    """Connect and subscribe in one frame, as clients do when they come back."""
    commands = (
        {"id": 1, "connect": {"token": given.token()}},
        {"id": 2, "subscribe": {"channel": channel}},
    )
    await made.send("\n".join(json.dumps(each) for each in commands))
    got: list[object] = []
    while len(got) < 2:
        got += [json.loads(line) for line in str(await made.recv()).splitlines()]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://crm.example", True),
        (None, True),
        ("https://crm.example.evil", False),
        ("http://crm.example", False),
        ("null", False),
    ],
)
async def test_origins_are_exact(tmp_path: Path, origin: str | None, *, allowed: bool) -> None:
    """A browser of another site is refused; a program sends no origin."""

    def known(given: GatewayConfig) -> GatewayConfig:
        return replace(given, origins=("https://crm.example",))

    async with serving(tmp_path, config=known) as given:
        if allowed:
            async with raw(given, origin=origin) as made:
                await log_in(given, made)
            return
        with pytest.raises(InvalidStatus) as refused:
            async with raw(given, origin=origin):
                pass
        assert refused.value.response.status_code == 403


async def test_other_paths_are_not_found(tmp_path: Path) -> None:
    """The answer names the right one."""
    async with serving(tmp_path) as given:
        with pytest.raises(InvalidStatus) as refused:
            await connect(given.url.replace("connection", "somewhere"), proxy=None)
        assert refused.value.response.status_code == 404
        assert b"/connection/websocket" in (refused.value.response.body or b"")


async def test_handshakes_beyond_the_limit_are_told_to_come_later(tmp_path: Path) -> None:
    """503 with Retry-After: nothing is queued without end."""

    def none(given: GatewayConfig) -> GatewayConfig:
        return replace(given, handshakes=0)

    async with serving(tmp_path, config=none) as given:
        with pytest.raises(InvalidStatus) as refused:
            await connect(given.url, proxy=None)
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    "frame", ["no JSON", "[]", '{"id": 1, "send": {}}', "x" * 70_000, b"\xff\xfe"]
)
async def test_broken_frames_end_the_connection(tmp_path: Path, frame: str | bytes) -> None:
    """3501, and clients don't come back with the same."""
    async with serving(tmp_path) as given, raw(given) as made:
        await made.send(frame)
        closed = await ended(made)
        assert closed is not None
        assert closed.code == 3501


async def test_who_does_not_connect_is_dropped(tmp_path: Path) -> None:
    """3502: a connection that never says who it is."""

    def soon(given: GatewayConfig) -> GatewayConfig:
        return replace(given, session=replace(given.session, connect_s=0.2))

    async with serving(tmp_path, config=soon) as given, raw(given) as made:
        closed = await ended(made)
        assert closed is not None
        assert closed.code == 3502
        await until(lambda: len(given.hub) == 0, "nobody is there")


async def test_who_does_not_answer_pings_is_dropped(tmp_path: Path) -> None:
    """3012: the other end may be gone for long."""

    def soon(given: GatewayConfig) -> GatewayConfig:
        return replace(given, session=replace(given.session, ping_s=1, pong_s=0.3))

    async with serving(tmp_path, config=soon) as given, raw(given) as made:
        await log_in(given, made)
        closed = await ended(made)
        assert closed is not None
        assert closed.code == 3012


async def test_slow_reader_is_dropped_and_others_are_not_held_up(tmp_path: Path) -> None:
    """3008 or a cut, with bounded memory; everybody else gets all of it meanwhile."""

    def tight(given: GatewayConfig) -> GatewayConfig:
        return replace(given, outbox=OutboxLimits(budget=64 * 1024, over_s=0.3, hard=512 * 1024))

    async with serving(tmp_path, config=tight) as given, raw(given, max_size=None) as quick:
        await log_in(given, quick)
        reader, writer = await _stalled(given)
        await until(lambda: given.hub.subscriptions == 4, "both have their channels")
        body = "x" * 10_000
        got = asyncio.get_running_loop().create_task(_count(quick, 300))
        for n in range(300):
            await given.publish(ROOM, {"n": n, "body": body})
            await asyncio.sleep(0.005)
        assert await got == list(range(300))
        await until(lambda: len(given.hub) == 1, "the slow one is gone", 15)
        writer.close()
        del reader


async def _stalled(given: Serving) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, subscribe, and never read again."""
    made = socket.create_connection(("127.0.0.1", given.gateway.port))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    reader, writer = await asyncio.open_connection(sock=made, limit=1_024)
    writer.write(
        b"GET /connection/websocket HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    text = (
        json.dumps({"id": 1, "connect": {"token": given.token(user="ben")}})
        + "\n"
        + json.dumps({"id": 2, "subscribe": {"channel": ROOM}})
    ).encode()
    head = b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4)  # a mask of zeros changes nothing
    writer.write(head + text)
    return reader, writer


async def _count(made: ClientConnection, wanted: int) -> list[int]:
    got: list[int] = []
    while len(got) < wanted:
        for line in str(await made.recv()).splitlines():
            push = json.loads(line).get("push")
            if push:
                got.append(push["pub"]["data"]["n"])
    return got
