"""Clients of the engines, made from the settings; silence of a service is `Unavailable`."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

from schemas.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    import redis
    from clickhouse_connect.driver.client import Client
    from confluent_kafka import Consumer, Producer
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.admin._metadata import ClusterMetadata

    from infra.settings import Settings

TIMEOUT_S = 5.0
RETRY_AFTER_S = 1.0
UNKNOWN_TABLE, UNKNOWN_DATABASE = 60, 81
"""ClickHouse's codes for what isn't there before `daybook migrate`."""

Engine = Literal["Kafka", "Valkey", "ClickHouse"]


class NotMigrated(ConfigurationError):  # noqa: N818 - named by what it is, like its peers
    """ClickHouse answers, but lacks a table; `daybook migrate` makes it."""

    def __init__(self) -> None:
        super().__init__("ClickHouse", "a table is missing; run `daybook migrate`")


@contextmanager
def answering(engine: Engine, where: str = "") -> Iterator[None]:
    """Turn what the engine's driver raises inside the block into an error of ours.

    Args:
        engine: Whose driver is used inside.
        where: Its host and port, for the message; never its password.

    Raises:
        NotMigrated: ClickHouse doesn't know the table or the database.
        Unavailable: any other failure of the driver.
    """
    try:
        yield
    except _failures(engine) as error:
        if getattr(error, "code", None) in {UNKNOWN_TABLE, UNKNOWN_DATABASE}:
            raise NotMigrated from None
        service = f"{engine} at {where}" if where else engine
        raise Unavailable(service, RETRY_AFTER_S, _reason(error)) from None


def _failures(engine: Engine) -> type[Exception]:
    """Return the root of a driver's exceptions; asked only once something was raised."""
    if engine == "Kafka":
        from confluent_kafka import KafkaException

        return KafkaException
    if engine == "Valkey":
        from redis import RedisError

        return RedisError
    from clickhouse_connect.driver.exceptions import ClickHouseError

    return ClickHouseError


_SILENT = logging.NullHandler()


def _quiet(*_: object) -> None:
    """Swallow what librdkafka would print about a broker: the caller says it in one line."""


def kafka_config(settings: Settings, **extra: Any) -> dict[str, Any]:
    """Return the configuration every Kafka client of the command line shares."""
    return {
        "bootstrap.servers": settings.kafka,
        "error_cb": _quiet,
        "log_level": 0,
        "socket.connection.setup.timeout.ms": 5_000,
        **extra,
    }


def admin(settings: Settings) -> AdminClient:
    """Return an admin client of a broker that answers.

    Raises:
        Unavailable: none of the bootstrap servers answers within 5 s.
    """
    from confluent_kafka.admin import AdminClient

    client = AdminClient(kafka_config(settings))
    metadata(client, settings)
    return client


def metadata(client: AdminClient | Consumer | Producer, settings: Settings) -> ClusterMetadata:
    """Return the cluster's metadata.

    Raises:
        Unavailable: the broker does not answer within 5 s.
    """
    with answering("Kafka", settings.kafka):
        return client.list_topics(timeout=TIMEOUT_S)


def answer(future: Future[Any], doing: str, *, tolerate: int | None = None) -> Any:
    """Wait for one answer of an admin client; keep the client until then, it dies with its object.

    Args:
        future: What the client returned.
        doing: For the message.
        tolerate: Kafka error code that counts as no answer, None.

    Raises:
        Unavailable: it failed, or took longer than 10 s.
    """
    from confluent_kafka import KafkaException

    try:
        return future.result(2 * TIMEOUT_S)
    except KafkaException as error:
        if error.args[0].code() == tolerate:
            return None
        raise Unavailable("Kafka", RETRY_AFTER_S, f"{doing}: {error.args[0].str()}") from None
    except TimeoutError:
        raise Unavailable("Kafka", RETRY_AFTER_S, f"{doing}: no answer") from None


def producer(settings: Settings) -> Producer:
    """Return an idempotent producer that partitions like every other client (murmur2).

    Raises:
        Unavailable: the broker does not answer.
    """
    from confluent_kafka import Producer

    client = Producer(
        kafka_config(
            settings,
            **{
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "message.max.bytes": 9 * 1024 * 1024,
            },
        )
    )
    metadata(client, settings)
    return client


def reader(settings: Settings, **extra: Any) -> Consumer:
    """Return a consumer without group position that sees committed records only.

    It reports the end of each partition; use `poll()`, never `consume()`: with end events that
    one loses a record after a seek.
    """
    from confluent_kafka import Consumer

    return Consumer(
        kafka_config(
            settings,
            **{
                "group.id": f"{settings.app}-cli",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "fetch.message.max.bytes": 9 * 1024 * 1024,
                **extra,
            },
        )
    )


def valkey(settings: Settings) -> redis.Redis:
    """Return a client of a Valkey that answers; replies are bytes.

    Raises:
        ConfigurationError: the URL isn't one.
        Unavailable: no answer.
    """
    import redis

    try:
        client = redis.Redis.from_url(settings.valkey_url, socket_timeout=TIMEOUT_S)
    except ValueError as error:
        raise ConfigurationError("DAYBOOK_VALKEY_URL", str(error)) from None
    with answering("Valkey", _place(settings.valkey_url)):
        client.ping()
    return client


def clickhouse(settings: Settings) -> Client:
    """Return a client of a ClickHouse that answers.

    Raises:
        ConfigurationError: the URL isn't `http(s)://user:password@host:port`.
        Unavailable: no answer, or the credentials are refused.
    """
    import clickhouse_connect

    # The driver logs each failure it raises; unconfigured, that would be a second line about it.
    logging.getLogger("clickhouse_connect").addHandler(_SILENT)
    url = urlsplit(settings.clickhouse_url)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ConfigurationError("DAYBOOK_CLICKHOUSE_URL", "use http://user:password@host:port")
    with answering("ClickHouse", _place(settings.clickhouse_url)):
        return clickhouse_connect.get_client(
            interface=url.scheme,
            host=url.hostname,
            port=url.port or (8443 if url.scheme == "https" else 8123),
            username=unquote(url.username or "default"),
            password=unquote(url.password or ""),
            connect_timeout=max(1, int(TIMEOUT_S)),
        )


def _place(url: str) -> str:
    """Return host:port of a URL; the rest may hold a password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _reason(error: Exception) -> str:
    """Return a short, single-line reason."""
    from confluent_kafka import KafkaException

    if isinstance(error, KafkaException):
        return str(error.args[0].str())
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__
