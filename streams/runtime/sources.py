"""Which upstream topics ingest has read: by Kafka's id, kept outside of what deletion takes along.

Kafka forgets a group's position in a topic together with the topic. Created again, it is read from
its beginning, at offsets the fold has seen: its records would be taken for repeats and skipped. So
ingest keeps every id it has read in `ops.source.v1`, and stops at one it doesn't know. An
operator accepts it (`daybook ingest --accept TOPIC`); from then on its records have another origin,
so that none is a repeat.
"""

from collections.abc import Iterable, Mapping

import orjson
from confluent_kafka import KafkaError, Message, Producer

from schemas.errors import CorruptLog, Unavailable
from schemas.topics import DEFINITION, JOURNAL, SOURCE, UPSTREAM
from streams.runtime.config import IngestConfig
from streams.runtime.identity import ask
from streams.runtime.loader import bounds, changelog_rows, reader

BROKER_TIMEOUT_S = 30.0
WATCHED = (*UPSTREAM, DEFINITION, JOURNAL)

Known = dict[str, list[str]]
"""Topic → the ids it has had, oldest first."""


def recognise(
    known: Mapping[str, list[str]], now: Mapping[str, str], accept: Iterable[str]
) -> Known:
    """Return the ids to keep, or refuse a topic that isn't the one that was read.

    Args:
        known: What is kept.
        now: Topic → its id.
        accept: Topics whose new id is accepted.

    Raises:
        CorruptLog: A topic was created again, and nobody has accepted that.

    Examples:
        >>> recognise({}, {"crm.deal.v1": "x"}, ())
        {'crm.deal.v1': ['x']}
        >>> recognise({"crm.deal.v1": ["x"]}, {"crm.deal.v1": "y"}, ("crm.deal.v1",))
        {'crm.deal.v1': ['x', 'y']}
    """
    kept: Known = {}
    for topic, found in now.items():
        ids = list(known.get(topic, ()))
        if ids and ids[-1] != found:
            if topic not in accept:
                raise CorruptLog(
                    f"{topic} was created again: topic id {ids[-1]} was read, this one is {found}; "
                    "if records were lost with it have upstream send them again, then start once "
                    f"with `daybook ingest --accept {topic}`"
                )
            ids.append(found)
        kept[topic] = ids or [found]
    return kept


def origin(topic: str, ids: list[str]) -> str:
    """Return the name under which entries of the newest `topic` count their offsets.

    Examples:
        >>> origin("crm.deal.v1", ["x"]), origin("crm.deal.v1", ["x", "y"])
        ('crm.deal.v1', 'crm.deal.v1@2')
    """
    return topic if len(ids) == 1 else f"{topic}@{len(ids)}"


def open_sources(config: IngestConfig) -> dict[str, str]:
    """Compare the topics with those that were read, keep new ones; return topic → origin.

    Raises:
        CorruptLog: A topic was created again.
        Unavailable: The broker didn't say, or didn't keep the answer.
    """
    known = _known(config)
    kept = recognise(known, ask(config.client(), WATCHED), config.accept)
    _keep(config, {topic: ids for topic, ids in kept.items() if known.get(topic) != ids})
    return {topic: origin(topic, ids) for topic, ids in kept.items()}


def _key(config: IngestConfig, topic: str) -> bytes:
    return f"{config.app}|{topic}".encode()


def _known(config: IngestConfig) -> Known:
    consumer = reader(config.client())
    try:
        low, _ = bounds(consumer, SOURCE, 0, BROKER_TIMEOUT_S)
        rows = dict(changelog_rows(consumer, SOURCE, 0, low))
    finally:
        consumer.close()
    return {
        topic: orjson.loads(value)
        for topic in WATCHED
        if (value := rows.get(_key(config, topic))) is not None
    }


def _keep(config: IngestConfig, changed: Known) -> None:
    failed: list[str] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failed.append(str(error))

    producer = Producer({**config.client(), "enable.idempotence": True})
    for topic, ids in changed.items():
        producer.produce(SOURCE, orjson.dumps(ids), _key(config, topic), 0, on_delivery=delivered)
    if producer.flush(BROKER_TIMEOUT_S) or failed:
        raise Unavailable("kafka", 1.0, f"{SOURCE}: {failed or 'not written in time'}")
