"""Before an app starts: is the broker there, and are the topics as they must be?"""

from collections.abc import Iterable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import ConfigurationError, Unavailable
from schemas.topics import Topic
from streams.runtime.config import KafkaConfig

RETRY_AFTER_S = 1.0


def check_topics(config: KafkaConfig, topics: Iterable[Topic], timeout_s: float = 10.0) -> None:
    """Refuse to start against a cluster that isn't prepared.

    With a topic missing Faust retries for ever, and a wrong partition count sends what an entry
    causes to another partition than its readers expect.

    Args:
        config: Where the broker is.
        topics: What the app reads and writes.
        timeout_s: Longest wait for the broker.

    Raises:
        Unavailable: No broker answers.
        ConfigurationError: A topic is missing or has another partition count.
    """
    admin = AdminClient({**config.client(), "log_level": 0})
    try:
        found = admin.list_topics(timeout=timeout_s).topics
    except KafkaException as error:
        where = f"{config.bootstrap}: {error.args[0].str()}"
        raise Unavailable("kafka", RETRY_AFTER_S, where) from error
    missing = [topic.name for topic in topics if topic.name not in found]
    if missing:
        raise ConfigurationError(
            "kafka", f"topics missing: {', '.join(missing)}; run `daybook topics create`"
        )
    for topic in topics:
        count = len(found[topic.name].partitions)
        if count != topic.partitions:
            raise ConfigurationError(
                "partitions",
                f"{topic.name} has {count} partitions, not {topic.partitions}; "
                "set DAYBOOK_PARTITIONS to what the journal has, or replay into new topics",
            )
