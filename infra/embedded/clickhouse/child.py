"""The server as a child process, for tests and benchmarks that need nothing but ClickHouse.

`daybook dev` starts it under its supervisor instead.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded.clickhouse.accounts import AccountEntry
from schemas.errors import Unavailable

_RETRY_AFTER_S = 1.0


class ServerProcess:
    """One server on a free port of 127.0.0.1.

    Usage: a context manager; `kill()` or `stop()` it and `start()` it again on the same data.

    Args:
        directory: For data, accounts and log; made when absent.
        accounts: User name → account.

    Attributes:
        directory: Where it keeps everything.
        port: Where it listens; kept over restarts.
    """

    def __init__(self, directory: Path, accounts: dict[str, AccountEntry]) -> None:
        self.directory = directory
        self._accounts = accounts
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> None:
        """Start it and wait until it accepts.

        Raises:
            Unavailable: It ended instead; its words are in `server.log`.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        accounts = self.directory / "accounts.json"
        accounts.touch(mode=0o600)
        entries = {name: entry.model_dump() for name, entry in self._accounts.items()}
        accounts.write_text(json.dumps(entries))
        command = [sys.executable, "-m", "infra.embedded.clickhouse", "--port", str(self.port)]
        command += ["--data", str(self.directory / "data"), "--accounts", str(accounts)]
        with (self.directory / "server.log").open("a") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self._process = process
        words = (process.stdout.readline() if process.stdout else "").split()
        if words[:1] != ["ready"]:
            process.wait()
            raise Unavailable("clickhouse", _RETRY_AFTER_S, f"it ended with {process.returncode}")
        self.port = int(words[-1])

    @property
    def pid(self) -> int:
        """Its process id, 0 before the first start."""
        return self._process.pid if self._process is not None else 0

    def kill(self) -> None:
        """SIGKILL it and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, timeout_s: float = 30.0) -> int:
        """SIGTERM it and return its exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        return self._process.wait(timeout_s)

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Kill it if it still runs."""
        self.kill()
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
