"""`/health` and `/metrics` of one sink process, served from a thread."""

import contextlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

log = structlog.get_logger(__name__)


class Health(NamedTuple):
    """What `/health` says.

    Args:
        healthy: 200 or 503.
        detail: JSON object for people and `daybook doctor`.
    """

    healthy: bool
    detail: dict[str, Any]


class Progress:
    """Judges whether a consumer moves: the position does, or there is nothing to do.

    Args:
        patience_s: Standing still with a lag for longer is unhealthy, s. A living process proves
            nothing: its consumer may be stuck.
    """

    def __init__(self, patience_s: float, now: float) -> None:
        self._patience_s = patience_s
        self._moved_at = now
        self._seen: object = None

    def healthy(self, position: object, lag: int, now: float) -> bool:
        """Judge.

        Args:
            position: Anything that differs when there was progress.
            lag: Records to do; 0 or less is idle.
            now: Monotonic, s.
        """
        if lag <= 0 or position != self._seen:
            self._seen, self._moved_at = position, now
        return now - self._moved_at <= self._patience_s


def serve(
    host: str, port: int, registry: CollectorRegistry, health: Callable[[], Health]
) -> ThreadingHTTPServer | None:
    """Serve until the process ends.

    Args:
        host: To bind.
        port: To bind; 0: don't serve.
        registry: Shown at `/metrics`.
        health: Asked at `/health`; called from server threads.

    Returns:
        The running server, or None when not served.

    Raises:
        OSError: the port is taken.
    """
    if port == 0:
        return None

    class Request(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/health":
                state = health()
                body = json.dumps(state.detail).encode()
                self._answer(200 if state.healthy else 503, body, "application/json")
            elif self.path == "/metrics":
                health()  # sets the gauges
                self._answer(200, generate_latest(registry), CONTENT_TYPE_LATEST)
            else:
                self._answer(404, b"/health or /metrics\n", "text/plain")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):  # the probe has given up
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay silent: probes come every second."""

    server = ThreadingHTTPServer((host, port), Request)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    log.info("health_served", host=host, port=server.server_port)
    return server
