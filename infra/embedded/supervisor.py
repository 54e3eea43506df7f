"""One parent for all processes of a stack: start in order, keep alive, report, stop in order.

    with directory.locked():
        await Supervisor(directory, specs, endpoints).run()

SIGTERM and SIGINT stop the stack in reverse order; a second one kills what is left. However the
supervisor itself ends, its processes end: by signal from the kernel on Linux (`launch.py`), else at
the next start (`leftovers.py`).
"""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence

import structlog

from infra.embedded.child import Child
from infra.embedded.directory import DataDirectory
from infra.embedded.identity import identify
from infra.embedded.lifecycle import Phase
from infra.embedded.logs import cap, log_file
from infra.embedded.spec import ProcessSpec, start_order
from infra.embedded.status import Endpoints, ProcessStatus, StackStatus, write_status

_HOUSEKEEPING_S = 1.0

_log = structlog.get_logger(__name__)


class Supervisor:
    """The parent of one stack. Make it and run it in the main thread, inside the directory's lock.

    Args:
        directory: The stack's data directory.
        specs: Its processes.
        endpoints: Where clients connect; passed on in `status.json`.
        metrics: Process name → URL of its metrics; passed on as well.

    Raises:
        ConfigurationError: The processes can't be ordered.
    """

    def __init__(
        self,
        directory: DataDirectory,
        specs: Sequence[ProcessSpec],
        endpoints: Endpoints,
        metrics: Mapping[str, str] | None = None,
    ) -> None:
        self._directory = directory
        self._order = start_order(specs)
        self._endpoints = endpoints
        self._metrics = metrics or {}
        self._children = {spec.name: Child(spec, directory, self._report) for spec in specs}
        self._stop = asyncio.Event()
        self._was_ready = False

    async def run(self) -> int:
        """Run the stack until it is asked to stop.

        Returns:
            0 after a stop that was asked for; 1 if a process gave up before the stack was ready.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.request_stop)
        keepers = [
            asyncio.create_task(child.keep([self._children[name] for name in child.spec.after]))
            for child in self._children.values()
        ]
        housekeeping = asyncio.create_task(self._keep_house())
        try:
            gave_up = await self._until_stop_or_start_failure(keepers)
        finally:
            await self._stop_all()
            housekeeping.cancel()
            await asyncio.gather(housekeeping, *keepers, return_exceptions=True)
            self._report()
        _log.info("stack_stopped", gave_up=gave_up)
        if gave_up:
            return 1
        # Nobody must take the endpoints of a stack that is down for those of one that runs.
        self._directory.status.unlink()
        return 0

    def request_stop(self) -> None:
        """Stop the stack; asked for again, kill what is left of it."""
        if self._stop.is_set():
            for child in self._children.values():
                child.kill()
        self._stop.set()

    async def _until_stop_or_start_failure(self, keepers: list[asyncio.Task[None]]) -> list[str]:
        """Return the processes that gave up before the stack was ready."""
        stop = asyncio.create_task(self._stop.wait())
        pending: set[asyncio.Task[object]] = {stop, *keepers}
        while not self._stop.is_set():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # A bug in a keeper stops the stack, loudly.
            failed = [
                name for name, child in self._children.items() if child.life.phase is Phase.FAILED
            ]
            if failed and not self._was_ready:
                stop.cancel()
                return failed
        return []

    async def _stop_all(self) -> None:
        for group in reversed(self._order):
            await asyncio.gather(*(self._children[name].stop() for name in group))

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEPING_S)
            for name in self._children:
                cap(log_file(self._directory.logs, name))
            self._report()

    def _report(self) -> None:
        is_ready = all(child.life.is_up for child in self._children.values())
        if is_ready and not self._was_ready:
            self._was_ready = True
            _log.info("stack_became_ready")
        write_status(
            self._directory.status,
            StackStatus(
                endpoints=self._endpoints,
                processes=tuple(self._row(child) for child in self._children.values()),
                data=str(self._directory.root),
                ready=self._was_ready,
                supervisor=_supervisor_row(),
            ),
        )

    def _row(self, child: Child) -> ProcessStatus:
        identity = child.identity
        return ProcessStatus(
            name=child.spec.name,
            pid=identity.pid if identity else None,
            healthy=child.life.is_up,
            restarts=child.life.restarts,
            phase=child.life.phase,
            job=child.spec.one_shot,
            started=identity.started if identity else "",
            command=identity.command if identity else "",
            metrics=self._metrics.get(child.spec.name),
        )


def _supervisor_row() -> ProcessStatus:
    identity = identify(os.getpid())
    return ProcessStatus(
        name="supervisor",
        pid=os.getpid(),
        healthy=True,
        restarts=0,
        phase=Phase.HEALTHY,
        started=identity.started if identity else "",
        command=identity.command if identity else "",
    )
