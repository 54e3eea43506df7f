"""`daybook worker|ingest|sink|live|api`: one long-running process each, as the settings say."""

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

    It works for the live generation, and ends with 75 when another one is promoted: start it again.

    Example: daybook worker --instance worker-1
    """
    settings = _start("worker", instance)
    from infra.generations.running import run_regular

    raise typer.Exit(run_regular("worker", settings))


def ingest(
    *,
    instance: Instance = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(help="Topic that lost records or was created again: go on all the same."),
    ] = None,
) -> None:
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
                accept=frozenset(accept or ()),
                stall_after_s=settings.stall_after_s,
                metrics_host=settings.metrics_host,
                metrics_port=settings.metrics_port,
            )
        )
    )


def sink(instance: Instance = None) -> None:
    """Write the journal and everything derived from it to ClickHouse. Exactly once.

    It works for the live generation, and ends with 75 when another one is promoted: start it again.

    Example: daybook sink
    """
    settings = _start("sink", instance)
    from infra.generations.running import run_regular

    raise typer.Exit(run_regular("sink", settings))


def live(
    *,
    instance: Instance = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Forget what Valkey holds and read all again.")
    ] = False,
) -> None:
    """Keep the current metric values in Valkey.

    It works for the live generation, and ends with 75 when another one is promoted: start it again.

    Example: daybook live --rebuild
    """
    settings = _start("live", instance)
    from infra.generations.running import run_regular

    raise typer.Exit(run_regular("live", settings, rebuild=rebuild))


def gateway() -> None:
    """Serve browsers by websocket: what is pushed to them, live and recovered.

    Several may share a port, one per core. SIGTERM ends it gently: clients move to another one.

    Example: daybook gateway
    """
    settings = _start("gateway", None)
    from gateway.websocket.run import GatewayConfig, run_gateway

    raise typer.Exit(
        run_gateway(
            GatewayConfig(
                bootstrap=settings.kafka,
                token_keys=settings.token_key_set,
                token_issuer=settings.token_issuer,
                token_audience=settings.token_audience,
                host=settings.gateway_host,
                port=settings.gateway_port,
                origins=settings.origins,
                trusted_proxies=settings.trusted_proxies,
                node=settings.instance,
                metrics_host=settings.metrics_host,
                metrics_port=settings.metrics_port,
            )
        )
    )


def api() -> None:
    """Serve the HTTP API: events in, figures and timelines out.

    Example: daybook api
    """
    settings = _start("api", None)
    from gateway.http.config import ApiConfig
    from gateway.http.run import run_api
    from infra.commands.metric_rows import listed

    raise typer.Exit(
        run_api(
            ApiConfig(
                bootstrap=settings.kafka,
                clickhouse_url=settings.clickhouse_url,
                token_keys=settings.token_key_set,
                token_issuer=settings.token_issuer,
                token_audience=settings.token_audience,
                host=settings.api_host,
                port=settings.api_port,
                origins=settings.origins,
                trusted_proxies=settings.trusted_proxies,
                metrics=listed(),
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
