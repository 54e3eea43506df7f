"""Valkey, with the repeats that are safe."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import redis
import structlog
from redis.exceptions import BusyLoadingError, ReadOnlyError
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import TimeoutError as TimedOut

from schemas.errors import ConfigurationError
from sinks.live.read import read_hash, read_positions
from sinks.live.script import WRITE
from sinks.mapping.valkey import (
    REBUILDING_FIELD,
    TOPIC_FIELD,
    Feed,
    Position,
    calls,
    position_key,
)
from sinks.retry import Backoff, persist

T = TypeVar("T")
log = structlog.get_logger(__name__)
FIELDS_PER_CALL = 2_000
"""One run of the script takes Valkey about 5 ms."""
KEYS_PER_SCAN = 1_000


def connect(url: str) -> redis.Redis:
    """Return a client; it connects when it is used.

    Raises:
        ConfigurationError: `url` isn't one of Valkey.
    """
    try:
        return redis.Redis.from_url(url, socket_timeout=10, socket_connect_timeout=5)
    except ValueError as error:
        raise ConfigurationError(
            "valkey_url", "must be redis://[:password@]host:port/db"
        ) from error


def transient(error: Exception) -> bool:
    """Whether the same call may succeed later."""
    return isinstance(error, (Disconnected, TimedOut, BusyLoadingError, ReadOnlyError, OSError))


class Store:
    """The values of one generation.

    Args:
        client: Of Valkey.
        generation: Whose keys.
        topic_id: Kafka's id of the topic the values come from.
        backoff: How patiently to wait for Valkey.
        failed: Told of every failed attempt.
        stopped: Whether the process was asked to end.
    """

    def __init__(
        self,
        client: redis.Redis,
        generation: int,
        topic_id: str,
        backoff: Backoff,
        failed: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._client, self._generation, self._topic_id = client, generation, topic_id
        self._backoff, self._failed, self._stopped = backoff, failed, stopped
        self._positions = position_key(generation)

    def positions(self) -> dict[int, Position]:
        """Return partition → position of what Valkey holds."""
        return self._persist(lambda: read_positions(self._client, self._generation))

    def is_rebuilding(self) -> bool:
        """Whether a process is clearing the generation, or died while it did."""
        return bool(self._persist(lambda: self._client.hexists(self._positions, REBUILDING_FIELD)))

    def held_topic_id(self) -> str:
        """Return the id of the topic Valkey's values come from; empty before the first."""
        held = self._persist(lambda: read_hash(self._client, self._positions))
        return held.get(TOPIC_FIELD, b"").decode()

    def adopt(self) -> None:
        """Note which topic the values come from."""
        self._persist(lambda: self._client.hset(self._positions, TOPIC_FIELD, self._topic_id))

    @property
    def is_foreign(self) -> bool:
        """Whether Valkey's values come from a topic that was created again since."""
        return self.held_topic_id() not in {"", self._topic_id}

    def clear(self) -> int:
        """Delete all values of the generation; safe to repeat after a crash.

        While it runs, other processes' flushes are refused, so that nothing they write is deleted.

        Returns:
            How many keys were deleted.
        """

        def announce() -> None:
            pipe = self._client.pipeline(transaction=True)
            pipe.delete(self._positions)
            pipe.hset(self._positions, REBUILDING_FIELD, 1)
            pipe.execute()

        self._persist(announce)
        deleted = self._persist(self._delete_values)
        self._persist(lambda: self._client.hdel(self._positions, REBUILDING_FIELD))
        return deleted

    def _delete_values(self) -> int:
        deleted = 0
        keys: list[bytes] = []
        for key in self._client.scan_iter(match=b"db:%d:*" % self._generation, count=KEYS_PER_SCAN):
            if key != self._positions:
                keys.append(key)
            if len(keys) >= KEYS_PER_SCAN:
                deleted += self._client.unlink(*keys)
                keys = []
        if keys:
            deleted += self._client.unlink(*keys)
        return deleted

    def flush(self, feeds: Mapping[int, Feed]) -> set[int]:
        """Write feeds in one round trip.

        Args:
            feeds: Partition → what to write; those that succeed are marked written.

        Returns:
            Partitions whose position wasn't the expected one, or is being cleared; nothing of
            them was written.

        Raises:
            Unavailable: Valkey stayed away.
        """
        runs = [
            (partition, call)
            for partition, feed in feeds.items()
            for call in calls(feed, self._generation, partition, FIELDS_PER_CALL)
        ]

        def attempt() -> list[bytes | None]:
            pipe = self._client.pipeline(transaction=False)
            for _, call in runs:
                pipe.eval(WRITE, len(call.keys), *call.keys, *call.args)
            return pipe.execute()

        answers = self._persist(attempt)
        moved = {
            partition
            for (partition, _), held in zip(runs, answers, strict=True)
            if held is not None
        }
        for partition, feed in feeds.items():
            if partition not in moved:
                feed.written()
        return moved

    def _persist(self, call: Callable[[], T]) -> T:
        return persist(
            call,
            service="valkey",
            transient=transient,
            backoff=self._backoff,
            failed=self._failed,
            stopped=self._stopped,
        )
