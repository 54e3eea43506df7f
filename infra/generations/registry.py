"""Reading and changing the registry of generations in `ops.generation.v1`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from infra.commands.connect import (
    RETRY_AFTER_S,
    admin,
    answering,
    kafka_config,
    metadata,
    reader,
)
from infra.commands.log_reader import read as read_log
from schemas.codec import decode_generation, encode_generation
from schemas.errors import ConfigurationError, Unavailable
from schemas.generation import FIRST, Generation, Registry, app_of
from schemas.topics import GENERATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.settings import Settings

TIMEOUT_S = 30.0


def read(settings: Settings) -> Registry:
    """Return the registry as it is now; without its topic the first generation is live.

    Raises:
        Unavailable: no broker answers.
    """
    consumer = reader(settings)
    try:
        known = metadata(consumer, settings).topics
    finally:
        consumer.close()
    if GENERATION not in known:
        return Registry(settings.app)
    records = read_log(settings, GENERATION)
    return Registry(settings.app, (decode_generation(each.value or b"") for each in records))


def change(
    settings: Settings, decide: Callable[[Registry, int], Generation | None]
) -> tuple[Registry, Generation | None]:
    """Append what `decide` says, as if nobody else changed the registry meanwhile.

    A transactional producer of one name is the lock: whoever opens it later fences us, and our
    commit fails. So what was decided upon is what is in the topic.

    Args:
        settings: Where Kafka is, and of which installation.
        decide: (registry, now in UTC ms) → record to append; None leaves all as it is.

    Returns:
        (the registry after the change, what was appended).

    Raises:
        ConfigurationError: the topic doesn't exist.
        Unavailable: no broker answers, or another command changed the registry at the same time.
        Refused: by `decide`.
    """
    from confluent_kafka import Producer

    if GENERATION not in metadata(admin(settings), settings).topics:
        raise ConfigurationError("topics", f"{GENERATION} is missing; run `daybook topics create`")
    producer = Producer(
        kafka_config(
            settings,
            **{"transactional.id": f"{settings.app}-generations", "transaction.timeout.ms": 15_000},
        )
    )
    try:
        with answering("Kafka"):
            producer.init_transactions(TIMEOUT_S)
        registry = read(settings)
        record = decide(registry, time.time_ns() // 1_000_000)
        if record is None:
            return registry, None
        with answering("Kafka"):
            producer.begin_transaction()
            producer.produce(GENERATION, encode_generation(record), record.key, partition=0)
            producer.commit_transaction(TIMEOUT_S)
    except BufferError as error:
        raise Unavailable("Kafka", RETRY_AFTER_S, str(error)) from None
    registry.apply(record)
    return registry, record


def generation_of(settings: Settings) -> int:
    """Return the generation these settings mean: the one they name, else the live one.

    Raises:
        Unavailable: no broker answers.
    """
    return settings.generation or read(settings).live.number


def app_in(settings: Settings) -> str:
    """Return the app id of the generation these settings mean.

    Raises:
        Unavailable: no broker answers.
    """
    return app_of(settings.app, generation_of(settings))


def resolved(settings: Settings) -> Settings:
    """Return the settings with the generation they mean filled in, so that it is asked once.

    Raises:
        Unavailable: no broker answers.
    """
    return at(settings, generation_of(settings))


def at(settings: Settings, number: int) -> Settings:
    """Return the same settings for one generation."""
    return settings.model_copy(update={"generation": number})


def first_of(settings: Settings) -> Settings:
    """Return the same settings for the generation every installation begins with."""
    return at(settings, FIRST)
