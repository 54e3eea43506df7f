"""Topics as they are, against what `schemas.topics` says they must be."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from confluent_kafka import KafkaError, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported by import only
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from infra.commands.connect import RETRY_AFTER_S, TIMEOUT_S, answer, answering
from infra.generations.registry import read
from schemas.errors import ConfigurationError, Unavailable
from schemas.generation import ABORTED, app_of
from schemas.topics import UPSTREAM, Topic, catalogue, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confluent_kafka.admin import AdminClient

    from infra.settings import Settings

ELECTION_S = 30.0
"""So long a new partition may be without a leader."""


class Step(NamedTuple):
    """One change made to a topic."""

    topic: str
    action: str


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic as the broker has it.

    Args:
        topic: As it must be.
        partitions: Count; 0 when it doesn't exist.
        records: Distance from the first to the last offset over all partitions; markers count.
        drift: Configuration name → value on the broker, where it differs.
    """

    topic: Topic
    partitions: int
    records: int
    drift: Mapping[str, str]

    @property
    def problem(self) -> str:
        """What is wrong, with what to do; empty when nothing is."""
        if not self.partitions:
            return "missing: run `daybook topics create`"
        if self.miscounted:
            return f"{self.partitions} partitions, expected {self.topic.partitions}"
        if self.drift:
            names = ", ".join(sorted(self.drift))
            return f"differs in {names}: run `daybook topics create`"
        return ""

    @property
    def miscounted(self) -> bool:
        """Whether the partition count is wrong; upstream may choose its own for its topics."""
        return self.topic.name not in UPSTREAM and self.partitions not in {
            0,
            self.topic.partitions,
        }

    def as_json(self) -> dict[str, Any]:
        """Return the state for programs."""
        return {
            "topic": self.topic.name,
            "key": self.topic.key,
            "about": self.topic.about,
            "partitions": self.partitions,
            "expected_partitions": self.topic.partitions,
            "records": self.records,
            "config": dict(self.topic.config),
            "drift": dict(self.drift),
            "problem": self.problem,
        }


def wanted(settings: Settings) -> tuple[Topic, ...]:
    """Return all topics of this installation: each generation has a changelog of its own.

    Raises:
        Unavailable: no broker answers.
    """
    known = {each.app for each in read(settings).existing() if each.state != ABORTED}
    if settings.generation is not None:
        known.add(app_of(settings.app, settings.generation))
    first, *others = sorted(known)
    more = (state_of(app, settings.partitions) for app in others)
    kept_ms = settings.push_retention_ms
    return (*catalogue(first, settings.partitions, push_retention_ms=kept_ms), *more)


def inspect(admin: AdminClient, topics: Sequence[Topic]) -> list[TopicState]:
    """Ask the broker about each topic, in the order given.

    Raises:
        Unavailable: the broker stopped answering.
    """
    with answering("Kafka"):
        known = admin.list_topics(timeout=TIMEOUT_S).topics
    counts = {t.name: len(known[t.name].partitions) if t.name in known else 0 for t in topics}
    present = [t for t in topics if counts[t.name]]
    drift = _drift(admin, present)
    records = _records(admin, {t.name: counts[t.name] for t in present})
    return [
        TopicState(t, counts[t.name], records.get(t.name, 0), drift.get(t.name, {})) for t in topics
    ]


def converge(admin: AdminClient, topics: Sequence[Topic], replication: int = -1) -> list[Step]:
    """Create what is missing and correct settings that differ. Repeating it changes nothing.

    Raises:
        ConfigurationError: a topic has another number of partitions; that takes a replay.
        Unavailable: the broker stopped answering or refused.
    """
    states = inspect(admin, topics)
    for state in states:
        if state.miscounted:
            raise ConfigurationError(
                "DAYBOOK_PARTITIONS",
                f"{state.topic.name} has {state.partitions} partitions, expected "
                f"{state.topic.partitions}; keep the old number or replay into a new installation",
            )
    missing = [s.topic for s in states if not s.partitions]
    return _create(admin, missing, replication) + _correct(
        admin, [s for s in states if s.partitions and s.drift]
    )


def _create(admin: AdminClient, topics: Sequence[Topic], replication: int) -> list[Step]:
    if not topics:
        return []
    new = [
        NewTopic(
            t.name,
            num_partitions=t.partitions,
            replication_factor=replication,
            config=dict(t.config),
        )
        for t in topics
    ]
    for name, future in admin.create_topics(new, operation_timeout=TIMEOUT_S).items():
        answer(future, f"creating {name}", tolerate=KafkaError.TOPIC_ALREADY_EXISTS)
    _wait_led(admin, {t.name: t.partitions for t in topics})
    return [Step(t.name, f"created with {t.partitions} partitions") for t in topics]


def _wait_led(admin: AdminClient, counts: Mapping[str, int]) -> None:
    """Wait until new topics can be asked for their offsets.

    The controller has made them before the broker knows them, and knows them before it leads them:
    whoever reads at once is told that there is no such topic, or no leader.

    Raises:
        Unavailable: they have no leader for long.
    """
    deadline = time.monotonic() + ELECTION_S
    while True:
        with answering("Kafka"):
            known = admin.list_topics(timeout=TIMEOUT_S).topics
        try:
            if counts.keys() <= known.keys():
                _records(admin, counts)
                return
        except Unavailable:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise Unavailable("Kafka", RETRY_AFTER_S, "new topics don't appear")
        time.sleep(0.1)


def _correct(admin: AdminClient, states: Sequence[TopicState]) -> list[Step]:
    if not states:
        return []
    changes = [
        ConfigResource(
            ResourceType.TOPIC,
            state.topic.name,
            incremental_configs=[
                ConfigEntry(
                    name,
                    state.topic.config[name],
                    incremental_operation=AlterConfigOpType.SET,
                )
                for name in sorted(state.drift)
            ],
        )
        for state in states
    ]
    for resource, future in admin.incremental_alter_configs(changes).items():
        answer(future, f"changing {resource.name}")
    return [
        Step(s.topic.name, ", ".join(f"{n}={s.topic.config[n]}" for n in sorted(s.drift)))
        for s in states
    ]


def _drift(admin: AdminClient, topics: Sequence[Topic]) -> dict[str, dict[str, str]]:
    asked = [ConfigResource(ResourceType.TOPIC, t.name) for t in topics]
    if not asked:
        return {}
    found = {
        resource.name: answer(future, f"describing {resource.name}")
        for resource, future in admin.describe_configs(asked).items()
    }
    return {
        t.name: {
            name: found[t.name][name].value
            for name, value in t.config.items()
            if name not in found[t.name] or found[t.name][name].value != value
        }
        for t in topics
    }


def _records(admin: AdminClient, counts: Mapping[str, int]) -> dict[str, int]:
    parts = [TopicPartition(name, p) for name, count in counts.items() for p in range(count)]
    if not parts:
        return {}
    totals = dict.fromkeys(counts, 0)
    for sign, spec in ((-1, OffsetSpec.earliest()), (1, OffsetSpec.latest())):  # type: ignore[no-untyped-call]
        for part, future in admin.list_offsets(dict.fromkeys(parts, spec)).items():
            totals[part.topic] += sign * answer(future, f"offsets of {part.topic}").offset
    return totals
