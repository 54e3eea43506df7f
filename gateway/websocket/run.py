"""`daybook gateway`: what is pushed → browsers, and what they say → Kafka."""

import asyncio
import signal
from importlib.metadata import version

import structlog

from gateway.health import Health, serve_health
from gateway.keys import Keys
from gateway.protocol.calls import Call
from gateway.protocol.codes import INSUFFICIENT_STATE, NOT_AVAILABLE, SHUTDOWN
from gateway.protocol.history import Histories
from gateway.protocol.limits import Gate
from gateway.protocol.permissions import Claims
from gateway.protocol.revocations import Revocations
from gateway.protocol.shared import Shared
from gateway.tokens import MAX_LIFETIME_S, Tokens
from gateway.websocket.config import GatewayConfig
from gateway.websocket.hub import Hub
from gateway.websocket.link import now
from gateway.websocket.reader import PushReader
from gateway.websocket.server import Gateway
from gateway.websocket.telemetry import Telemetry
from schemas.errors import ConfigurationError

__all__ = ["GatewayConfig", "run_gateway"]

FAIL_STOP = 70

log = structlog.get_logger(__name__)


def run_gateway(config: GatewayConfig) -> int:
    """Run until SIGTERM or SIGINT; call it in the main thread.

    It listens once it has read what is kept for who comes back. Kafka away for a while changes
    nothing for its clients: they stay, and get what came meanwhile.

    Args:
        config: See `GatewayConfig`.

    Returns:
        0 after a signal; 70 when it lost its place in the log, so that a supervisor restarts it.

    Raises:
        ConfigurationError: The topic doesn't exist, a setting is wrong, or an address is taken.
        Unavailable: No broker answered at the start, or the keys' URL didn't.
    """
    keys = Keys(config.token_keys)
    keys.start()
    try:
        return asyncio.run(_run(config, Tokens(keys, config.token_issuer, config.token_audience)))
    finally:
        keys.close()


async def _run(config: GatewayConfig, tokens: Tokens) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    telemetry = Telemetry()
    reader = PushReader(config.bootstrap, telemetry)
    place = await asyncio.to_thread(reader.locate, now().utc_ms - config.history.age_ms)
    histories = Histories(place.epoch, place.starts, config.history)
    hub = Hub(histories, _no_calls, telemetry)
    gateway = Gateway(config, _shared(config, tokens, histories), hub, telemetry)
    telemetry.gauge("daybook_gateway_connections", "Connections there are.", lambda: len(hub))
    telemetry.gauge(
        "daybook_gateway_subscriptions", "Subscriptions there are.", lambda: hub.subscriptions
    )
    telemetry.gauge(
        "daybook_gateway_history_bytes", "Kept for recovery.", lambda: histories.total_bytes
    )
    listening = False

    def health() -> Health:
        ready = listening and not gateway.draining and reader.failure is None
        detail = {"healthy": reader.failure is None, "ready": ready, "connections": len(hub)}
        return Health(reader.failure is None, ready, detail)

    try:
        server = serve_health(config.metrics_host, config.metrics_port, telemetry.registry, health)
        await reader.run(place, hub.deliver, stop.set)
        log.info("history_read", publications=histories.size, epoch=place.epoch)
        await gateway.start()
    except OSError as problem:
        raise ConfigurationError("gateway_port", str(problem)) from None
    listening = True
    sweep = loop.create_task(hub.sweep())
    await stop.wait()
    failed = reader.failure is not None
    if failed:
        log.error("gateway_lost_its_place", reason=repr(reader.failure))
    log.info("gateway_drains", connections=len(hub))
    await gateway.stop(INSUFFICIENT_STATE if failed else SHUTDOWN)
    sweep.cancel()
    await reader.close()
    if server is not None:
        server.shutdown()
    log.info("gateway_left")
    return FAIL_STOP if failed else 0


def _shared(config: GatewayConfig, tokens: Tokens, histories: Histories) -> Shared:
    return Shared(
        node=config.node,
        version=f"daybook {version('daybook')}",
        limits=config.session,
        authority=tokens,
        histories=histories,
        revocations=Revocations(MAX_LIFETIME_S * 1000),
        gate=Gate(config.gate),
    )


async def _no_calls(_claims: Claims, _call: Call) -> bytes:
    raise NOT_AVAILABLE.refusal()
