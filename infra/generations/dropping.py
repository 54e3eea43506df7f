"""Removing everything a generation left behind."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from infra.commands.connect import admin, answer, answering, clickhouse, producer, valkey
from infra.commands.log_reader import read as read_log
from infra.generations.children import ALL
from infra.offline.store import directory
from schemas.derived.metric import published_key
from schemas.errors import Refused, Unavailable
from schemas.generation import Generation, app_of, group_of
from schemas.topics import METRIC, state_topic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka.admin import AdminClient

    from infra.settings import Settings

LEAVE_S = 30.0
"""A process that was killed stays a member of its group for the session time-out, 6 s."""
POLL_S = 0.5
KEYS = 1_000
CONFLICT = 409
RETRY_S = 1.0


def drop(settings: Settings, generation: Generation) -> Iterator[str]:
    """Remove a generation that the registry already calls dropped; yield what was removed.

    Safe to repeat: what is gone is passed over. The changelog goes last, so an interrupted run is
    seen by `replay list` and finished by another one.

    Args:
        settings: Where everything is.
        generation: Not live.

    Raises:
        Refused: one of its processes still runs.
        Unavailable: an engine doesn't answer.
    """
    number = generation.number
    client = admin(settings)
    _await_left(client, settings, number)
    yield from _values(settings, number)
    yield from _rows(settings, number)
    yield from _tombstones(settings, number)
    yield from _files(settings, number)
    yield from _groups(client, settings, number)
    yield from _state(client, settings, number)


def _await_left(client: AdminClient, settings: Settings, number: int) -> None:
    from confluent_kafka import KafkaError

    groups = [group_of(settings.app, name, number) for name in ALL]
    deadline = time.monotonic() + LEAVE_S
    while True:
        answers = client.describe_consumer_groups(groups)
        found = [
            answer(answers[group], f"group {group}", tolerate=KafkaError.GROUP_ID_NOT_FOUND)
            for group in groups
        ]
        busy = [g for g, about in zip(groups, found, strict=True) if about and about.members]
        if not busy:
            return
        if time.monotonic() > deadline:
            raise Refused(
                CONFLICT,
                f"processes of generation {number} still run (groups {', '.join(busy)}): "
                "stop them, then drop it again",
            )
        time.sleep(POLL_S)


def _values(settings: Settings, number: int) -> Iterator[str]:
    client = valkey(settings)
    deleted = 0
    with answering("Valkey"):
        keys: list[bytes] = []
        for key in client.scan_iter(f"db:{number}:*", count=KEYS):
            keys.append(key)
            if len(keys) >= KEYS:
                deleted += client.unlink(*keys)
                keys = []
        if keys:
            deleted += client.unlink(*keys)
    if deleted:
        yield f"{deleted} keys in Valkey"


def _rows(settings: Settings, number: int) -> Iterator[str]:
    from sinks.clickhouse.pointer import drop_rows

    client = clickhouse(settings)
    with answering("ClickHouse"):
        yield from drop_rows(client, number)


def _tombstones(settings: Settings, number: int) -> Iterator[str]:
    """Delete the generation's values from the compacted topic, or they would stay for ever."""
    mine = published_key(number, b"")
    held: dict[tuple[int, bytes], bool] = {}
    for record in read_log(settings, METRIC):
        if record.key is not None and record.key.startswith(mine):
            held[record.partition, record.key] = record.value is not None
    wanted = [place for place, is_there in held.items() if is_there]
    if not wanted:
        return
    client = producer(settings)
    for partition, key in wanted:
        while True:
            try:
                client.produce(METRIC, None, key, partition)
                break
            except BufferError:
                client.poll(0.1)
    if client.flush(LEAVE_S):
        raise Unavailable("Kafka", RETRY_S, f"tombstones for {METRIC} were not taken")
    yield f"{len(wanted)} values of {METRIC}"


def _files(settings: Settings, number: int) -> Iterator[str]:
    """Delete what this machine keeps; another machine's rows on the disk are of no use there."""
    rows = Path(settings.store_dir) if settings.store_dir else settings.data / "store"
    for folder in (
        settings.data / "replay" / f"g{number}",
        directory(settings) / f"g{number}",
        rows / app_of(settings.app, number),
    ):
        if folder.is_dir():
            shutil.rmtree(folder)
            yield str(folder)


def _groups(client: AdminClient, settings: Settings, number: int) -> Iterator[str]:
    from confluent_kafka import KafkaError

    groups = [group_of(settings.app, name, number) for name in ALL]
    for group, future in client.delete_consumer_groups(groups).items():
        answer(future, f"deleting group {group}", tolerate=KafkaError.GROUP_ID_NOT_FOUND)
        yield f"group {group}"


def _state(client: AdminClient, settings: Settings, number: int) -> Iterator[str]:
    from confluent_kafka import KafkaError

    topic = state_topic(app_of(settings.app, number))
    future = client.delete_topics([topic])[topic]
    answer(future, f"deleting {topic}", tolerate=KafkaError.UNKNOWN_TOPIC_OR_PART)
    yield topic
