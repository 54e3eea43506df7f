"""Where the logs end, asked by an own client: Faust's idea of it stops with its consumer thread."""

from collections.abc import Iterable

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from streams.runtime.config import KafkaConfig

Found = dict[tuple[str, int], int | None]


class Ends:
    """End offsets of partitions.

    Args:
        config: Where the broker is.
    """

    def __init__(self, config: KafkaConfig) -> None:
        self._config = config
        self._admin: AdminClient | None = None

    def ask(self, sources: Iterable[tuple[str, int]], timeout_s: float = 2.0) -> Found:
        """Return one past the last offset of each partition; None where nobody answered.

        An open transaction ends a log: nobody may read on, so that is no lag and no stall.
        Blocks up to `timeout_s`: call it in a thread.
        """
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        wanted = {TopicPartition(*source): latest for source in sources}
        if not wanted:
            return {}
        if self._admin is None:
            self._admin = AdminClient({**self._config.client(), "log_level": 0})
        asked = self._admin.list_offsets(
            wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=timeout_s
        )
        found: Found = {}
        for where, answer in asked.items():
            try:
                offset = answer.result(timeout_s).offset
            except (KafkaException, TimeoutError):
                offset = -1
            found[where.topic, where.partition] = offset if offset >= 0 else None
        if None in found.values():
            # After an outage librdkafka goes on believing in "no leader" for five minutes
            # (its metadata refresh), and every answer is an error: ask with a new client.
            self._admin = None
        return found
