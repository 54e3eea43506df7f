"""`/health` and `/metrics` of one process, from an own thread: it answers while others work."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from streams.runtime.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Health:
    """What `/health` says.

    Args:
        state: `starting`, `opening`, `running`, `standby` (others own all partitions) or `stalled`.
        partitions: `topic:partition` → applied offset, end offset, lag, state.
    """

    state: str
    partitions: dict[str, dict[str, object]] = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        """Whether the process does what it should; false until it is ready."""
        return self.state in {"running", "standby"}

    def body(self) -> bytes:
        """Return the JSON answer."""
        return json.dumps({
            "healthy": self.healthy,
            "state": self.state,
            "lanes_owned": len(self.partitions),
            "partitions": self.partitions,
        }).encode()  # fmt: skip


class StatusServer:
    """Serves both until closed.

    Args:
        host: Where to listen.
        port: TCP port.
        health: Asked for each request; must be quick and callable from any thread.
        telemetry: Metrics.

    Raises:
        OSError: The port is taken.
    """

    def __init__(
        self, host: str, port: int, *, health: Callable[[], Health], telemetry: Telemetry
    ) -> None:
        class Request(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/health":
                    now = health()
                    self._answer(200 if now.healthy else 503, "application/json", now.body())
                elif path == "/metrics":
                    kind = "text/plain; version=0.0.4; charset=utf-8"
                    self._answer(200, kind, telemetry.exposition())
                else:
                    self._answer(404, "text/plain", b"/health or /metrics\n")

            def _answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Log nothing: probes come every second."""

        self._server = ThreadingHTTPServer((host, port), Request)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="status", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port in use."""
        return self._server.server_port

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
