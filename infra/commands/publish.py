"""`daybook publish`: push something to browsers, the way derived publications travel."""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.group import NEGATIVE
from infra.commands.output import AsJson, note, say, say_json
from schemas.errors import InvalidEvent, Refused

if TYPE_CHECKING:
    from schemas.derived.push import PushRecord

MAX_BYTES = 64 * 1024
"""Of one publication's data: more would be a frame of its own that phones wait for."""


def publish(
    line: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JSON", help='{"tenant", "channel", "data", "id"?}; several allowed.'
        ),
    ] = None,
    *,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Take JSON lines from standard input, as they come.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check only; nothing is sent.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Publish to channels; print partition and offset of each publication.

    A line that isn't right is reported and passed over; the exit code is then 1.

    Example: daybook publish '{"tenant": "b2b", "channel": "chat:lobby", "data": {"body": "hello"}}'
    """
    from infra.commands.connect import producer
    from infra.commands.publishing import Outbound, Publisher
    from infra.settings import load
    from schemas.topics import PUSH

    if not line and not stdin:
        raise typer.BadParameter("give JSON, or --stdin")
    publisher = None if dry_run else Publisher(producer(load()))
    wrong = 0
    for number, text in enumerate([*(line or ()), *(sys.stdin if stdin else ())], start=1):
        if not text.strip():
            continue
        try:
            record = push_of(text, now_ms=time.time_ns() // 1_000_000)
        except InvalidEvent as error:
            note(f"line {number}: {error.path or 'all of it'}: {error.detail}")
            wrong += 1
            continue
        if publisher is None:
            say(f"line {number}: {record.tenant} {record.channel}: fine")
            continue
        publisher.put(Outbound(PUSH, record.key, record.data, record.headers))
        publisher.flush()
        (_, partition), offset = publisher.last.popitem()
        if as_json:
            say_json({"id": record.id, "partition": partition, "offset": offset}, indent=None)
        else:
            say(f"{PUSH}:{partition}:{offset}")
    if wrong:
        raise typer.Exit(NEGATIVE)


def push_of(text: str, *, now_ms: int) -> PushRecord:
    """Read one line.

    Args:
        text: JSON object.
        now_ms: Wall clock, UTC ms.

    Raises:
        InvalidEvent: `path` names the field that isn't right.
    """
    from gateway.protocol.channels import parse
    from schemas.attributes import TENANT
    from schemas.derived.push import PushRecord

    given = _object(text)
    tenant, channel = given.get("tenant"), given.get("channel")
    if not isinstance(tenant, str) or not TENANT.fullmatch(tenant):
        raise InvalidEvent("bad_tenant", "tenant", "must be [a-z0-9][a-z0-9_-]{0,62}")
    try:
        parsed = parse(channel if isinstance(channel, str) else "")
    except Refused as refused:
        raise InvalidEvent("invalid_field", "channel", refused.message) from None
    if not parsed.kind.positioned:
        detail = f"{parsed.kind.name} shows current values; nothing is published there"
        raise InvalidEvent("invalid_field", "channel", detail)
    if not isinstance(given.get("data"), dict):
        raise InvalidEvent("invalid_field", "data", "must be a JSON object")
    identity = given.get("id", str(uuid.uuid4()))
    if not isinstance(identity, str) or not identity:
        raise InvalidEvent("invalid_field", "id", "must be a string")
    data = json.dumps(given["data"], ensure_ascii=False, separators=(",", ":")).encode()
    if len(data) > MAX_BYTES:
        raise InvalidEvent("too_large", "data", f"has {len(data):,} bytes, at most {MAX_BYTES:,}")
    return PushRecord(tenant, parsed.name, identity, now_ms, data)


def _object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError as problem:
        raise InvalidEvent("not_json", "", f"no JSON: {problem}") from None
    if not isinstance(given, dict):
        raise InvalidEvent("not_json", "", 'no object: {"tenant", "channel", "data"}')
    return given
