"""Kafka, Valkey and ClickHouse that can be disturbed: slow, full, killed.

Run as `python -m tests.exactness.engines DATA CACHE PROXY`: the embedded engines under their usual
supervisor, except that the broker advertises the port of a proxy (`proxy.py`).
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.embedded.aot import aot_cache_file
from infra.embedded.directory import DataDirectory, adopt
from infra.embedded.jars import ensure_jars
from infra.embedded.kafka import KafkaBroker
from infra.embedded.ports import HOST, free_port, remembered_ports
from infra.embedded.running import RunningStack
from infra.embedded.spawn import tied
from infra.embedded.stack import ENGINES, compose
from infra.embedded.supervisor import Supervisor
from infra.logging import configure
from tests.exactness.controls import Controls, Network

START_S = 180.0
ROOM = "4g"
SPARE = 64 * 1024
"""Bytes a full disk still has: less than one write of any engine under load."""


@dataclass(frozen=True, slots=True)
class ProxiedBroker(KafkaBroker):
    """A broker whose clients come through a proxy.

    Args:
        proxy_port: What it advertises.
    """

    proxy_port: int = 0

    def properties(self, log_directory: Path) -> str:
        """Return the text of `server.properties`."""
        usual = KafkaBroker.properties(self, log_directory)
        advertised = "advertised.listeners=BROKER://"
        return usual.replace(
            f"{advertised}{HOST}:{self.port}", f"{advertised}{HOST}:{self.proxy_port}"
        )


def supervise(data: Path, cache: Path, proxy_port: int) -> int:
    """Run the engines until SIGTERM."""
    directory = DataDirectory(data)
    with directory.locked(), (directory.logs / "supervisor.log").open("a", buffering=1) as log:
        configure("json", "info", log)
        stack = compose(directory, cache=cache, only=ENGINES)
        ports = remembered_ports(directory.ports, ["kafka", "kafka-controller"])
        jars = ensure_jars(cache)
        broker = ProxiedBroker(
            directory.root / "kafka", ports["kafka"], ports["kafka-controller"], jars,
            aot_cache_file(jars), proxy_port=proxy_port,
        )  # fmt: skip
        specs = [broker.spec() if spec.name == "kafka" else spec for spec in stack.specs]
        endpoints = replace_kafka(stack.endpoints.model_dump(), proxy_port)

        async def run() -> int:
            return await Supervisor(
                directory, specs, type(stack.endpoints).model_validate(endpoints)
            ).run()

        return asyncio.run(run())


def replace_kafka(endpoints: dict[str, object], proxy_port: int) -> dict[str, object]:
    """Return endpoints whose Kafka is reached through the proxy."""
    return endpoints | {"kafka": f"{HOST}:{proxy_port}"}


class SmallDisk:
    """A file system of its own for one engine, which can become full at any moment.

    Args:
        mount: Empty directory.
    """

    def __init__(self, mount: Path) -> None:
        self._mount = mount
        mount.mkdir(parents=True)
        self.works = _mount("-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(mount))

    def fill(self) -> None:
        """Leave no room for anything more."""
        stat = os.statvfs(self._mount)
        used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize
        _mount("-o", f"remount,size={used + SPARE}", str(self._mount))

    def free(self) -> None:
        """Give the room back."""
        if self.works:
            _mount("-o", f"remount,size={ROOM}", str(self._mount))

    def close(self) -> None:
        """Unmount it; what was on it is gone."""
        if self.works:
            subprocess.run(["umount", "-l", str(self._mount)], check=False)


def _mount(*options: str) -> bool:
    done = subprocess.run(["mount", *options], check=False, capture_output=True)
    return done.returncode == 0


class Engines:
    """The engines of one run; a context manager.

    Args:
        data: Directory; made.
        cache: The user's cache folder, for Kafka's jars.
        controls: Steer the network.
        small_disks: Whether Kafka and ClickHouse get file systems of their own.
    """

    def __init__(self, data: Path, cache: Path, controls: Controls, *, small_disks: bool) -> None:
        self.directory = adopt(data)
        self.controls = controls
        self._cache = cache
        names = ("kafka", "clickhouse") if small_disks else ()
        self.disks = {name: SmallDisk(data / name) for name in names}
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def can_fill_disks(self) -> bool:
        """Whether this machine lets us mount."""
        return bool(self.disks) and all(disk.works for disk in self.disks.values())

    def __enter__(self) -> Self:
        """Start them and wait until they are up."""
        ports = remembered_ports(self.directory.ports, ["kafka"])
        proxy = free_port(frozenset(ports.values()))
        root = str(self.directory.root)
        self._run(["tests.exactness.proxy", str(proxy), str(ports["kafka"]), root + "/controls"])
        self._run(["tests.exactness.engines", root, str(self._cache), str(proxy)])
        deadline = time.monotonic() + START_S
        while (stack := RunningStack.find(self.directory.root)) is None or not stack.status.ready:
            if self._started[-1].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the engines don't come up, see {self.directory.logs}")
            time.sleep(0.1)
        self.stack = stack
        return self

    def _run(self, module: Sequence[str]) -> None:
        argv = tied([sys.executable, "-m", *module], when_parent_ends=signal.SIGTERM)
        with (self.directory.logs / f"{module[0]}.log").open("ab") as log:
            self._started.append(subprocess.Popen(argv, stdout=log, stderr=log))

    def heal(self) -> None:
        """Undo whatever lasts."""
        self.controls.set_network(Network())
        for disk in self.disks.values():
            disk.free()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop them."""
        self.heal()
        for process in reversed(self._started):
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
        for disk in self.disks.values():
            disk.close()


if __name__ == "__main__":
    sys.exit(supervise(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
