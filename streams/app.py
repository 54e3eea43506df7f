"""The two Faust apps, put together; `infra` calls `run_worker` and `run_ingest`."""

from collections.abc import Mapping

from schemas.errors import CorruptLog
from schemas.topics import catalogue
from streams.domain.fold import Fold, fold
from streams.domain.selection import Selection, selected
from streams.processors.ingest import ingest_processor
from streams.processors.journal import journal_processor
from streams.processors.ticks import Ticker
from streams.runtime.config import IngestConfig, KafkaConfig, WorkerConfig
from streams.runtime.failstop import fail_stop
from streams.runtime.ingestion import IngestApp
from streams.runtime.intake import Intake
from streams.runtime.preflight import check_topics
from streams.runtime.process import Process, Watch, run_until_signalled
from streams.runtime.sources import open_sources
from streams.runtime.telemetry import Telemetry, wall_ms
from streams.runtime.worker import WorkerApp

__all__ = ["IngestConfig", "WorkerConfig", "create_ingest", "create_worker", "run_ingest",
           "run_worker"]  # fmt: skip


def create_worker(config: WorkerConfig, *, fold: Fold = fold) -> Process:
    """Compose the worker; call it inside the event loop it will run in.

    Args:
        config: Worker configuration.
        fold: What to do with the journal, or with the part that the configuration selects.
    """
    telemetry = Telemetry()
    selection = Selection(config.tenant, frozenset(config.metrics))
    app = WorkerApp(config, selected(fold, selection), telemetry)
    app.agent(app.journal, name="journal")(journal_processor(app.lanes))
    ticker = Ticker(config, app.lanes, clock=wall_ms, telemetry=telemetry)

    async def finish() -> None:
        await app.stop_lanes()
        await app.close_lanes()
        ticker.close()

    return Process(
        app,
        Watch(app, config, telemetry),
        config,
        telemetry,
        beside=(ticker.run,) if config.tick_ms else (),
        finish=finish,
    )


def create_ingest(config: IngestConfig, origins: Mapping[str, str] | None = None) -> Process:
    """Compose ingest; call it inside the event loop it will run in.

    Args:
        config: Ingest configuration.
        origins: From `open_sources`.
    """
    telemetry = Telemetry()
    intake = Intake(config, clock=wall_ms, telemetry=telemetry, origins=origins)
    app = IngestApp(config, intake)
    app.agent(app.upstream, name="ingest")(ingest_processor(intake))

    async def finish() -> None:
        intake.close()

    return Process(
        app,
        Watch(app, config, telemetry),
        config,
        telemetry,
        beside=(intake.serve,),
        finish=finish,
    )


def run_worker(config: WorkerConfig, *, fold: Fold = fold) -> int:
    """Run a worker until SIGTERM or SIGINT; a failure ends the process with 70.

    Returns:
        Exit code 0.

    Raises:
        ConfigurationError: A topic is missing or has another partition count.
        Unavailable: No broker answers.
    """
    _check(config)
    return run_until_signalled(lambda: create_worker(config, fold=fold))


def run_ingest(config: IngestConfig) -> int:
    """Run ingest until SIGTERM or SIGINT; a failure ends the process with 70.

    Returns:
        Exit code 0.

    Raises:
        ConfigurationError: A topic is missing or has another partition count.
        Unavailable: No broker answers.
    """
    _check(config)
    try:
        origins = open_sources(config)
    except CorruptLog:
        fail_stop("a topic isn't the one that was read", runbook="A topic that was created again")
    return run_until_signalled(lambda: create_ingest(config, origins))


def _check(config: KafkaConfig) -> None:
    check_topics(config, catalogue(config.app, config.partitions))
