"""The chain on real servers in containers, for machines with a Docker engine.

Not part of `make test`, which runs the same engines embedded. Run by `make test-containers`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from testcontainers.community.clickhouse import ClickHouseContainer
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.redis import RedisContainer

PROCESSES = ("ingest", "worker", "sink", "live")
DEADLINE_S = 120


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """Settings of three servers in containers."""
    with ExitStack() as stack:
        broker = KafkaContainer().with_kraft()
        # Transactions on one broker: the internal topic can't have the usual three replicas.
        broker.with_env("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
        broker.with_env("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
        kafka = stack.enter_context(broker)
        valkey = stack.enter_context(RedisContainer("valkey/valkey:9.1-alpine"))
        clickhouse = stack.enter_context(
            ClickHouseContainer(
                "clickhouse/clickhouse-server:26.9",
                username="daybook",
                password="test",
            )
        )
        host, port = clickhouse.get_container_host_ip(), clickhouse.get_exposed_port(8123)
        yield {
            **os.environ,
            "DAYBOOK_KAFKA": kafka.get_bootstrap_server(),
            "DAYBOOK_VALKEY_URL": f"redis://{valkey.get_container_host_ip()}:"
            f"{valkey.get_exposed_port(6379)}/0",
            "DAYBOOK_CLICKHOUSE_URL": f"http://daybook:test@{host}:{port}",
        }


def daybook(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.timeout(600)
def test_pipeline_agrees_on_real_servers(environment: dict[str, str]) -> None:
    """Import the B2B pipeline; Valkey, ClickHouse and an offline fold agree on every bucket."""
    for job in (("topics", "create"), ("migrate",)):
        done = daybook(environment, *job)
        assert done.returncode == 0, done.stderr
    with ExitStack() as stack:
        for name in PROCESSES:
            process = subprocess.Popen([sys.executable, "-m", "infra.cli", name], env=environment)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        imported = daybook(environment, "import", "b2b-pipeline", "--json")
        assert imported.returncode == 0, imported.stderr
        assert json.loads(imported.stdout)["events"] > 0
        deadline = time.monotonic() + DEADLINE_S
        while True:
            checked = daybook(environment, "verify", "--tenant", "b2b")
            if checked.returncode == 0:
                break
            assert time.monotonic() < deadline, checked.stdout + checked.stderr
