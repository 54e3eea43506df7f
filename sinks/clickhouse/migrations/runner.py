"""Runs migrations: one statement per request, each recorded with its checksum."""

from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import Any, Protocol

import orjson

from sinks.mapping.metrics import MetricInfo
from sinks.mapping.versions import Cluster, Migration, Step, plan, read_files

BOOK = """CREATE TABLE IF NOT EXISTS crm.ops_migration ${on_cluster} (
  number UInt16, name String, checksum String, down Bool, v UInt64,
  at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ${replicated}MergeTree ORDER BY (number, v)
COMMENT 'Which migrations ran; the highest v of a number decides.'"""


class Client(Protocol):
    """What we use of a clickhouse-connect client."""

    def command(self, cmd: str, *, data: bytes | None = None) -> Any:
        """Run one statement."""

    def query(self, query: str) -> Any:
        """Return an object with `result_rows`."""


def known() -> list[Migration]:
    """Return the migrations of this version, from the package's SQL files."""
    here = files(__package__)
    return read_files(
        {
            entry.name: entry.read_text("utf-8")
            for entry in here.iterdir()
            if entry.name.endswith(".sql")
        }
    )


def migrate(
    client: Client,
    *,
    to: int | None = None,
    down: bool = False,
    dry_run: bool = False,
    metrics: Sequence[MetricInfo] = (),
    cluster: Cluster = Cluster(),  # noqa: B008 - an immutable value
) -> list[Step]:
    """Bring the schema forward (or back) and the metric catalogue up to date.

    Safe to repeat and to interrupt: statements are idempotent, and a migration is recorded after
    its last one.

    Args:
        client: Of a server; needs rights to create databases.
        to: Last migration to make or keep; None: all (going up), none (going down).
        down: Take back what is above `to`, newest first.
        dry_run: Only say what would run; writes nothing at all.
        metrics: The catalogue, for `crm.dim_metric`; written when the schema has the table.
        cluster: Makes replicated tables `ON CLUSTER`.

    Returns:
        The steps that ran (or would), in order; empty: the schema is up to date.

    Raises:
        ConfigurationError: an applied migration was changed, or is unknown to this version.
    """
    steps = plan(known(), _applied(client), to=to, down=down, cluster=cluster)
    if dry_run:
        return steps
    fields = cluster.fields()
    client.command(Template("CREATE DATABASE IF NOT EXISTS crm ${on_cluster}").substitute(fields))
    client.command(Template(BOOK).substitute(fields))
    for step in steps:
        for statement in step.statements:
            client.command(statement)
        _record(client, step)
    if metrics and not down:
        _write_catalogue(client, metrics)
    return steps


def _applied(client: Client) -> dict[int, str]:
    """Return number → checksum of what is in effect."""
    if not _has_table(client, "ops_migration"):
        return {}
    rows = client.query(
        "SELECT number, argMax(checksum, v), argMax(down, v) FROM crm.ops_migration GROUP BY number"
    ).result_rows
    return {number: checksum for number, checksum, undone in rows if not undone}


def _has_table(client: Client, name: str) -> bool:
    found = client.query(
        f"SELECT count() FROM system.tables WHERE database = 'crm' AND name = '{name}'"  # noqa: S608 - our own names
    )
    return bool(found.result_rows[0][0])


def _record(client: Client, step: Step) -> None:
    version = client.query("SELECT max(v) + 1 FROM crm.ops_migration").result_rows[0][0]
    row = {
        "number": step.migration.number,
        "name": step.migration.name,
        "checksum": step.migration.checksum,
        "down": step.down,
        "v": version,
    }
    client.command(
        "INSERT INTO crm.ops_migration (number, name, checksum, down, v) FORMAT JSONEachRow",
        data=orjson.dumps(row),
    )


def _write_catalogue(client: Client, metrics: Sequence[MetricInfo]) -> None:
    """Write the rows of `crm.dim_metric` that differ; readers take the newest of each metric."""
    if not _has_table(client, "dim_metric"):
        return
    held = client.query(
        "SELECT metric, unit, scale, value, description, v FROM crm.dim_metric FINAL"
    ).result_rows
    current = {tuple(row[:5]) for row in held}
    version = max((row[5] for row in held), default=0) + 1
    wanted = [(m.name, m.unit, m.scale, m.value, m.description) for m in metrics]
    changed = [row for row in wanted if row not in current]
    if changed:
        names = ("metric", "unit", "scale", "value", "description", "v")
        body = b"\n".join(
            orjson.dumps(dict(zip(names, (*row, version), strict=True))) for row in changed
        )
        client.command(
            "INSERT INTO crm.dim_metric (metric, unit, scale, value, description, v) "
            "FORMAT JSONEachRow",
            data=body,
        )
