"""Does to topics what operators do by mistake."""

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from schemas.topics import catalogue
from tests.integration.conftest import PARTITIONS
from tests.integration.running import wait_for


def recreate(kafka: str, app: str, name: str) -> None:
    """Delete one topic and create it again, empty, as `daybook topics create` would."""
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_topics([name])[name].result(30)
    wanted = next(topic for topic in catalogue(app, PARTITIONS) if topic.name == name)
    new = NewTopic(name, wanted.partitions, 1, config=dict(wanted.config))

    def made() -> bool:
        try:
            admin.create_topics([new])[name].result(30)
        except KafkaException:  # the old one is still being deleted
            return False
        return True

    wait_for(made, f"{name} is there again")
    wait_for(lambda: name in admin.list_topics(timeout=10).topics, "the broker tells of it")


def cut(kafka: str, name: str, partition: int, offset: int) -> None:
    """Remove the records of a partition below `offset`, as retention would."""
    admin = AdminClient({"bootstrap.servers": kafka})
    where = TopicPartition(name, partition, offset)
    admin.delete_records([where])[TopicPartition(name, partition)].result(30)


def let_expire(kafka: str, name: str) -> None:
    """Take compaction away from a topic, so that its records may be deleted."""
    admin = AdminClient({"bootstrap.servers": kafka})
    entry = ConfigEntry("cleanup.policy", "delete", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(30)
