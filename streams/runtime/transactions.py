"""One Kafka transaction per batch: rows, metrics, effects and position, or none of them."""

from dataclasses import dataclass

from confluent_kafka import KafkaError, Message, Producer

from schemas.derived.metric import published_key
from schemas.topics import EFFECT, METRIC, state_topic
from streams.domain.effects import Effects
from streams.runtime.config import WorkerConfig
from streams.runtime.identity import Origin

FENCE_TIMEOUT_S = 60.0
MARKER = 1
"""A commit leaves one marker record in each partition it touched."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Topics a transaction writes. Three at most: each further one costs a marker (~0.6 ms)."""

    state: str
    metrics: str = METRIC
    effects: str = EFFECT

    @classmethod
    def of(cls, app: str) -> "Outputs":
        """Return the topics of one app id."""
        return cls(state_topic(app))


class Transactions:
    """The transactional producer of one lane; made anew at every assignment.

    Opening it fences: from then on no earlier owner of the partition can commit, and whatever it
    left open is aborted. Order of calls: `begin_and_write`, `commit`, again.

    Args:
        config: Worker configuration.
        partition: The lane's journal partition; every record goes to the same number.
        origin: Which logs the state belongs to; written with every head.

    Attributes:
        tail: One past the last offset of the changelog after our latest commit; None before one.
            A changelog that ends there holds nothing we don't know.
    """

    def __init__(self, config: WorkerConfig, partition: int, origin: Origin) -> None:
        self._partition = partition
        self._origin: list[tuple[str, str | bytes | None]] = [*origin.headers()]
        self._outputs = Outputs.of(config.app)
        self._commit_timeout_s = config.commit_timeout_s
        self._head_offset = -1
        self._whose = published_key(config.generation, b"")
        self.tail: int | None = None
        timeout_ms = int(config.commit_timeout_s * 1000)
        self._producer = Producer({
            **config.client(),
            "transactional.id": f"{config.app}-fold-{partition}",
            "transaction.timeout.ms": config.transaction_timeout_ms,
            "message.timeout.ms": timeout_ms,
            "linger.ms": 20,  # commit flushes; lingering only gathers bigger requests
            "compression.type": "lz4",
            "message.max.bytes": 8 * 1024 * 1024,
            "batch.num.messages": 20_000,
            "batch.size": 1_000_000,
            # far above the effects of one transaction: a full queue is a fail-stop
            "queue.buffering.max.messages": 2_000_000,
            "queue.buffering.max.kbytes": 1 << 20,
        })  # fmt: skip
        self._producer.init_transactions(FENCE_TIMEOUT_S)

    def begin_and_write(self, effects: Effects) -> None:
        """Start a transaction and hand everything over to the client; doesn't wait.

        Raises:
            BufferError: More records than the client's queue takes; batch and queue sizes differ.
            KafkaException: Fenced, or the client failed before.
        """
        producer, partition, outputs = self._producer, self._partition, self._outputs
        producer.begin_transaction()
        send, whose = producer.produce, self._whose
        for key, value in effects.metrics:
            send(outputs.metrics, value, whose + key, partition)
        for key, kind, value in effects.effects:
            send(outputs.effects, value, key, partition, headers=[("kind", kind.encode())])
        last = len(effects.rows) - 1
        for index, (key, value) in enumerate(effects.rows):
            if index < last:
                send(outputs.state, value, key, partition)
            else:  # the head
                send(outputs.state, value, key, partition, on_delivery=self._note_head,
                     headers=self._origin)  # fmt: skip

    def commit(self) -> None:
        """Commit; blocks until the broker has answered, so call it in a thread.

        Raises:
            KafkaException: Fenced, timed out or aborted: nothing of the batch is visible, or the
                answer is unknown. Either way the process must stop and read the changelog again.
        """
        self._producer.commit_transaction(self._commit_timeout_s)
        self.tail = self._head_offset + 1 + MARKER

    def _note_head(self, error: KafkaError | None, message: Message) -> None:
        # Delivered is not committed: `tail` moves only in `commit`.
        offset = message.offset()
        if error is None and offset is not None:
            self._head_offset = offset
