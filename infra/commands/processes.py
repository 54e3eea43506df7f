"""`daybook worker|ingest|sink|live`: one long-running process each, configured by the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from infra.settings import Settings

Instance = Annotated[
    str | None, typer.Option(help="Static member id; one per process, stable over restarts.")
]


def worker(instance: Instance = None) -> None:
    """Fold the journal: tables, metrics, facts, actions. Exactly once.

    Example: daybook worker --instance worker-1
    """
    settings = _start("worker", instance)
    from streams.app import WorkerConfig, run_worker

    raise typer.Exit(
        run_worker(
            WorkerConfig(
                bootstrap=settings.kafka,
                app=settings.app,
                partitions=settings.partitions,
                instance=settings.instance,
                tick_ms=settings.tick_ms,
                generation=settings.generation,
                metrics_host=settings.metrics_host,
                metrics_port=settings.metrics_port,
            )
        )
    )


def ingest(instance: Instance = None) -> None:
    """Check upstream events and write them to the journal; what can't be read to dlq.v1.

    Example: daybook ingest
    """
    settings = _start("ingest", instance)
    from streams.app import IngestConfig, run_ingest

    raise typer.Exit(
        run_ingest(
            IngestConfig(
                bootstrap=settings.kafka,
                app=settings.app,
                partitions=settings.partitions,
                instance=settings.instance,
                metrics_host=settings.metrics_host,
                metrics_port=settings.metrics_port,
            )
        )
    )


def sink(instance: Instance = None) -> None:
    """Write the journal and everything derived from it to ClickHouse. Exactly once.

    Example: daybook sink
    """
    settings = _start("sink", instance)
    from sinks.clickhouse.run import SinkConfig, run_sink

    raise typer.Exit(
        run_sink(
            SinkConfig(
                bootstrap=settings.kafka,
                clickhouse_url=settings.clickhouse_url,
                app=settings.app,
                instance=settings.instance,
                generation=settings.generation,
                metrics_host=settings.metrics_host,
                metrics_port=settings.metrics_port,
            )
        )
    )


def live(
    *,
    instance: Instance = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Forget what Valkey holds and read all again.")
    ] = False,
) -> None:
    """Keep the current metric values in Valkey.

    Example: daybook live --rebuild
    """
    settings = _start("live", instance)
    from sinks.live.run import LiveConfig, run_live

    raise typer.Exit(
        run_live(
            LiveConfig(
                bootstrap=settings.kafka,
                valkey_url=settings.valkey_url,
                app=settings.app,
                instance=settings.instance,
                generation=settings.generation,
                metrics_host=settings.metrics_host,
                metrics_port=settings.metrics_port,
                rebuild=rebuild,
            )
        )
    )


def _start(process: str, instance: str | None) -> Settings:
    """Read the settings of a long-running process and set up its logging."""
    from infra.logging import configure
    from infra.settings import load

    settings = load(instance=instance)
    configure(settings.log_format, settings.log_level)
    if settings.instance:
        return settings
    return settings.model_copy(update={"instance": f"{process}-0"})
