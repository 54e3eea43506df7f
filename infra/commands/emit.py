"""`daybook emit`: publish events from JSON, checked first."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.output import AsJson, note, say, say_json
from schemas.errors import ConfigurationError, InvalidEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.commands.publishing import Outbound

STRUCTURED = b"application/cloudevents+json"
FALLBACK_TOPIC = "crm.contact.v1"


def emit(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="One JSON CloudEvent, or one a line; -: stdin.")
    ],
    *,
    avro: Annotated[bool, typer.Option("--avro", help="Send the data as Avro.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Publish invalid ones too: they become dead letters.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check and publish events; print where each went. None is sent when one is invalid.

    Example: daybook schemas show crm.deal.won.v1 --json | jq .structured | daybook emit -
    """
    from infra.commands.connect import producer
    from infra.commands.publishing import Publisher
    from infra.settings import load

    records, invalid = [], 0
    for line, text in _documents(file):
        try:
            records.append(outbound(text, avro=avro, now_ms=int(time.time() * 1000)))
        except InvalidEvent as error:
            where = f" at {error.path}" if error.path else ""
            note(f"line {line}: {error.reason}{where}: {error.detail}")
            invalid += 1
            records.append(_as_it_is(text))
    if invalid and not force:
        note(f"{invalid} of {len(records)} invalid; nothing was sent (--force sends them)")
        raise typer.Exit(1)
    publisher = Publisher(producer(load()))
    for record in records:
        publisher.put(record)
        publisher.flush()
        part, offset = next(iter(publisher.last.items()))
        publisher.last.clear()
        went = {"topic": part[0], "partition": part[1], "offset": offset}
        if as_json:
            say_json(went, indent=None)
        else:
            say(":".join(str(value) for value in went.values()))


def outbound(text: bytes, *, avro: bool, now_ms: int) -> Outbound:
    """Return the Kafka record of one JSON CloudEvent, in binary mode.

    Args:
        text: A structured JSON CloudEvent.
        avro: Whether its data travels as Avro.
        now_ms: Wall clock, UTC ms; an event may not be more than a day ahead of it.

    Raises:
        InvalidEvent: reason and path say what is wrong.
    """
    from infra.commands.publishing import Outbound
    from schemas.cloudevents import read, write_binary
    from schemas.topics import topic_of

    received = read([("content-type", STRUCTURED)], text, now_ms=now_ms)
    headers, value = write_binary(
        received.event,
        id=received.id,
        source=received.source,
        tenant=received.tenant,
        time_ms=received.time_ms,
        subject=received.subject,
        origin=received.origin,
        actor=received.actor,
        correlation=received.correlation,
        causation=received.causation,
        depth=received.depth,
        avro=avro,
    )
    headers += [
        (f"ce_{name}", text.encode())
        for name, text in (
            ("partitionkey", received.partition_key),
            ("sequence", received.sequence),
            ("traceparent", received.traceparent),
        )
        if text
    ]
    key = f"{received.tenant}|{received.subject}".encode()
    return Outbound(topic_of(received.type), key, value, headers)


def _as_it_is(text: bytes) -> Outbound:
    """Return the record of something unreadable, in the topic its type suggests."""
    from infra.commands.publishing import Outbound
    from schemas.topics import DEFINITION, UPSTREAM, topic_of

    topic = FALLBACK_TOPIC
    try:
        found: Any = json.loads(text)
        guess = topic_of(str(found["type"]))
        topic = guess if guess in (*UPSTREAM, DEFINITION) else topic
    except (ValueError, LookupError, TypeError):
        pass
    return Outbound(topic, None, text, [("content-type", STRUCTURED)])


def _documents(file: str) -> Iterator[tuple[int, bytes]]:
    """Yield (line, text) of each event.

    It is one event when all of it is JSON, or when no line is an object: then it is one over
    several lines that is broken. A broken line among others is a bad event, not a bad file.

    Raises:
        ConfigurationError: the file can't be read, or is empty.
    """
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigurationError(file, error.strerror or "can't be read") from None
    lines = content.splitlines()
    filled = [number for number, line in enumerate(lines) if line.strip()]
    if not filled:
        raise ConfigurationError(file, "holds no event")
    if _parsed(content) is not None or not any(
        isinstance(_parsed(lines[number]), dict) for number in filled
    ):
        yield filled[0] + 1, content
        return
    for number in filled:
        yield number + 1, lines[number]


def _parsed(text: bytes) -> object:
    """Return what JSON says; None for `null` and for what isn't JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None
