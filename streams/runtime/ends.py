"""Where the logs end, asked by an own client: Faust's idea of it stops with its consumer thread."""

from collections.abc import Iterable

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from streams.runtime.config import KafkaConfig


class Ends:
    """End offsets of partitions.

    Args:
        config: Where the broker is.
    """

    def __init__(self, config: KafkaConfig) -> None:
        self._admin = AdminClient(config.client())

    def ask(
        self, sources: Iterable[tuple[str, int]], timeout_s: float = 2.0
    ) -> dict[tuple[str, int], int | None]:
        """Return one past the last offset of each partition; None where nobody answered.

        Blocks up to `timeout_s`: call it in a thread.
        """
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        wanted = {TopicPartition(*source): latest for source in sources}
        if not wanted:
            return {}
        found: dict[tuple[str, int], int | None] = {}
        asked = self._admin.list_offsets(wanted, request_timeout=timeout_s)
        for where, answer in asked.items():
            source = (where.topic, where.partition)
            try:
                found[source] = answer.result(timeout_s).offset
            except (KafkaException, TimeoutError):
                found[source] = None
        return found
