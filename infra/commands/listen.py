"""`daybook listen`: what a client of the gateway sees."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.output import AsJson, note, say, say_json
from schemas.errors import ConfigurationError, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

    from infra.settings import Settings

TTL_S = 3_600
OPEN_S = 10


def listen(  # noqa: PLR0913 - one argument per option
    channel: Annotated[
        str, typer.Argument(help="Channel, e.g. chat:lobby or notifications:#anna.")
    ],
    *,
    tenant: Annotated[str, typer.Option(help="Tenant the token is made for.")] = "",
    user: Annotated[str, typer.Option(help="User the token is made for.")] = "operator",
    role: Annotated[str, typer.Option(help="Role of the token.")] = "manager",
    token: Annotated[str, typer.Option(help="A token, instead of one made here.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="Stop after N publications; 0: go on.")] = 0,
    history: Annotated[bool, typer.Option("--history", help="Show what is kept first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Subscribe to a channel by websocket and print what comes. Ctrl-C ends it.

    The token is signed by the development stack's key, as by `daybook token`.

    Example: daybook listen chat:lobby --tenant b2b --limit 1
    """
    from infra.commands.signing import signer
    from infra.settings import load

    settings = load()
    if not token:
        if not tenant:
            raise ConfigurationError("--tenant", "whose channel? or give a --token")
        now_ms = time.time_ns() // 1_000_000
        token = signer(settings).sign(tenant, user, [role], now_ms=now_ms, ttl_s=TTL_S)
    found = _publications(settings, token, channel, history=history)
    for count, publication in enumerate(found, start=1):
        if as_json:
            say_json(publication, indent=None)
        else:
            data = json.dumps(publication["data"], ensure_ascii=False)
            say(f"{publication['offset']}  {data}")
        if count == limit:
            return


def _publications(
    settings: Settings, token: str, channel: str, *, history: bool
) -> Iterator[dict[str, Any]]:
    """Yield publications as clients get them: `data` and `offset`.

    Raises:
        Unavailable: No gateway answers, or it ended the connection.
        Refused: The gateway said no.
    """
    from websockets.exceptions import ConnectionClosed, InvalidHandshake
    from websockets.sync.client import connect

    url = settings.gateway_url
    commands = [{"id": 1, "connect": {"token": token, "name": "daybook listen"}},
                {"id": 2, "subscribe": {"channel": channel}}]  # fmt: skip
    if history:
        commands.append({"id": 3, "history": {"channel": channel, "limit": -1}})
    try:
        with connect(url, compression=None, open_timeout=OPEN_S, proxy=None) as made:
            made.send("\n".join(map(json.dumps, commands)))
            for reply in _replies(made):
                if "error" in reply:
                    raise Refused(reply["error"]["code"], _explained(reply["error"]))
                if reply.get("id") == 2:  # noqa: PLR2004 - the subscription's number, see above
                    note(f"listening to {channel}; Ctrl-C ends")
                yield from reply.get("history", {}).get("publications", [])
                push = reply.get("push", {})
                if push.get("channel") == channel and "pub" in push:
                    yield push["pub"]
    except ConnectionClosed as closed:
        why = f"{closed.rcvd.code} {closed.rcvd.reason}" if closed.rcvd else "cut"
        raise Unavailable("gateway", 1.0, f"it ended the connection: {why}") from None
    except (OSError, InvalidHandshake, TimeoutError) as problem:
        raise Unavailable("gateway", 1.0, f"{url}: {problem}") from None


def _replies(made: ClientConnection) -> Iterator[dict[str, Any]]:
    for frame in made:
        for line in str(frame).splitlines():
            reply = json.loads(line)
            if reply:
                yield reply
            else:
                made.send("{}")  # a ping


def _explained(error: dict[str, Any]) -> str:
    return f"{error['code']} {error['message']}"
