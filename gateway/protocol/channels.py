"""Channels: their grammar and their five classes.

A name is `class:id`, or `class:#user` for what belongs to one person. The tenant is never part of
it: it comes from the token. Ids are written with percent escapes, in one way only, so that two
names can't mean one channel.

Source: docs/realtime.md, "Channels".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, unquote

from gateway.protocol.codes import BAD_REQUEST, UNKNOWN_CHANNEL

MAX_BYTES = 128

_NAME = re.compile(r"(?P<kind>[a-z]{1,32}):(?P<own>#?)(?P<id>(?:[A-Za-z0-9._~@+-]|%[0-9A-F]{2})+)")
_UNESCAPED = "@+"


@dataclass(frozen=True, slots=True)
class ChannelClass:
    """What all channels of one class have in common.

    Args:
        name: Before the colon.
        owned: True when `#user` names it, False when another id does.
        about: One sentence for people.
        positioned: True when publications have offsets and are recovered; False when only the
            latest value of each key counts, sent as a snapshot and conflated updates.
        presence: Whether one can ask who is there.
        join_leave: Whether coming and going is pushed.
        history: Whether the past can be read.
    """

    name: str
    owned: bool
    about: str
    positioned: bool = True
    presence: bool = False
    join_leave: bool = False
    history: bool = True


METRICS = ChannelClass(
    "metrics", owned=False, positioned=False, history=False,
    about="The figures of a dashboard: all of them on subscribing, then what changed",
)  # fmt: skip
NOTIFICATIONS = ChannelClass(
    "notifications", owned=True, about="What one person is told; subscribed by the server"
)
TASKS = ChannelClass(
    "tasks", owned=True, about="One person's tasks becoming overdue, assigned, completed"
)
TASK = ChannelClass(
    "task", owned=False, presence=True, about="One task, for whoever has it open"
)  # fmt: skip
PRESENCE = ChannelClass(
    "presence", owned=False, positioned=False, history=False, presence=True, join_leave=True,
    about="Who of a team is there: all of them on subscribing, then who changed",
)  # fmt: skip
CHAT = ChannelClass(
    "chat", owned=False, presence=True, join_leave=True, about="A room; spoken in by RPC"
)
CLASSES: Mapping[str, ChannelClass] = {
    each.name: each for each in (METRICS, NOTIFICATIONS, TASKS, TASK, PRESENCE, CHAT)
}
"""Name → class, in the order people read them."""


class Channel(NamedTuple):
    """One channel as a client named it.

    Args:
        name: As it stands on the wire.
        kind: Its class.
        id: What is behind the colon, without escapes: the owner's user id, or another id.
    """

    name: str
    kind: ChannelClass
    id: str


class Address(NamedTuple):
    """One channel among all tenants'.

    Args:
        tenant: Tenant id.
        channel: Name on the wire.
    """

    tenant: str
    channel: str

    @property
    def key(self) -> bytes:
        """The Kafka key of its publications; says their partition."""
        return f"{self.tenant}|{self.channel}".encode()


def parse(name: str) -> Channel:
    """Read the name of a channel.

    >>> parse("tasks:#mei-mei%20johns").id
    'mei-mei johns'

    Raises:
        Refused: 107 when it is no name, 102 when there is no such class.
    """
    if len(name) > MAX_BYTES:  # before matching, which takes 200 bytes of stack per character
        raise BAD_REQUEST.refusal()
    found = _NAME.fullmatch(name)
    if found is None:
        raise BAD_REQUEST.refusal()
    kind = CLASSES.get(found["kind"])
    if kind is None or kind.owned != bool(found["own"]):
        raise UNKNOWN_CHANNEL.refusal()
    channel = Channel(name, kind, unquote(found["id"], errors="replace"))
    if name_of(kind, channel.id) != name:
        raise BAD_REQUEST.refusal()
    return channel


def name_of(kind: ChannelClass, identity: str) -> str:
    """Return the one name of a channel.

    >>> name_of(NOTIFICATIONS, "anna.snelling")
    'notifications:#anna.snelling'
    """
    return f"{kind.name}:{'#' if kind.owned else ''}{quote(identity, safe=_UNESCAPED)}"
