"""The engines, started once per session; every integration test shares them.

Topic names are fixed, so a test that uses them asks for `topics` and gets them empty, with an app
id of its own (group, changelog and transactional ids are named after it).
"""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from infra.commands.topic_state import converge
from infra.embedded.running import RunningStack
from infra.embedded.stack import ENGINES
from schemas.topics import catalogue
from sinks.clickhouse.client import connect
from sinks.clickhouse.migrations import migrate

CACHE = Path.home() / ".cache" / "daybook"
PARTITIONS = 4
_app_numbers = itertools.count(1)

MakeTopics = Callable[..., str]

LONGEST = (
    "test_chain",
    "test_cli_stack",
    "test_sink_exactness",
    "test_verify",
    "test_replay",
    "test_worker_exactness",
    "test_ingest",
    "test_torture",
    "test_logs_replaced",
    "test_sink_fence",
    "test_supervisor",
    "test_supervisor_command",
    "test_worker_failures",
    "test_live_values",
    "test_sink_failstop",
)
"""Files that take longest, in descending order: begun first, so that no worker ends alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; within a file the order stays."""
    rank = {name: index for index, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Kafka, Valkey and ClickHouse, running; a test may kill one and wait until it is back."""
    data = tmp_path_factory.mktemp("engines")
    with RunningStack.start(data, cache=CACHE, only=ENGINES) as running:
        yield running


@pytest.fixture(scope="session")
def kafka(engines: RunningStack) -> str:
    """Bootstrap servers."""
    assert engines.endpoints.kafka
    return engines.endpoints.kafka


@pytest.fixture(scope="session")
def valkey_url(engines: RunningStack) -> str:
    """URL of Valkey."""
    assert engines.endpoints.valkey
    return engines.endpoints.valkey


@pytest.fixture(scope="session")
def clickhouse_url(engines: RunningStack) -> str:
    """URL of ClickHouse with user and password."""
    assert engines.endpoints.clickhouse
    return engines.endpoints.clickhouse


@pytest.fixture(scope="module")
def client(clickhouse_url: str) -> Iterator[Client]:
    """A client of a server with the schema."""
    client = connect(clickhouse_url)
    migrate(client)
    yield client
    client.close()


@pytest.fixture
def topics(kafka: str) -> MakeTopics:
    """Return a function that makes all topics anew, empty, and returns a fresh app id."""

    def make(partitions: int = PARTITIONS) -> str:
        app = f"test-{next(_app_numbers)}"
        admin = AdminClient({"bootstrap.servers": kafka})
        _drop_all(admin)
        converge(admin, catalogue(app, partitions))
        return app

    return make


@pytest.fixture
def app(topics: MakeTopics) -> str:
    """A fresh app id; all topics are there and empty."""
    return topics()


def _drop_all(admin: AdminClient) -> None:
    """Delete every topic and wait until the broker has forgotten the names."""
    deadline = time.monotonic() + 30
    while names := [name for name in admin.list_topics(timeout=10).topics if name[0] != "_"]:
        assert time.monotonic() < deadline, f"topics don't go away: {names}"
        for dropped in admin.delete_topics(names).values():
            try:
                dropped.result(30)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise
