"""A gateway on this loop, with real sockets and without Kafka."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.keys import Keys, new_private_set, private_jwk
from gateway.protocol.channels import Address
from gateway.protocol.history import Histories, Publication
from gateway.protocol.limits import Gate
from gateway.protocol.revocations import Revocations
from gateway.protocol.shared import Shared
from gateway.tokens import Signer, Tokens
from gateway.websocket.config import PATH, GatewayConfig
from gateway.websocket.hub import Caller, Hub
from gateway.websocket.server import Gateway
from gateway.websocket.telemetry import Telemetry
from tests.gateway.websocket.calling import echo

EPOCH = "log-1"


def utc_ms() -> int:
    """Return the wall clock."""
    return time.time_ns() // 1_000_000


@dataclass
class Serving:
    """A running gateway and what a test does to it.

    Args:
        gateway: Listens.
        hub: Of it.
        signer: Of its tokens.
        histories: Of it.
        telemetry: Of it.
    """

    gateway: Gateway
    hub: Hub
    signer: Signer
    histories: Histories
    telemetry: Telemetry
    last: int = field(default=0)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self.gateway.port}{PATH}"

    def token(
        self, user: str = "anna", role: str = "agent", ttl_s: float = 600, tenant: str = "b2b"
    ) -> str:
        """Return a token."""
        return self.signer.sign(tenant, user, [role], now_ms=utc_ms(), ttl_s=ttl_s)

    async def publish(self, channel: str, *data: object, tenant: str = "b2b") -> None:
        """Publish, as if it had come from Kafka."""
        await self.hub.deliver([self.next(channel, each, tenant=tenant) for each in data])

    def next(self, channel: str, data: object, *, tenant: str = "b2b") -> Publication:
        """Return the next record."""
        self.last += 3  # offsets have gaps
        text = json.dumps(data).encode()
        return Publication(Address(tenant, channel), self.last, text, utc_ms())


@contextlib.asynccontextmanager
async def serving(
    folder: Path,
    *,
    call: Caller = echo,
    epoch: str = EPOCH,
    config: Callable[[GatewayConfig], GatewayConfig] = lambda given: given,
) -> AsyncIterator[Serving]:
    """Run a gateway on a free port.

    Args:
        folder: For its keys; the same folder has the same.
        call: What calls give.
        epoch: Of its log.
        config: Changes the configuration.
    """
    path = folder / "keys.json"
    if not path.exists():
        path.write_text(new_private_set("test"))
    chosen = config(GatewayConfig(bootstrap="", token_keys=str(path), port=0, drain_s=1.0))
    keys = Keys(str(path))
    histories = Histories(epoch, [0], chosen.history)
    telemetry = Telemetry()
    hub = Hub(histories, call, telemetry)
    shared = Shared(
        node="test",
        version="test",
        limits=chosen.session,
        authority=Tokens(keys, chosen.token_issuer, chosen.token_audience),
        histories=histories,
        revocations=Revocations(86_400_000),
        gate=Gate(chosen.gate),
    )
    gateway = Gateway(chosen, shared, hub, telemetry)
    await gateway.start()
    sweep = asyncio.get_running_loop().create_task(hub.sweep())
    jwk = private_jwk(path.read_bytes())
    made = Serving(gateway, hub, Signer(jwk, "daybook", "daybook"), histories, telemetry)
    try:
        yield made
    finally:
        await gateway.stop()
        sweep.cancel()


async def until(condition: Callable[[], Any], what: str, timeout_s: float = 10.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not in {timeout_s} s: {what}"
        await asyncio.sleep(0.01)
