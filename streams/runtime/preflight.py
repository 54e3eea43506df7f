"""Before an app starts: is the broker there, and are the topics as they must be?"""

import time
from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import ConfigurationError, Unavailable
from schemas.topics import Topic
from streams.runtime.config import KafkaConfig

RETRY_AFTER_S = 1.0
BROKER_TIMEOUT_S = 5.0
PATIENCE_S = 3.0
"""A topic just created is known to the controller before the brokers tell clients of it."""
POLL_S = 0.1


def problem_with(found: Mapping[str, int], wanted: Sequence[Topic]) -> ConfigurationError | None:
    """Compare the topics that exist with those an app needs.

    Args:
        found: Topic name → partition count.
        wanted: What the app reads and writes.

    Returns:
        What to tell the operator; None when all is well.
    """
    missing = [topic.name for topic in wanted if topic.name not in found]
    if missing:
        names = ", ".join(missing)
        return ConfigurationError("kafka", f"topics missing: {names}; run `daybook topics create`")
    for topic in wanted:
        count = found[topic.name]
        if count != topic.partitions:
            return ConfigurationError(
                "partitions",
                f"{topic.name} has {count} partitions, not {topic.partitions}; "
                "set DAYBOOK_PARTITIONS to what the journal has, or replay into new topics",
            )
    return None


def check_topics(config: KafkaConfig, wanted: Sequence[Topic]) -> None:
    """Refuse to start against a cluster that isn't prepared.

    With a topic missing Faust retries for ever, and a wrong partition count sends what an entry
    causes to another partition than its readers expect.

    Args:
        config: Where the broker is.
        wanted: What the app reads and writes.

    Raises:
        Unavailable: No broker answers.
        ConfigurationError: A topic is missing or has another partition count.
    """
    admin = AdminClient({**config.client(), "log_level": 0})
    deadline = time.monotonic() + PATIENCE_S
    while problem := problem_with(_partition_counts(admin, config.bootstrap), wanted):
        if time.monotonic() > deadline:
            raise problem
        time.sleep(POLL_S)


def _partition_counts(admin: AdminClient, bootstrap: str) -> dict[str, int]:
    try:
        topics = admin.list_topics(timeout=BROKER_TIMEOUT_S).topics
    except KafkaException as error:
        where = f"{bootstrap}: {error.args[0].str()}"
        raise Unavailable("kafka", RETRY_AFTER_S, where) from error
    return {name: len(topic.partitions) for name, topic in topics.items()}
