"""`daybook api`: the application in uvicorn."""

import signal
import time

import structlog
import uvicorn

from gateway.http.app import create_app
from gateway.http.config import ApiConfig
from gateway.http.kafka import KafkaEvents
from gateway.http.ports import Ports
from gateway.http.warehouse import Warehouse
from gateway.keys import Keys
from gateway.tokens import Tokens

log = structlog.get_logger(__name__)

DRAIN_S = 15
KEEP_ALIVE_S = 65
"""Above the 60 s after which balancers close idle connections: the side that closes first races."""
MAX_CONCURRENT = 512


def run_api(config: ApiConfig) -> int:
    """Serve until SIGTERM or SIGINT, then finish what is under way.

    Args:
        config: See `ApiConfig`.

    Returns:
        0 after a signal, 1 when it could not listen.

    Raises:
        ConfigurationError: The token keys can't be read.
        Unavailable: The token keys' URL does not answer.
    """
    keys = Keys(config.token_keys)
    keys.start()
    events = KafkaEvents(config.bootstrap)
    ports = Ports(
        authority=Tokens(keys, config.token_issuer, config.token_audience),
        now_ms=lambda: time.time_ns() // 1_000_000,
        events=events,
        reports=Warehouse(config.clickhouse_url),
        metrics=config.metrics,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(config, ports),
            host=config.host,
            port=config.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(config.trusted_proxies),
            forwarded_allow_ips=list(config.trusted_proxies),
            limit_concurrency=MAX_CONCURRENT,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=DRAIN_S,
        )
    )
    # uvicorn raises again what it caught, for the handlers it found: with the default ones the
    # process would end before it is done.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    log.info("api_started", host=config.host, port=config.port)
    try:
        server.run()
    finally:
        events.close()
        keys.close()
        log.info("api_left")
    return 0 if server.started else 1
