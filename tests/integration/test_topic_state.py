"""Topics that were just made are there for whoever comes next."""

import pytest

from infra.commands.connect import admin
from infra.commands.log_reader import ends
from infra.commands.topic_state import converge
from infra.settings import Settings
from schemas.topics import Topic

pytestmark = pytest.mark.integration

ROUNDS = 8
PARTITIONS = 8


@pytest.mark.usefixtures("topics")
def test_a_topic_can_be_read_as_soon_as_it_is_made(kafka: str) -> None:
    """The controller makes it before the broker leads it: nobody after `converge` is told so."""
    settings = Settings(kafka=kafka)
    client = admin(settings)
    for number in range(ROUNDS):
        topic = Topic(f"just-made-{number}", PARTITIONS, "", "")
        assert [step.topic for step in converge(client, [topic], 1)] == [topic.name]
        assert ends(settings, topic.name) == dict.fromkeys(range(PARTITIONS), (0, 0))
