"""What the server writes: replies, errors and pushes as JSON text, one object each.

Data of publications is put in as it came; it isn't parsed on its way through. A push is the same
bytes for all of a channel's subscribers.

Source: docs/realtime.md, "Commands".
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from gateway.protocol.codes import Failure, Unsubscribe
from gateway.protocol.history import Page, Publication, Recovery
from gateway.protocol.presence import Seat

PING = b"{}"
"""What the server sends to see whether the client is there."""


def error(number: int, failure: Failure) -> bytes:
    """Return an error reply.

    >>> from gateway.protocol.codes import PERMISSION_DENIED
    >>> error(4, PERMISSION_DENIED)
    b'{"id":4,"error":{"code":103,"message":"permission denied"}}'
    """
    what: dict[str, object] = {"code": failure.code, "message": failure.message}
    if failure.temporary:
        what["temporary"] = True
    return orjson.dumps({"id": number, "error": what})


def reply(number: int, method: str, result: Mapping[str, Any]) -> bytes:
    """Return the reply to a command.

    >>> reply(4, "ping", {})
    b'{"id":4,"ping":{}}'
    """
    return orjson.dumps({"id": number, method: dict(result)})


def lease(expires_ms: int | None, now_ms: int) -> dict[str, Any]:
    """Return how long a connection or subscription is good, in whole seconds; none is for ever."""
    if expires_ms is None:
        return {}
    return {"expires": True, "ttl": max(1, (expires_ms - now_ms) // 1000)}


def recovery(given: Recovery, *, asked: bool) -> dict[str, Any]:
    """Return a positioned subscription.

    Args:
        given: Position and what was missed.
        asked: Whether the client wanted to go on from somewhere.
    """
    result: dict[str, Any] = {
        "recoverable": True,
        "positioned": True,
        "epoch": given.position.epoch,
        "offset": given.position.offset,
        "publications": [_publication(each) for each in given.publications],
    }
    if asked:
        result |= {"was_recovering": True, "recovered": given.recovered}
    return result


def board(snapshot: bytes) -> dict[str, Any]:
    """Return a subscription to a board.

    Args:
        snapshot: JSON text.
    """
    return {"data": _raw(snapshot)}


def page(given: Page) -> dict[str, Any]:
    """Return a page of a channel's history."""
    return {
        "publications": [_publication(each) for each in given.publications],
        "epoch": given.position.epoch,
        "offset": given.position.offset,
    }


def presence(seats: Iterable[Seat]) -> dict[str, Any]:
    """Return who is there, by connection."""
    return {"presence": {seat.client: _info(seat) for seat in seats}}


def presence_stats(seats: Iterable[Seat]) -> dict[str, Any]:
    """Return how many are there."""
    there = list(seats)
    return {"num_clients": len(there), "num_users": len({seat.user for seat in there})}


def returned(data: bytes) -> dict[str, Any]:
    """Return what an RPC gave.

    Args:
        data: JSON text.
    """
    return {"data": _raw(data)}


def published(publication: Publication) -> bytes:
    """Return the push of a publication."""
    channel = publication.address.channel
    return _push(channel, "pub", _publication(publication))


def updated(channel: str, values: bytes) -> bytes:
    """Return the push of what changed on a board.

    Args:
        channel: Its name.
        values: JSON text.
    """
    return _push(channel, "pub", {"data": _raw(values)})


def moved(channel: str, seat: Seat, *, joined: bool) -> bytes:
    """Return the push of somebody who came or left."""
    return _push(channel, "join" if joined else "leave", {"info": _info(seat)})


def unsubscribed(channel: str, why: Unsubscribe) -> bytes:
    """Return the push that ends a subscription."""
    return _push(channel, "unsubscribe", {"code": why.code, "reason": why.reason})


def _push(channel: str, kind: str, body: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"push": {"channel": channel, kind: body}})


def _publication(publication: Publication) -> dict[str, Any]:
    return {"data": _raw(publication.data), "offset": publication.offset}


def _raw(data: bytes) -> orjson.Fragment:
    """Return JSON text to be put in as it is, on one line: a newline would end the object."""
    return orjson.Fragment(data.replace(b"\n", b" "))


def _info(seat: Seat) -> dict[str, str]:
    """Return what others may know of a connection; nothing else of its token gets out."""
    return {"user": seat.user, "client": seat.client}
