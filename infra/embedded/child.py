"""Keep one process running, as `lifecycle.py` decides."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from infra.embedded import lifecycle
from infra.embedded.directory import DataDirectory
from infra.embedded.identity import ProcessIdentity, identify
from infra.embedded.lifecycle import FINAL, Life, Phase
from infra.embedded.logs import log_file
from infra.embedded.spawn import kill_group, spawn, terminate
from infra.embedded.spec import Probe, ProcessSpec

_READY_POLL_S = 0.05
_HOLD_POLL_S = 0.05
_PROBE_TIMEOUT_S = 5.0
_PREPARE_FAILED = 71  # sysexits.h EX_OSERR: only ever seen in our own log

_log = structlog.get_logger(__name__)


class Child:
    """One process of the stack and its restarts.

    Args:
        spec: What to run.
        directory: Where it logs, and where hold files lie.
        changed: Called after every change of `life` or of the process.
    """

    def __init__(
        self, spec: ProcessSpec, directory: DataDirectory, changed: Callable[[], None]
    ) -> None:
        self.spec = spec
        self.life = Life(since_s=time.monotonic())
        self.up = asyncio.Event()
        self.final = asyncio.Event()
        self._directory = directory
        self._changed = changed
        self._stopping = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def identity(self) -> ProcessIdentity | None:
        """The process that runs now, if one does."""
        if self._process is None or self._process.returncode is not None:
            return None
        return identify(self._process.pid)

    async def keep(self, needs: Sequence["Child"]) -> None:
        """Run the process until it is done, gave up, or was asked to stop.

        Args:
            needs: Children that must be up before the first start.
        """
        try:
            for child in needs:
                await self._unless_stopped(child.up.wait())
            while self.life.phase not in FINAL:
                await self._live_once()
        finally:
            # Also after a bug of ours: whoever waits for the end must not wait for ever.
            self.final.set()

    async def stop(self) -> None:
        """End the process and don't start it again; returns when it has ended."""
        self._stopping.set()
        self._become(lifecycle.stop_asked(self.life, time.monotonic()))
        if self._process is not None and not await terminate(
            self._process, self.spec.stop_timeout_s
        ):
            _log.warning("process_killed", process=self.spec.name, after_s=self.spec.stop_timeout_s)
        await self.final.wait()

    def kill(self) -> None:
        """SIGKILL the process now; a `stop` that is under way ends at once."""
        if self._process is not None:
            kill_group(self._process)

    async def _live_once(self) -> None:
        """Start the process, see it end, and pause if it is to be started again."""
        await self._wait_while_held()
        if self._stopping.is_set():
            return
        self._ended(await self._run())
        if self.life.phase is Phase.BACKING_OFF:
            pause_s = self.life.retry_at_s - time.monotonic()
            await self._unless_stopped(asyncio.sleep(max(pause_s, 0)))

    async def _run(self) -> int:
        """Start the process once and return its exit code."""
        self._become(lifecycle.spawned(self.life, time.monotonic()))
        if not await self._prepared():
            return _PREPARE_FAILED
        log = log_file(self._directory.logs, self.spec.name)
        self._process = await spawn(self.spec.argv, log=log, env=self.spec.env)
        self._changed()
        if self._stopping.is_set():
            # Asked for while the process was being made: nobody else has seen it.
            await terminate(self._process, self.spec.stop_timeout_s)
        exit_code = asyncio.ensure_future(self._process.wait())
        if not self.spec.one_shot and await self._until_ready(exit_code):
            self._become(lifecycle.became_ready(self.life, time.monotonic()))
            self.up.set()
            await self._watch(exit_code)
        code = await exit_code
        self._process = None
        return code

    async def _prepared(self) -> bool:
        if self.spec.prepare is None:
            return True
        try:
            await self._unless_stopped(self.spec.prepare())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one failed start
            _log.error("process_preparation_failed", process=self.spec.name, error=str(error))
            return False
        return not self._stopping.is_set()

    async def _until_ready(self, exit_code: asyncio.Future[int]) -> bool:
        deadline = time.monotonic() + self.spec.start_timeout_s
        while not exit_code.done():
            if self.spec.ready is None or await _answers(self.spec.ready):
                return not exit_code.done()
            if time.monotonic() > deadline:
                _log.error(
                    "process_start_timed_out",
                    process=self.spec.name,
                    after_s=self.spec.start_timeout_s,
                )
                await self._end_process()
                return False
            await asyncio.wait({exit_code}, timeout=_READY_POLL_S)
        return False

    async def _watch(self, exit_code: asyncio.Future[int]) -> None:
        """Probe the process until it ends or is condemned."""
        if self.spec.liveness is None:
            return
        while True:
            await asyncio.wait({exit_code}, timeout=self.spec.liveness_period_s)
            if exit_code.done():
                return
            alive = await _answers(self.spec.liveness)
            if exit_code.done():
                return
            self._become(
                lifecycle.probed(
                    self.life, alive=alive, now_s=time.monotonic(), policy=self.spec.restart
                )
            )
            if self.life.phase is Phase.CONDEMNED:
                await self._end_process()
                return

    async def _end_process(self) -> None:
        if self._process is not None:
            await terminate(self._process, self.spec.stop_timeout_s)

    def _ended(self, code: int) -> None:
        self._become(
            lifecycle.exited(
                self.life,
                code,
                now_s=time.monotonic(),
                policy=self.spec.restart,
                job=self.spec.one_shot,
            )
        )
        match self.life.phase:
            case Phase.DONE:
                self.up.set()
            case Phase.FAILED:
                _log.error("process_given_up", process=self.spec.name, exit_code=code)
            case Phase.BACKING_OFF:
                _log.warning(
                    "process_died",
                    process=self.spec.name,
                    exit_code=code,
                    restart_in_s=round(self.life.retry_at_s - time.monotonic(), 2),
                )
            case _:
                pass

    async def _wait_while_held(self) -> None:
        hold = self._directory.holds / self.spec.name
        while hold.exists() and not self._stopping.is_set():
            await self._unless_stopped(asyncio.sleep(_HOLD_POLL_S))

    async def _unless_stopped(self, work: Awaitable[object]) -> None:
        """Wait for the work, or cancel it when a stop is asked for. Its exception is raised."""
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _become(self, life: Life) -> None:
        if life != self.life:
            if life.phase is not self.life.phase:
                _log.info("process_phase_changed", process=self.spec.name, phase=life.phase.value)
            self.life = life
            self._changed()


async def _answers(probe: Probe) -> bool:
    """Ask a probe; one that hangs or raises says no."""
    try:
        return await asyncio.wait_for(probe(), _PROBE_TIMEOUT_S)
    except Exception as error:  # noqa: BLE001 - a probe's failure is its answer
        _log.debug("probe_failed", error=str(error))
        return False
