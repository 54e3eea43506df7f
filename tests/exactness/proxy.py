"""The way to the broker, which can be slow or stand still.

Run as `python -m tests.exactness.proxy LISTEN TARGET CONTROLS`. The broker advertises LISTEN, so
everything goes through here: clients and the broker's own transaction markers.
"""

import asyncio
import contextlib
import sys
from pathlib import Path

import uvloop

from infra.embedded.ports import HOST
from tests.exactness.controls import Controls, Network

PIECE = 256 * 1024
POLL_S = 0.05
AWAY_S = 0.3


class Proxy:
    """Forwards TCP connections.

    Args:
        target: Port of the broker.
        controls: Say how the network is; looked at twenty times a second.
    """

    def __init__(self, target: int, controls: Controls) -> None:
        self._target = target
        self._controls = controls
        self._network = Network()
        self._moving = asyncio.Event()

    async def watch(self) -> None:
        """Follow what the controls say."""
        while True:
            self._network = self._controls.network()
            if self._network.stalled:
                self._moving.clear()
            else:
                self._moving.set()
            await asyncio.sleep(POLL_S)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; while the broker is away it is closed soon."""
        try:
            answers, asks = await asyncio.open_connection(HOST, self._target, limit=PIECE)
        except OSError:
            await asyncio.sleep(AWAY_S)  # closed at once, clients would try again without a pause
            writer.close()
            return
        await asyncio.gather(self._pump(reader, asks), self._pump(answers, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE):
                if self._network.latency_s:
                    await asyncio.sleep(self._network.latency_s)
                await self._moving.wait()
                writer.write(piece)
                await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()


async def serve(listen: int, target: int, controls: Controls) -> None:
    """Forward until killed."""
    proxy = Proxy(target, controls)
    server = await asyncio.start_server(proxy.connected, HOST, listen, limit=PIECE)
    async with server:
        await proxy.watch()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]), Controls(Path(sys.argv[3]))))
