"""Every topic of Daybook: name, key, partitions, cleanup. `daybook topics create` makes them so."""

from collections.abc import Mapping
from dataclasses import dataclass, field

NOUNS = (
    "contact",
    "lead",
    "deal",
    "task",
    "conversation",
    "activity",
    "message",
    "campaign",
    "agent",
    "account",
    "product",
)
UPSTREAM = tuple(f"crm.{noun}.v1" for noun in NOUNS)
DEFINITION = "crm.definition.v1"
JOURNAL = "journal.v1"
METRIC = "derived.metric.v1"
EFFECT = "derived.effect.v1"
PUSH = "derived.push.v1"
DEAD_LETTER = "dlq.v1"
GENERATION = "ops.generation.v1"
VERIFICATION = "ops.verification.v1"
SOURCE = "ops.source.v1"

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MAX_EVENT_BYTES = 1_000_000
"""Above this an event is a dead letter (`too_large`)."""
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""What upstream topics take, so that an event over the limit arrives and is seen."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it must exist.

    Args:
        name: Kafka name.
        partitions: Count.
        key: What the key of a record is, for people.
        about: One sentence for people.
        config: Kafka topic configuration.
    """

    name: str
    partitions: int
    key: str
    about: str
    config: Mapping[str, str] = field(default_factory=dict)


def topic_of(event_type: str) -> str:
    """Return the upstream topic of an event type.

    >>> topic_of("crm.deal.stage_changed.v1")
    'crm.deal.v1'
    """
    return f"crm.{event_type.split('.')[1]}.v1"


def state_topic(app: str) -> str:
    """Return the changelog topic of the fold's tables for one app id."""
    return f"{app}-state"


def state_of(app: str, partitions: int) -> Topic:
    """Return the changelog of the fold's tables for one app id, one per generation.

    Args:
        app: Of the generation (`daybook`, `daybook-g2`).
        partitions: Count of the journal's partitions.
    """
    # What a key was worth at an offset up to an hour old can be read from the log, exactly,
    # while traffic goes on: reconciliation and the comparison of generations do.
    config = {"cleanup.policy": "compact", "min.compaction.lag.ms": str(HOUR_MS)}
    return Topic(state_topic(app), partitions, "table prefix + row key", "rows of the fold", config)


def catalogue(app: str, partitions: int, *, push_retention_ms: int = HOUR_MS) -> tuple[Topic, ...]:
    """Return all topics.

    Args:
        app: App id of the worker (`daybook`); names its changelog.
        partitions: Partition count of the journal and everything the fold writes.
        push_retention_ms: How long a gateway can make up what a browser missed, ms.
    """
    large = {"max.message.bytes": str(MAX_MESSAGE_BYTES)}
    delete, compact = {"cleanup.policy": "delete"}, {"cleanup.policy": "compact"}
    recent = {**compact, "min.compaction.lag.ms": str(HOUR_MS)}
    upstream = {**delete, **large, "retention.ms": str(7 * DAY_MS)}
    return (
        *(
            Topic(
                name, partitions, "whatever upstream uses", f"{noun} events from upstream", upstream
            )
            for noun, name in zip(NOUNS, UPSTREAM, strict=True)
        ),
        Topic(DEFINITION, 1, "tenant|kind|id", "one definition version each", compact),
        Topic(
            JOURNAL, partitions, "tenant|subject", "the journal", {**delete, "retention.ms": "-1"}
        ),
        state_of(app, partitions),
        Topic(
            METRIC,
            partitions,
            "generation|metric key",
            "absolute value of one metric bucket",
            recent,
        ),
        Topic(
            EFFECT,
            partitions,
            "tenant|subject",
            "facts, actions, publications, runs",
            {**delete, "retention.ms": str(30 * DAY_MS)},
        ),
        Topic(
            PUSH,
            partitions,
            "tenant|channel",
            "publications for browsers, as JSON",
            {**delete, "retention.ms": str(push_retention_ms)},
        ),
        Topic(
            DEAD_LETTER,
            1,
            "source topic",
            "what could not be read, with its bytes",
            {
                **delete,
                "retention.ms": str(30 * DAY_MS),
                "max.message.bytes": str(MAX_MESSAGE_BYTES + 1024 * 1024),
            },
        ),
        Topic(
            GENERATION,
            1,
            "generation",
            "what became of each generation of the fold",
            {**delete, "retention.ms": "-1"},
        ),
        Topic(
            VERIFICATION,
            1,
            "scope",
            "results of reconciliations",
            {**delete, "retention.ms": str(30 * DAY_MS)},
        ),
        Topic(SOURCE, 1, "app|topic", "ids of the topics that ingest has read", compact),
    )
