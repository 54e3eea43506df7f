"""Codes a client sees: errors of one command, ends of a subscription, ends of a connection.

The numbers are API. Clients decide by their ranges: after a close with 3000-3499 or 4000-4499 they
connect again, with 3500-3999 or 4500-4999 they don't; after an unsubscribe below 2500 the
subscription is over, from 2500 on the client subscribes again.

Source: docs/realtime.md, "Codes".
"""

from dataclasses import dataclass

from schemas.errors import DaybookError, Refused


@dataclass(frozen=True, slots=True)
class Failure:
    """An error reply: one command failed, the connection goes on.

    Args:
        code: 100-112.
        message: Short, the same for every occurrence: details could tell what exists.
        meaning: When it happens, for people.
        temporary: True when the same command may succeed later; clients then retry.
    """

    code: int
    message: str
    meaning: str
    temporary: bool = False

    def refusal(self) -> Refused:
        """Return the exception that makes the session answer with this error."""
        return Refused(self.code, self.message)


@dataclass(frozen=True, slots=True)
class Close:
    """The end of a connection, sent as the websocket's close frame.

    Args:
        code: 3000-3999.
        reason: Short text, sent beside the code.
        meaning: When it happens, for people.
    """

    code: int
    reason: str
    meaning: str

    @property
    def reconnect(self) -> bool:
        """Whether clients come back by themselves."""
        return self.code % 1000 < 500  # noqa: PLR2004 - the protocol's ranges, see the module


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """The end of one subscription by the server.

    Args:
        code: 2000-2999.
        reason: Short text, sent beside the code.
        meaning: When it happens, for people.
    """

    code: int
    reason: str
    meaning: str

    @property
    def resubscribe(self) -> bool:
        """Whether clients subscribe again by themselves."""
        return self.code >= 2500  # noqa: PLR2004 - the protocol's range, see the module


class MustClose(DaybookError):  # noqa: N818 - named by what the caller does next
    """The client broke the protocol; nothing of its frame is to be carried out."""

    def __init__(self, close: Close) -> None:
        super().__init__(close.reason)
        self.close = close


INTERNAL = Failure(100, "internal error", "something of ours failed", temporary=True)
UNAUTHORIZED = Failure(101, "unauthorized", "`connect` without a token")
UNKNOWN_CHANNEL = Failure(102, "unknown channel", "the channel is of no class we know")
PERMISSION_DENIED = Failure(
    103, "permission denied", "not yours, or not there: the answer is the same"
)
METHOD_NOT_FOUND = Failure(104, "method not found", "a command or an RPC method we don't have")
ALREADY_SUBSCRIBED = Failure(105, "already subscribed", "this connection has the channel already")
LIMIT_EXCEEDED = Failure(106, "limit exceeded", "too many channels on this connection")
BAD_REQUEST = Failure(
    107, "bad request", "the command's fields or the channel's name are malformed"
)
NOT_AVAILABLE = Failure(
    108, "not available", "the class of channel doesn't have what was asked for"
)
TOKEN_EXPIRED = Failure(109, "token expired", "the client gets a new token and tries again")
EXPIRED = Failure(110, "expired", "a subscription was to be refreshed with a token that ran out")
TOO_MANY_REQUESTS = Failure(
    111, "too many requests", "commands come faster than allowed", temporary=True
)
UNRECOVERABLE_POSITION = Failure(
    112, "unrecoverable position", "the history asked for is no longer all there"
)
FAILURES = {
    each.code: each
    for each in (
        INTERNAL, UNAUTHORIZED, UNKNOWN_CHANNEL, PERMISSION_DENIED, METHOD_NOT_FOUND,
        ALREADY_SUBSCRIBED, LIMIT_EXCEEDED, BAD_REQUEST, NOT_AVAILABLE, TOKEN_EXPIRED, EXPIRED,
        TOO_MANY_REQUESTS, UNRECOVERABLE_POSITION,
    )
}  # fmt: skip

SHUTDOWN = Close(3001, "shutdown", "the gateway stops; another one takes over")
CONNECTION_EXPIRED = Close(3005, "connection expired", "the token ran out and was not refreshed")
SLOW = Close(3008, "slow", "the client reads slower than its channels write")
INSUFFICIENT_STATE = Close(3010, "insufficient state", "the gateway lost its place in the log")
NO_PONG = Close(3012, "no pong", "a ping was not answered")
FLOOD = Close(3013, "too many requests", "bytes or failed commands come faster than allowed")
INVALID_TOKEN = Close(3500, "invalid token", "the token is not ours, or is somebody else's")
BROKEN = Close(3501, "bad request", "a frame that is no frame of this protocol")
STALE = Close(3502, "stale", "no `connect` in time")
FORCED = Close(3503, "force disconnect", "access was revoked")
CONNECTION_LIMIT = Close(
    3504, "connection limit", "too many connections of a user, address or tenant"
)
CLOSES = {
    each.code: each
    for each in (
        SHUTDOWN, CONNECTION_EXPIRED, SLOW, INSUFFICIENT_STATE, NO_PONG, FLOOD, INVALID_TOKEN,
        BROKEN, STALE, FORCED, CONNECTION_LIMIT,
    )
}  # fmt: skip

NO_LONGER_ALLOWED = Unsubscribe(2000, "permission denied", "a new token permits less")
LOST_PLACE = Unsubscribe(2500, "insufficient state", "the channel must be recovered or read anew")
SUBSCRIPTION_EXPIRED = Unsubscribe(2501, "subscription expired", "its token ran out")
UNSUBSCRIBES = {each.code: each for each in (NO_LONGER_ALLOWED, LOST_PLACE, SUBSCRIPTION_EXPIRED)}
