"""One connection as a state machine: frames in, decisions out, time passed in.

    waiting ──connect──▶ connected ──▶ closed
       └─────refused────▶ unusable ──▶ closed

A connection whose `connect` was refused ignores the rest: clients send their subscriptions in the
frame of `connect`, and closing for those would tell them never to come back.

Source: docs/realtime.md, "The session and its server".
"""

from enum import Enum

from gateway.protocol import commands, replies
from gateway.protocol.codes import (
    BROKEN,
    CONNECTION_EXPIRED,
    CONNECTION_LIMIT,
    FAILURES,
    FLOOD,
    FORCED,
    INVALID_TOKEN,
    LOST_PLACE,
    NO_PONG,
    STALE,
    TOKEN_EXPIRED,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    Close,
    Failure,
    MustClose,
)
from gateway.protocol.decisions import Decision, End, Write
from gateway.protocol.heartbeat import Heartbeat
from gateway.protocol.history import Publication
from gateway.protocol.limits import Bucket
from gateway.protocol.lines import split
from gateway.protocol.member import Member
from gateway.protocol.moment import Now
from gateway.protocol.permissions import Claims
from gateway.protocol.presence import Seat
from gateway.protocol.revocations import Revocation
from gateway.protocol.shared import Shared
from schemas.errors import Refused


class State(Enum):
    """Where a connection stands."""

    WAITING = "waiting"
    UNUSABLE = "unusable"
    CONNECTED = "connected"
    CLOSED = "closed"


class Session:
    """One connection.

    Every method returns decisions to carry out in order, before the next record is read and before
    the session is called again. After an `End` it decides nothing any more.

    Args:
        client: Id of the connection, unique among all gateways, not guessable.
        shared: Of the gateway.
        now: When it was accepted.

    Attributes:
        claims: Whose connection it is, or was; None before it is known.
    """

    def __init__(self, client: str, shared: Shared, now: Now) -> None:
        limits = shared.limits
        self.client = client
        self.state = State.WAITING
        self._shared = shared
        self.claims: Claims | None = None
        self._member: Member | None = None
        self._connect_by_s = now.mono_s + limits.connect_s
        self._heartbeat = Heartbeat(limits.ping_s, limits.pong_s, now.mono_s)
        self._bytes = Bucket(limits.received_bytes, now.mono_s)
        self._commands = Bucket(limits.commands, now.mono_s)
        self._failures = Bucket(limits.failures, now.mono_s)

    def receive(self, frame: bytes, now: Now) -> list[Decision]:
        """Take a frame of the client."""
        if self.state is State.CLOSED:
            return []
        if self._member and now.mono_s >= self._expires_s(self._member, now):
            return self.close(CONNECTION_EXPIRED)
        decisions: list[Decision] = []
        try:
            if not self._bytes.take(len(frame), now.mono_s):
                raise MustClose(FLOOD)  # noqa: TRY301 - one way out of a frame
            given = [commands.read(line) for line in split(frame, self._shared.limits.frame)]
            for command in given:
                decisions += self._answer(command, now)
        except MustClose as must:
            decisions += self.close(must.close)
        return decisions

    def tick(self, now: Now) -> list[Decision]:
        """Do what is due: ping, end what ran out, close what doesn't answer."""
        if self.state is State.CLOSED:
            return []
        if self._member is None:
            return self.close(STALE) if now.mono_s >= self._connect_by_s else []
        if self._heartbeat.missed(now.mono_s):
            return self.close(NO_PONG)
        if now.mono_s >= self._expires_s(self._member, now):
            return self.close(CONNECTION_EXPIRED)
        decisions = self._member.expire(now)
        if self._heartbeat.ping(now.mono_s):
            decisions.append(Write(replies.PING))
        return decisions

    def due_s(self, now: Now) -> float:
        """Return when `tick` has something to do, monotonic seconds, as far as is known now."""
        if self._member is None:
            return self._connect_by_s
        return min(
            self._heartbeat.due_s, self._expires_s(self._member, now), self._member.due_s(now)
        )

    def takes(self, publication: Publication) -> bool:
        """Return whether a publication of an open channel is to be written; once for each."""
        return self._member is not None and self._member.takes(publication)

    def loaded(self, ticket: int, snapshot: bytes, now: Now) -> list[Decision]:
        """Answer a `Load` with a board's snapshot (JSON text)."""
        return self._member.loaded(ticket, snapshot, now) if self._member else []

    def seen(self, ticket: int, seats: list[Seat]) -> list[Decision]:
        """Answer a `Look`."""
        return self._member.seen(ticket, seats) if self._member else []

    def performed(self, ticket: int, data: bytes) -> list[Decision]:
        """Answer a `Perform` with what it gave (JSON text)."""
        return self._member.performed(ticket, data) if self._member else []

    def failed(self, ticket: int, failure: Failure) -> list[Decision]:
        """Answer any ticket with an error."""
        return self._member.failed(ticket, failure) if self._member else []

    def lose_place(self, channel: str) -> list[Decision]:
        """Have a channel recovered or read anew: the gateway can't say what was missed in it."""
        return self._member.end(channel, LOST_PLACE) if self._member else []

    def revoke(self, revocation: Revocation) -> list[Decision]:
        """Close the connection if its token was taken back."""
        if self._member is None or not revocation.covers(self._member.claims):
            return []
        return self.close(FORCED)

    def close(self, close: Close) -> list[Decision]:
        """End the connection."""
        if self.state is State.CLOSED:
            return []
        return [*self.lost(), End(close)]

    def lost(self) -> list[Decision]:
        """Note that the connection is gone, whoever ended it."""
        self.state = State.CLOSED
        member, self._member = self._member, None
        if member is None:
            return []
        self._shared.gate.leave_user(member.claims.tenant, member.claims.user)
        return member.leave()

    def _answer(self, command: commands.Command, now: Now) -> list[Decision]:
        """Carry out one command, or answer with the error it ends in.

        Raises:
            MustClose: The connection is to be closed for it.
        """
        try:
            if not self._commands.take(1, now.mono_s):
                raise TOO_MANY_REQUESTS.refusal()
            return self._carry_out(command, now)
        except Refused as refused:
            if not self._failures.take(1, now.mono_s):
                raise MustClose(FLOOD) from refused
            return [Write(replies.error(command.id, FAILURES[refused.code]))] if command.id else []

    def _carry_out(self, command: commands.Command, now: Now) -> list[Decision]:
        request = command.request
        if self.state is State.UNUSABLE:
            return []
        if isinstance(request, commands.Pong):
            self._heartbeat.answered()
            return []
        if isinstance(request, commands.Unreadable):
            if self._member is None:
                self.state = State.UNUSABLE
            raise Refused(request.failure.code, request.failure.message)
        if self._member is None:
            return self._connect(command.id, request, now)
        if isinstance(request, commands.Refresh):
            return self._refresh(command.id, request, self._member, now)
        if isinstance(request, commands.Connect):
            raise MustClose(BROKEN)
        return self._member.carry_out(command, now)

    def _connect(self, number: int, request: commands.Request, now: Now) -> list[Decision]:
        if not isinstance(request, commands.Connect):
            raise MustClose(BROKEN)
        claims = self._claims(request.token, now)
        if not self._shared.gate.enter_user(claims.tenant, claims.user):
            raise MustClose(CONNECTION_LIMIT)
        self.state = State.CONNECTED
        self.claims = claims
        self._member = Member(self._shared, claims)
        subs, opened = self._member.open_by_server(request.subs)
        result = {
            **self._identity(claims, now),
            "ping": self._shared.limits.ping_s,
            "pong": True,
            "session": self.client,
            "node": self._shared.node,
            "subs": subs,
        }
        return [Write(replies.reply(number, "connect", result)), *opened]

    def _claims(self, token: str, now: Now) -> Claims:
        """Return whose token it is.

        Raises:
            Refused: 101 without a token, 109 with one that ran out; the connection is unusable.
            MustClose: 3500 or 3503.
        """
        try:
            if not token:
                raise UNAUTHORIZED.refusal()
            claims = self._shared.authority.claims(token, now.utc_ms)
        except Refused as refused:
            if token and refused.code != TOKEN_EXPIRED.code:
                raise MustClose(INVALID_TOKEN) from refused
            self.state = State.UNUSABLE
            raise
        if self._shared.revocations.cover(claims):
            raise MustClose(FORCED)
        return claims

    def _refresh(
        self, number: int, request: commands.Refresh, member: Member, now: Now
    ) -> list[Decision]:
        try:
            claims = self._shared.authority.claims(request.token, now.utc_ms)
        except Refused as refused:
            raise MustClose(CONNECTION_EXPIRED) from refused
        if (claims.tenant, claims.user) != (member.claims.tenant, member.claims.user):
            raise MustClose(INVALID_TOKEN)
        if self._shared.revocations.cover(claims):
            raise MustClose(FORCED)
        self.claims = claims
        ended = member.replace(claims)
        return [Write(replies.reply(number, "refresh", self._identity(claims, now))), *ended]

    def _identity(self, claims: Claims, now: Now) -> dict[str, object]:
        return {
            "client": self.client,
            "version": self._shared.version,
            **replies.lease(claims.expires_ms, now.utc_ms),
        }

    def _expires_s(self, member: Member, now: Now) -> float:
        """Return when the connection ends, monotonic s: clients refresh when the token does."""
        return now.mono_at(member.claims.expires_ms) + self._shared.limits.expiry_s
