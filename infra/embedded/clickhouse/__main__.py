"""`python -m infra.embedded.clickhouse`: the embedded ClickHouse server.

Prints `ready HOST PORT` when it accepts connections. SIGTERM and SIGINT let running inserts finish,
close the engine and exit 0; a configuration that can't work is one line and exit 2.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import structlog

from infra.embedded.clickhouse.accounts import read_accounts
from infra.embedded.clickhouse.engine import Engine
from infra.embedded.clickhouse.server import Server
from schemas.errors import ConfigurationError

log = structlog.get_logger(__name__)

# A syntax tree nests three levels per operator; the engine allows 1,000 operators in each other.
_RECURSION = 12_000
_THREAD_STACK_BYTES = 64 << 20


def main() -> int:
    """Serve until told to stop; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.embedded.clickhouse",
        description="ClickHouse's HTTP protocol over one embedded engine.",
        epilog="example: --data .daybook/clickhouse --port 8123 --accounts accounts.json",
    )
    parser.add_argument("--data", type=Path, required=True, help="data directory; made when absent")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument(
        "--accounts", type=Path, required=True, help='JSON: {user: {"password", "readonly"}}'
    )
    options = parser.parse_args()
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    sys.setrecursionlimit(_RECURSION)
    threading.stack_size(_THREAD_STACK_BYTES)
    try:
        serve(options.data, options.host, options.port, options.accounts)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def serve(data: Path, host: str, port: int, accounts: Path) -> None:
    """Open the engine and answer until a signal.

    Raises:
        ConfigurationError: Accounts, data directory or address can't be used.
    """
    known = read_accounts(accounts)
    engine = Engine(data)
    try:
        server = Server((host, port), engine, known)
    except OSError as error:
        engine.close()
        raise ConfigurationError("--port", f"{host}:{port}: {error.strerror}") from error

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # shutdown() waits for serve_forever(), which this very thread runs.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print("ready", *server.server_address[:2], flush=True)
    log.info("server_started", data=str(data), port=server.server_address[1])
    server.serve_forever(poll_interval=0.1)
    server.socket.close()
    engine.close()
    log.info("server_stopped", data=str(data), statements=engine.counters.statements)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # threads of idle connections hold handles; the engine is closed already
