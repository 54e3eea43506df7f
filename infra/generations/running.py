"""Running one process for one generation: the regular ones, and those of a replay."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from infra.generations.following import Following
from infra.generations.pointers import point_clickhouse, point_valkey
from infra.generations.registry import generation_of
from schemas.errors import ConfigurationError
from schemas.generation import app_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.settings import Settings
    from schemas.generation import Generation, Registry
    from streams.app import WorkerConfig

Name = Literal["worker", "sink", "live"]
RESTART = 75
"""Exit code that asks for another start (sysexits.h EX_TEMPFAIL): another generation is live."""


def run_regular(name: Name, settings: Settings, *, rebuild: bool = False) -> int:
    """Run a process of the live generation, or of the one the settings name.

    Without a generation of its own it ends with 75 when another one was promoted: whoever keeps it
    running starts it anew, and it works for that one.

    Args:
        name: Which process.
        settings: With the instance.
        rebuild: Of `live`: read everything again.

    Returns:
        0 after a signal, 75 to be started again. It may end with 70 at any time.

    Raises:
        ConfigurationError: a topic is missing, or an address is wrong.
        Unavailable: no broker answers.
    """
    number = generation_of(settings)
    following = None
    if settings.generation is None:
        following = Following(settings, number, regular=True, mend=_mending(name, settings))
        following.start()
    code = _run(name, settings, number, rebuild=rebuild)
    return RESTART if following is not None and following.outdated else code


def run_for_replay(name: Name, settings: Settings, generation: Generation) -> int:
    """Run a process of a generation beside the live one, until it is told to stop or given up.

    It joins its group without a fixed place, so that a regular process can take over at once, and
    appends no ticks: time passes by the journal's.

    Args:
        name: Which process.
        settings: Where the engines are.
        generation: Which, and which part of the data it holds.
    """
    Following(settings, generation.number, regular=False).start()
    beside = settings.model_copy(update={"instance": "", "metrics_port": 0, "tick_ms": 0})
    return _run(name, beside, generation.number, part=generation)


def _mending(name: Name, settings: Settings) -> Callable[[Registry], None] | None:
    """Return what repairs the pointer that this process stands behind."""
    if name == "worker":
        return None
    point = point_clickhouse if name == "sink" else point_valkey

    def mend(registry: Registry) -> None:
        point(settings, registry)

    return mend


def _run(
    name: Name,
    settings: Settings,
    number: int,
    *,
    part: Generation | None = None,
    rebuild: bool = False,
) -> int:
    if name == "worker":
        from streams.app import run_worker

        return run_worker(worker_config(settings, number, part))
    if name == "sink":
        from sinks.clickhouse.run import SinkConfig, run_sink

        return run_sink(
            SinkConfig(
                bootstrap=settings.kafka,
                clickhouse_url=settings.clickhouse_url,
                app=settings.app,
                instance=settings.instance,
                generation=number,
                metrics_host=settings.metrics_host,
                metrics_port=settings.metrics_port,
            )
        )
    from sinks.live.run import LiveConfig, run_live

    return run_live(
        LiveConfig(
            bootstrap=settings.kafka,
            valkey_url=settings.valkey_url,
            app=settings.app,
            instance=settings.instance,
            generation=number,
            metrics_host=settings.metrics_host,
            metrics_port=settings.metrics_port,
            rebuild=rebuild,
        )
    )


def worker_config(settings: Settings, number: int, part: Generation | None = None) -> WorkerConfig:
    """Return the configuration of a worker of one generation.

    Args:
        settings: Where Kafka is.
        number: Which generation.
        part: Names the only tenant and metrics it holds; None: all.
    """
    from streams.app import WorkerConfig

    return WorkerConfig(
        bootstrap=settings.kafka,
        app=app_of(settings.app, number),
        partitions=settings.partitions,
        instance=settings.instance,
        stall_after_s=settings.stall_after_s,
        tick_ms=settings.tick_ms,
        store_dir=store_dir(settings),
        generation=number,
        metrics_host=settings.metrics_host,
        metrics_port=settings.metrics_port,
        tenant="" if part is None else part.tenant,
        metrics=() if part is None else tuple(part.metrics),
    )


def store_dir(settings: Settings) -> str:
    """Return the directory of a worker's rows; empty when they are in memory.

    Raises:
        ConfigurationError: The library isn't installed.
    """
    if settings.store == "memory":
        return ""
    if find_spec("rocksdict") is None:
        raise ConfigurationError("DAYBOOK_STORE", "rocksdb needs `pip install daybook[rocksdb]`")
    return settings.store_dir or str(settings.data / "store")
