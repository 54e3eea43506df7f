"""Commands of a client, typed: the boundary between its JSON and everything behind.

Unknown fields are ignored, so a newer client is understood as far as it can be. A field that is
there must have its type: `"5"` is not 5. Tokens never show in a representation of a command.

Source: docs/realtime.md, "Commands".
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.protocol.codes import BAD_REQUEST, BROKEN, METHOD_NOT_FOUND, Failure, MustClose

MAX_ID = 2**32 - 1
MAX_OFFSET = 2**53 - 1
"""What a browser's numbers hold exactly."""
MAX_TOKEN_BYTES = 4096
MAX_SUBSCRIPTIONS = 128
REJECT_UNRECOVERED = 2
"""Bit of `subscribe.flag`: answer error 112 rather than `recovered: false`."""

Token = Annotated[str, Field(max_length=MAX_TOKEN_BYTES, repr=False)]
Name = Annotated[str, Field(max_length=128)]
Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET)]
Epoch = Annotated[str, Field(max_length=64)]


class Request(BaseModel):
    """What every command's body has in common."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


class Resume(Request):
    """From where a subscription is to go on.

    Args:
        recover: True when missed publications are wanted.
        epoch: Of the position; empty when the client has none.
        offset: Of the last publication the client has.
    """

    recover: bool = False
    epoch: Epoch = ""
    offset: Offset = 0


class Connect(Request):
    """The first command.

    Args:
        token: JWT that says who this is.
        name: Of the client's application; for people.
        version: Of the client's application; for people.
        data: Anything; ignored.
        subs: Server-side channel → from where to go on.
    """

    token: Token = ""
    name: Name = ""
    version: Name = ""
    data: Any = None
    subs: dict[str, Resume] = Field(default_factory=dict, max_length=MAX_SUBSCRIPTIONS)


class Refresh(Request):
    """A newer token for the connection."""

    token: Token


class Subscribe(Resume):
    """Open one channel.

    Args:
        channel: Its name.
        token: JWT that grants this channel; empty when the role suffices.
        data: Anything; ignored.
        flag: Bits of wishes; all but `REJECT_UNRECOVERED` are ignored.
    """

    channel: str
    token: Token = ""
    data: Any = None
    flag: Annotated[int, Field(ge=0)] = 0

    @property
    def rejects_unrecovered(self) -> bool:
        """Whether the client wants error 112 rather than `recovered: false`."""
        return bool(self.flag & REJECT_UNRECOVERED)


class SubRefresh(Request):
    """A newer token for one channel."""

    channel: str
    token: Token


class Unsubscribe(Request):
    """Leave one channel."""

    channel: str


class Publish(Request):
    """Publish from a browser; always refused, what people say goes through `rpc`."""

    channel: str


class Presence(Request):
    """Ask who is there."""

    channel: str


class PresenceStats(Request):
    """Ask how many are there."""

    channel: str


class Since(Request):
    """A position in a channel's history."""

    epoch: Epoch = ""
    offset: Offset = 0


class History(Request):
    """Read a channel's past.

    Args:
        channel: Its name.
        since: Exclusive position to read from; none is the oldest end, or the newest in reverse.
        limit: Publications at most; 0 asks for the position only, -1 for all there are.
        reverse: True reads from newer to older.
    """

    channel: str
    since: Since | None = None
    limit: Annotated[int, Field(ge=-1)] = 0
    reverse: bool = False


class Rpc(Request):
    """Call one of the methods of `calls`."""

    method: Name
    data: Any = None


class Send(Request):
    """A message nobody answers."""

    data: Any = None


class Ping(Request):
    """Ask for a sign of life."""


class Pong(Request):
    """The client's answer to a ping: a command without id and method."""


class Unreadable(Request):
    """A command that can't be carried out as it is.

    Args:
        failure: What to answer.
    """

    failure: Failure


class Command(NamedTuple):
    """One command.

    Args:
        id: The client's number for the reply; 0 when it expects none.
        request: What it wants.
    """

    id: int
    request: Request


METHODS: Mapping[str, type[Request]] = {
    "connect": Connect,
    "refresh": Refresh,
    "subscribe": Subscribe,
    "sub_refresh": SubRefresh,
    "unsubscribe": Unsubscribe,
    "publish": Publish,
    "presence": Presence,
    "presence_stats": PresenceStats,
    "history": History,
    "rpc": Rpc,
    "send": Send,
    "ping": Ping,
}
"""Field of the command → its body."""


def read(line: Mapping[str, Any]) -> Command:
    """Read one JSON object as a command.

    Returns:
        The command; with `Unreadable` when its method or body is wrong.

    Raises:
        MustClose: 3501; there is no id to answer to, or two methods in one command.
    """
    number = line.get("id", 0)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= MAX_ID:
        raise MustClose(BROKEN)
    named = [name for name in METHODS if line.get(name) is not None]
    if len(named) > 1:
        raise MustClose(BROKEN)
    if not named:
        return Command(number, Unreadable(failure=METHOD_NOT_FOUND) if number else Pong())
    method = named[0]
    if not number and method != "send":
        raise MustClose(BROKEN)
    return Command(number, _request(METHODS[method], line[method]))


def _request(kind: type[Request], body: object) -> Request:
    """Return the typed body; `null` fields count as absent, as everywhere in this protocol."""
    if not isinstance(body, dict):
        return Unreadable(failure=BAD_REQUEST)
    given = {name: value for name, value in body.items() if value is not None}
    try:
        return kind.model_validate(given)
    except ValidationError:
        return Unreadable(failure=BAD_REQUEST)
