"""Kafka's ids of topics: one deleted and created again has another id, whatever its offsets say."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from schemas.errors import CorruptLog, Unavailable
from streams.runtime.config import ClientConfig

Headers = Sequence[tuple[str, bytes]]
JOURNAL_HEADER, STATE_HEADER = "journal_id", "state_id"


class Origin(NamedTuple):
    """The two logs a partition's state belongs to; every head record carries them as headers.

    In headers and not in the row: the row is the fold's, equal bytes for equal journals.

    Args:
        journal: Id of the topic whose entries were folded.
        state: Id of the changelog topic the rows were written to.
    """

    journal: str
    state: str

    def headers(self) -> list[tuple[str, bytes]]:
        """Return what the head record carries."""
        return [(JOURNAL_HEADER, self.journal.encode()), (STATE_HEADER, self.state.encode())]

    def check(self, partition: int, held: Headers) -> None:
        """Refuse a state that belongs to other logs than those there are now.

        Args:
            partition: Of the journal, for the message.
            held: Headers of the newest head record; heads of earlier versions carry none.

        Raises:
            CorruptLog: The journal or the changelog was deleted and created again since.
        """
        found = dict(held)
        for name, what, now in (
            (JOURNAL_HEADER, "the journal", self.journal),
            (STATE_HEADER, "the state topic", self.state),
        ):
            then = found.get(name, now.encode()).decode()
            if then != now:
                raise CorruptLog(
                    f"journal partition {partition}: the state belongs to topic id {then}, but "
                    f"{what} was created again (id {now}); restore it, or use a new app id"
                )


def ask(client: ClientConfig, topics: Sequence[str], *, timeout_s: float = 10.0) -> dict[str, str]:
    """Return topic → id; blocks, so call it in a thread.

    Raises:
        Unavailable: The broker didn't say.
    """
    return _described(_admin(client), topics, timeout_s)


def _admin(client: ClientConfig) -> AdminClient:
    return AdminClient({**client, "log_level": 0})


def _described(admin: AdminClient, topics: Sequence[str], timeout_s: float) -> dict[str, str]:
    found = {}
    answers = admin.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)
    for topic, answer in answers.items():
        try:
            found[topic] = str(answer.result(timeout_s + 5).topic_id)
        except (KafkaException, TimeoutError) as error:
            raise Unavailable("kafka", 1.0, f"{topic}: {error}") from error
    return found


class Identities:
    """Notices that a topic is another one than before, while the process runs.

    The client goes on at the same offset of the new topic, or jumps to its beginning: both would
    skip records in silence.

    Args:
        client: Where the broker is.
        topics: Which to look at.
    """

    def __init__(self, client: ClientConfig, topics: Iterable[str]) -> None:
        self._client, self._topics = client, tuple(topics)
        self._first: dict[str, str] = {}
        self._admin: AdminClient | None = None

    def replaced(self) -> list[str]:
        """Return the topics that have another id than when they were first asked for.

        A broker that doesn't answer proves nothing. Blocks: call it in a thread.
        """
        self._admin = self._admin or _admin(self._client)
        try:
            now = _described(self._admin, self._topics, 2.0)
        except Unavailable:
            self._admin = None  # after an outage it may go on believing in one; see `Ends`
            return []
        for topic, found in now.items():
            self._first.setdefault(topic, found)
        return [topic for topic, found in now.items() if self._first[topic] != found]
