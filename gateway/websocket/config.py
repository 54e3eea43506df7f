"""What a gateway must be told."""

from dataclasses import dataclass, field

from gateway.config import ServerConfig
from gateway.protocol.history import HistoryLimits
from gateway.protocol.limits import GateLimits, SessionLimits
from gateway.websocket.outbox import OutboxLimits

PATH = "/connection/websocket"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig(ServerConfig):
    """Configuration of one gateway process.

    Args:
        port: TCP port, shared by all gateways of a machine; 0: any free one.
        node: Name of the process, shown to clients.
        metrics_host: Where `/health`, `/ready` and `/metrics` are served.
        metrics_port: 0: not served.
        handshakes: Opening handshakes at a time; one more is answered with 503.
        drain_s: From SIGTERM to the end, s; connections are ended over half of it.
        session: Limits of one connection.
        gate: Limits of their number.
        history: What is kept for who comes back.
        outbox: What a slow client may be owed.
    """

    port: int = 8_000
    node: str = "gateway-0"
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    handshakes: int = 200
    drain_s: float = 20.0
    session: SessionLimits = field(default_factory=SessionLimits)
    gate: GateLimits = field(default_factory=GateLimits)
    history: HistoryLimits = field(default_factory=HistoryLimits)
    outbox: OutboxLimits = field(default_factory=OutboxLimits)
