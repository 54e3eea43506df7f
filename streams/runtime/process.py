"""Running one Faust app as a process: start, watch, stop on a signal, exit with the right code."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from streams.runtime.config import KafkaConfig
from streams.runtime.ends import Ends
from streams.runtime.failstop import fail_stop
from streams.runtime.health import Health, StatusServer
from streams.runtime.identity import Identities
from streams.runtime.progress import Progress, Standing
from streams.runtime.telemetry import LAG, Telemetry

WATCH_S = 1.0
IDENTITY_LOOKS = 3
"""Looks between two questions whether the topics are still the same: each costs a request."""
STOP_S = 20.0

log = structlog.get_logger(__name__)


class Watched(Protocol):
    """An app, as far as running it needs it."""

    @property
    def topics_in_use(self) -> tuple[str, ...]:
        """Return the topics that must stay what they are while this runs."""

    def owned(self) -> dict[tuple[str, int], bool]:
        """Return the partitions of this process, and whether each is open."""

    def standing(self, source: tuple[str, int], end: int | None) -> Standing:
        """Return where a partition stands, given the end of its log."""


class Watch:
    """Looks once a second whether the app moves; the answer of `/health`.

    Args:
        app: The app.
        config: Kafka configuration.
        telemetry: Gets the lag.
    """

    def __init__(self, app: Watched, config: KafkaConfig, telemetry: Telemetry) -> None:
        self._app = app
        self._ends = Ends(config)
        self._identities = Identities(config.client(), app.topics_in_use)
        self._looks = 0
        self._progress = Progress(config.stall_after_s, config.behind_others)
        self._telemetry = telemetry
        self.health = Health("starting")
        self.ready = False

    async def run(self) -> None:
        """Look until cancelled; a stall is a fail-stop."""
        while True:
            await self._look()
            await asyncio.sleep(WATCH_S)

    async def _look(self) -> None:
        await self._look_who_is_there()
        owned = self._app.owned()
        ends = await asyncio.to_thread(self._ends.ask, owned)
        standings = {source: self._app.standing(source, ends.get(source)) for source in owned}
        stalled = self._progress.stalled(standings, time.monotonic())
        for (topic, partition), standing in standings.items():
            if standing.lag is not None:
                self._telemetry.set(LAG, standing.lag, topic, partition)
        self.health = Health(self._state(owned, stalled), _partitions(owned, standings))
        if stalled:
            fail_stop("no progress", partitions=[f"{t}:{p}" for t, p in stalled])

    async def _look_who_is_there(self) -> None:
        self._looks += 1
        if self._looks % IDENTITY_LOOKS == 1:
            replaced = await asyncio.to_thread(self._identities.replaced)
            if replaced:
                fail_stop("a topic was deleted and created again", topics=replaced,
                          runbook="A topic that was created again")  # fmt: skip

    def _state(self, owned: dict[tuple[str, int], bool], stalled: list[tuple[str, int]]) -> str:
        if not self.ready:
            return "starting"
        if stalled:
            return "stalled"
        if not owned:
            return "standby"
        return "running" if all(owned.values()) else "opening"


def _partitions(
    owned: dict[tuple[str, int], bool], standings: dict[tuple[str, int], Standing]
) -> dict[str, dict[str, object]]:
    return {
        f"{topic}:{partition}": {
            "applied": standing.done - 1,
            "end": standing.end,
            "lag": standing.lag,
            "state": "open" if owned[topic, partition] else "opening",
        }
        for (topic, partition), standing in standings.items()
    }


class Service(Protocol):
    """The part of `faust.App` that is started and stopped."""

    async def start(self) -> None:
        """Start; returns when started."""

    async def stop(self) -> None:
        """Stop; returns when stopped."""


def run_until_signalled(
    compose: Callable[[], "Process"],
) -> int:
    """Run a process until SIGTERM or SIGINT.

    Args:
        compose: Makes the parts; called inside the event loop, because Faust binds to it.

    Returns:
        0 after an orderly stop; a failure ends the process with 70 instead.
    """
    # Faust and aiokafka build two or three records of level DEBUG per event otherwise.
    logging.disable(logging.DEBUG)
    with contextlib.suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    return asyncio.run(_run(compose))


async def _run(compose: Callable[[], "Process"]) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopping.set)
    process = compose()
    await process.start()
    await stopping.wait()
    log.info("stopping")
    try:
        async with asyncio.timeout(STOP_S):
            await process.stop()
    except TimeoutError:
        fail_stop("stopping took too long")
    log.info("stopped")
    return 0


class Process:
    """An app with what runs beside it.

    Args:
        app: The Faust app.
        watch: Its health.
        config: Kafka configuration.
        telemetry: Metrics to serve.
        beside: Coroutines to run from the start; one that ends or fails is a fail-stop.
        finish: Called after the app has stopped.
    """

    def __init__(
        self,
        app: Service,
        watch: Watch,
        config: KafkaConfig,
        telemetry: Telemetry,
        *,
        beside: tuple[Callable[[], Awaitable[None]], ...],
        finish: Callable[[], Awaitable[None]],
    ) -> None:
        self._app = app
        self._watch = watch
        self._config = config
        self._telemetry = telemetry
        self._beside = (*beside, watch.run)
        self._finish = finish
        self._tasks: list[asyncio.Task[None]] = []
        self._server: StatusServer | None = None

    async def start(self) -> None:
        """Start everything; returns when the first assignment is open."""
        config = self._config
        if config.metrics_port:
            self._server = StatusServer(
                config.metrics_host,
                config.metrics_port,
                health=lambda: self._watch.health,
                telemetry=self._telemetry,
            )
        self._tasks = [asyncio.create_task(_forever(each)) for each in self._beside]
        try:
            await self._app.start()
        except Exception:  # noqa: BLE001 - whatever Faust raises, half started is not a state
            fail_stop("the app did not start")
        self._watch.ready = True
        log.info("started", app=config.app, instance=config.instance)

    async def stop(self) -> None:
        """Stop everything, the app first: it waits for what is in hand."""
        await self._app.stop()
        await self._finish()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()


async def _forever(body: Callable[[], Awaitable[None]]) -> None:
    try:
        await body()
    except asyncio.CancelledError:
        raise
    except Exception:  # noqa: BLE001 - nobody would notice that it has ended
        fail_stop("a background task failed", task=getattr(body, "__qualname__", ""))
