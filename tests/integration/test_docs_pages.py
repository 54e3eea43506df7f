"""The blocks of the documentation that talk to Kafka and ClickHouse, run against both."""

from urllib.parse import urlsplit

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from sybil import Example

from infra.embedded.running import RunningStack
from sinks.clickhouse.migrations import migrate
from tests.docs.pages import ROOT, examples

pytestmark = pytest.mark.integration


def _nothing(_: object) -> None:
    """Pages that need engines register nothing."""


@pytest.fixture
def clickhouse(clickhouse_url: str) -> Client:
    """A client of a ClickHouse with every table and view."""
    url = urlsplit(clickhouse_url)
    client = clickhouse_connect.get_client(
        host=url.hostname, port=url.port, username=url.username, password=url.password or ""
    )
    migrate(client)
    return client


def test_publishing_example_reaches_the_broker(app: str, kafka: str) -> None:
    """The event of docs/upstream.md is acknowledged."""
    assert app
    namespace: dict[str, object] = {"bootstrap": kafka}
    for example in examples(
        ROOT / "docs/upstream.md", _nothing, available=frozenset({"kafka"}), namespace=namespace
    ):
        example.evaluate()
        namespace = example.namespace
    assert namespace["left"] == 0


def test_queries_for_bi_run(engines: RunningStack, clickhouse: Client) -> None:
    """Every query of docs/for-bi.md runs, and its SQLAlchemy example sees the views."""
    url = urlsplit(engines.endpoints.clickhouse or "")
    asked: list[str] = []

    def ask(example: Example) -> None:
        clickhouse.query(example.parsed)
        asked.append(example.parsed)

    for example in examples(
        ROOT / "docs/for-bi.md",
        _nothing,
        available=frozenset({"clickhouse"}),
        namespace={
            "user": "bi",
            "password": engines.directory.passwords()["bi"],
            "host": url.hostname,
            "port": url.port,
        },
        sql=ask,
    ):
        example.evaluate()
    assert len(asked) >= 8
