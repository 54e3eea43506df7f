"""Who may do what: claims of a token → channels and methods.

A role permits classes of channel; a channel that belongs to a person is theirs, with few
exceptions. A grant (a token for one channel) stands in for the role. The answer to "not yours" and
to "not there" is the same.

Source: docs/realtime.md, "Permissions".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.protocol.channels import CHAT, METRICS, NOTIFICATIONS, PRESENCE, TASK, TASKS, Channel
from gateway.protocol.codes import PERMISSION_DENIED

VIEWER, AGENT, MANAGER, ADMIN, OPERATOR = "viewer", "agent", "manager", "admin", "operator"
ROLES: Mapping[str, str] = {
    VIEWER: "sees figures",
    AGENT: "works: tasks, chat, presence",
    MANAGER: "as agent, and sees other people's tasks",
    ADMIN: "as manager",
    OPERATOR: "runs Daybook: sees figures, no conversations and no tasks",
}
"""Role → what it is, for people."""

_ALL = frozenset(ROLES)
_WORKING = frozenset({AGENT, MANAGER, ADMIN})
_LEADING = frozenset({MANAGER, ADMIN})
_NOBODY: frozenset[str] = frozenset()

OWN: Mapping[str, frozenset[str]] = {NOTIFICATIONS.name: _ALL, TASKS.name: _WORKING}
"""Class → roles that may have their own channel of it."""

ANY: Mapping[str, frozenset[str]] = {
    METRICS.name: _ALL,
    NOTIFICATIONS.name: _NOBODY,
    TASKS.name: _LEADING,
    TASK.name: _WORKING,
    PRESENCE.name: _WORKING,
    CHAT.name: _WORKING,
}
"""Class → roles that may have any channel of it, in their tenant."""

CALLS: Mapping[str, frozenset[str]] = {
    "chat.send": _WORKING,
    "notifications.ack": _ALL,
    "agent.status": _WORKING,
}
"""RPC method → roles that may call it."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a connection's token says, after its signature was checked.

    Args:
        tenant: Tenant id; everything this connection sees is of this tenant.
        user: `sub`.
        roles: Of `ROLES`; others permit nothing.
        expires_ms: `exp`, UTC ms.
        issued_ms: `iat`, UTC ms.
        token_id: `jti`, or empty.
        channels: To subscribe by the server, beside the user's notifications.
    """

    tenant: str
    user: str
    roles: frozenset[str]
    expires_ms: int
    issued_ms: int
    token_id: str = ""
    channels: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token for one channel says, after its signature was checked.

    Args:
        tenant: Tenant id.
        user: `sub`.
        channel: The one it is for.
        expires_ms: `exp`, UTC ms.
    """

    tenant: str
    user: str
    channel: str
    expires_ms: int


class Authority(Protocol):
    """Checks tokens. A call computes only: keys are fetched beforehand."""

    def claims(self, token: str, now_ms: int) -> Claims:
        """Return what a connection's token says.

        Args:
            token: As the client sent it.
            now_ms: UTC ms.

        Raises:
            Refused: 109 when it was good and ran out, 101 when it isn't good.
        """

    def grant(self, token: str, now_ms: int) -> Grant:
        """Return what a channel's token says; arguments and errors as `claims`."""


def may_subscribe(claims: Claims, channel: Channel) -> bool:
    """Return whether the role permits a channel; also its history and presence."""
    permitted = ANY[channel.kind.name]
    if channel.kind.owned and channel.id == claims.user:
        permitted |= OWN[channel.kind.name]
    return not permitted.isdisjoint(claims.roles)


def may_call(claims: Claims, method: str) -> bool:
    """Return whether the role permits a method of `CALLS`."""
    return not CALLS[method].isdisjoint(claims.roles)


def check_grant(grant: Grant, claims: Claims, channel: Channel) -> None:
    """Check that a grant is for this person and this channel.

    Raises:
        Refused: 103; it is somebody else's, another tenant's or another channel's.
    """
    if (grant.tenant, grant.user, grant.channel) != (claims.tenant, claims.user, channel.name):
        raise PERMISSION_DENIED.refusal()
