"""What the whole stack consists of, for one data directory."""

import sys
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.websocket.config import PATH
from infra.embedded.aot import aot_cache_file
from infra.embedded.directory import DataDirectory
from infra.embedded.jars import ensure_jars
from infra.embedded.kafka import KafkaBroker
from infra.embedded.lifecycle import RestartPolicy
from infra.embedded.ports import HOST, remembered_ports
from infra.embedded.probes import http_ok
from infra.embedded.spec import ProcessSpec
from infra.embedded.status import Endpoints
from infra.embedded.valkey import ValkeyServer
from schemas.errors import ConfigurationError

ENGINES = ("kafka", "valkey", "clickhouse")
# Job → command, and what it needs.
JOBS = {
    "topics": (("topics", "create"), ("kafka",)),
    "migrate": (("migrate",), ("clickhouse",)),
}
# Our own long-running processes → what they need. Each is a command of the same name.
APPLICATIONS = {
    "ingest": ("topics",),
    "worker": ("topics",),
    "sink": ("topics", "migrate"),
    "live": ("topics", "valkey"),
    "gateway": ("topics",),
}
# Those that serve clients rather than follow the log → what they need. Commands, too.
SERVERS = {"api": ("topics", "migrate")}
NAMES = (*ENGINES, *JOBS, *APPLICATIONS, *SERVERS)
CLIENTS = "gateway-clients"
"""Whose port it is in the book: that of browsers; the gateway's own is for probes."""

_APPLICATION_RESTART = RestartPolicy(
    # The probe is one of progress: a crashed consumer thread leaves a living, idle process behind.
    misses_to_restart=10,
)
_JOB_RESTART = RestartPolicy(give_up_after=4)


@dataclass(frozen=True, slots=True)
class Stack:
    """The processes of one data directory and where they are reached."""

    directory: DataDirectory
    specs: tuple[ProcessSpec, ...]
    endpoints: Endpoints
    metrics: dict[str, str]


def chosen_parts(only: Collection[str] | None) -> tuple[str, ...]:
    """Return the names of the processes to run, in the order of `NAMES`.

    Args:
        only: The wanted ones; `None` for all.

    Raises:
        ConfigurationError: A name that isn't in the stack, or none at all.
    """
    if only is None:
        return NAMES
    unknown = sorted(set(only) - set(NAMES))
    if unknown or not only:
        raise ConfigurationError(
            "only", f"no process is called {', '.join(unknown) or '(nothing)'}: {', '.join(NAMES)}"
        )
    return tuple(name for name in NAMES if name in only)


def compose(directory: DataDirectory, *, cache: Path, only: Collection[str] | None = None) -> Stack:
    """Put the stack together: ports, passwords, commands, order.

    Args:
        directory: Locked by the caller.
        cache: The user's cache folder, for Kafka's jars.
        only: Names of the processes to run. What isn't chosen isn't waited for.

    Raises:
        ConfigurationError: An unknown name in `only`.
        Unavailable: Kafka's jars aren't there and can't be fetched.
    """
    parts = chosen_parts(only)
    owners = [name for name in parts if name not in JOBS]
    ports = remembered_ports(directory.ports, [*owners, "kafka-controller", CLIENTS])
    specs: dict[str, ProcessSpec] = {}
    endpoints = Endpoints()
    if "kafka" in parts:
        broker = _broker(directory, ports, cache)
        specs["kafka"] = broker.spec()
        endpoints = endpoints.model_copy(update={"kafka": broker.bootstrap})
    if "valkey" in parts:
        valkey = ValkeyServer(directory.root / "valkey", ports["valkey"])
        specs["valkey"] = valkey.spec()
        endpoints = endpoints.model_copy(update={"valkey": valkey.url})
    if "clickhouse" in parts:
        port = ports["clickhouse"]
        password = directory.passwords()["daybook"]
        specs["clickhouse"] = _clickhouse_spec(directory, port)
        url = f"http://daybook:{password}@{HOST}:{port}"
        endpoints = endpoints.model_copy(update={"clickhouse": url})
    directory.make_token_keys()
    environment = _environment(endpoints) | {"DAYBOOK_TOKEN_KEYS": str(directory.token_keys)}
    if "gateway" in parts:
        url = f"ws://{HOST}:{ports[CLIENTS]}{PATH}"
        endpoints = endpoints.model_copy(update={"gateway": url})
        environment |= {"DAYBOOK_GATEWAY_PORT": str(ports[CLIENTS])}
    for name, (command, needs) in JOBS.items():
        specs[name] = replace(_command_spec(name, command, environment, needs), one_shot=True)
    for name, application_needs in APPLICATIONS.items():
        if name in parts:
            specs[name] = _application_spec(name, ports[name], environment, application_needs)
    if "api" in parts:
        specs["api"] = _api_spec(ports["api"], environment)
        endpoints = endpoints.model_copy(update={"api": f"http://{HOST}:{ports['api']}"})
    chosen = {name: specs[name] for name in parts}
    return Stack(
        directory=directory,
        specs=tuple(_only_chosen_needs(spec, chosen) for spec in chosen.values()),
        endpoints=endpoints,
        metrics={
            name: f"http://{HOST}:{ports[name]}/metrics" for name in parts if name in APPLICATIONS
        },
    )


def _broker(directory: DataDirectory, ports: dict[str, int], cache: Path) -> KafkaBroker:
    jars = ensure_jars(cache)
    return KafkaBroker(
        folder=directory.root / "kafka",
        port=ports["kafka"],
        controller_port=ports["kafka-controller"],
        jars=jars,
        aot_cache=aot_cache_file(jars),
    )


def _clickhouse_spec(directory: DataDirectory, port: int) -> ProcessSpec:
    folder = directory.root / "clickhouse"
    return ProcessSpec(
        name="clickhouse",
        argv=(
            *(sys.executable, "-m", "infra.embedded.clickhouse"),
            *("--data", str(folder), "--host", HOST, "--port", str(port)),
            *("--accounts", str(directory.accounts)),
        ),
        ready=http_ok(port, "/ping"),
        liveness=http_ok(port, "/ping"),
        stop_timeout_s=15.0,
    )


def _environment(endpoints: Endpoints) -> dict[str, str]:
    """Return the settings by which our processes find the engines."""
    settings = {
        "DAYBOOK_KAFKA": endpoints.kafka,
        "DAYBOOK_VALKEY_URL": endpoints.valkey,
        "DAYBOOK_CLICKHOUSE_URL": endpoints.clickhouse,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _command_spec(
    name: str, command: tuple[str, ...], environment: dict[str, str], needs: tuple[str, ...]
) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        argv=(sys.executable, "-m", "infra.cli", *command),
        env=environment,
        after=needs,
        restart=_JOB_RESTART,
    )


def _application_spec(
    name: str, port: int, environment: dict[str, str], needs: tuple[str, ...]
) -> ProcessSpec:
    healthy = http_ok(port, "/health")
    return replace(
        _command_spec(name, (name,), environment | {"DAYBOOK_METRICS_PORT": str(port)}, needs),
        ready=healthy,
        liveness=healthy,
        restart=_APPLICATION_RESTART,
    )


def _api_spec(port: int, environment: dict[str, str]) -> ProcessSpec:
    healthy = http_ok(port, "/api/v1/health")
    where = {"DAYBOOK_API_HOST": HOST, "DAYBOOK_API_PORT": str(port)}
    return replace(
        _command_spec("api", ("api",), environment | where, SERVERS["api"]),
        ready=healthy,
        liveness=healthy,
        restart=_APPLICATION_RESTART,
    )


def _only_chosen_needs(spec: ProcessSpec, chosen: Collection[str]) -> ProcessSpec:
    return replace(spec, after=tuple(name for name in spec.after if name in chosen))
