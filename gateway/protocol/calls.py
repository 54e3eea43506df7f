"""What a browser may have done: the methods of `rpc`, typed.

A call becomes an event and comes back through the journal; its reply says that Kafka has it.

Source: docs/realtime.md, "Calls".
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from gateway.protocol.channels import CHAT, name_of, parse
from gateway.protocol.codes import BAD_REQUEST, METHOD_NOT_FOUND
from gateway.protocol.commands import Request, Rpc

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]


class Call(Request):
    """What every call has in common."""


class ChatSend(Call):
    """Say something in a room.

    Args:
        room: Id behind `chat:`, without escapes.
        id: The client's own; the same id again is the same message.
        body: What is said.
    """

    room: Annotated[str, Field(min_length=1, max_length=123)]
    id: Id
    body: Annotated[str, Field(min_length=1, max_length=4000)]

    @property
    def channel(self) -> str:
        """The room's channel."""
        return name_of(CHAT, self.room)


class Acknowledge(Call):
    """Mark notifications as read, in all of one's tabs.

    Args:
        ids: Of the notifications.
    """

    ids: Annotated[list[Id], Field(min_length=1, max_length=100)]


class SetStatus(Call):
    """Say whether one is there.

    Args:
        status: As in `crm.agent.status_changed.v1`.
    """

    status: Literal["online", "busy", "away", "offline"]


METHODS: Mapping[str, type[Call]] = {
    "chat.send": ChatSend,
    "notifications.ack": Acknowledge,
    "agent.status": SetStatus,
}
"""Method → its data; who may call it says `permissions.CALLS`."""


def read(request: Rpc) -> Call:
    """Read the data of a call.

    Raises:
        Refused: 104 when there is no such method, 107 when the data doesn't fit it.
    """
    kind = METHODS.get(request.method)
    if kind is None:
        raise METHOD_NOT_FOUND.refusal()
    try:
        call = kind.model_validate(request.data)
    except ValidationError as problem:
        raise BAD_REQUEST.refusal() from problem
    if isinstance(call, ChatSend):
        parse(call.channel)  # an id that is too long once it is escaped names no room
    return call
