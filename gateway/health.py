"""`/health`, `/ready` and `/metrics` of one gateway process, served from a thread."""

import contextlib
import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST


class Health(NamedTuple):
    """What the probes say.

    Args:
        healthy: 200 or 503 at `/health`: whether to leave it running.
        ready: 200 or 503 at `/ready`: whether to send it connections.
        detail: For people.
    """

    healthy: bool
    ready: bool
    detail: Mapping[str, Any]


def serve_health(
    host: str, port: int, registry: CollectorRegistry, health: Callable[[], Health]
) -> ThreadingHTTPServer | None:
    """Serve until the process ends.

    Args:
        host: To bind.
        port: To bind; 0: don't serve.
        registry: Shown at `/metrics`.
        health: Called from server threads.

    Returns:
        The running server, or None when not served.

    Raises:
        OSError: the port is taken.
    """
    if port == 0:
        return None

    class Request(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state = health()
            body = json.dumps(dict(state.detail)).encode()
            if self.path == "/health":
                self._answer(200 if state.healthy else 503, body, "application/json")
            elif self.path == "/ready":
                self._answer(200 if state.ready else 503, body, "application/json")
            elif self.path == "/metrics":
                self._answer(200, generate_latest(registry), CONTENT_TYPE_LATEST)
            else:
                self._answer(404, b"/health, /ready or /metrics\n", "text/plain")

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
    return server
