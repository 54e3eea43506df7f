"""A connected client: its channels, and what it asks for while it is connected.

Source: docs/realtime.md, "The session and its server".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Any

from gateway.protocol import calls, commands, replies
from gateway.protocol.channels import NOTIFICATIONS, Address, Channel, name_of, parse
from gateway.protocol.codes import (
    BAD_REQUEST,
    EXPIRED,
    NO_LONGER_ALLOWED,
    NOT_AVAILABLE,
    PERMISSION_DENIED,
    SUBSCRIPTION_EXPIRED,
    TOKEN_EXPIRED,
    TOO_MANY_REQUESTS,
    UNRECOVERABLE_POSITION,
    Failure,
    Unsubscribe,
)
from gateway.protocol.decisions import Decision, Load, Look, Open, Perform, Shut, Write
from gateway.protocol.history import Position, Publication, Recovery
from gateway.protocol.moment import Now
from gateway.protocol.permissions import Claims, check_grant, may_call, may_subscribe
from gateway.protocol.presence import Seat
from gateway.protocol.shared import Shared
from gateway.protocol.subscriptions import Subscription, Subscriptions
from schemas.errors import Refused


@dataclass(frozen=True, slots=True)
class _Pending:
    """A command that waits for something outside.

    Args:
        number: Of the command.
        method: Of the command.
        subscription: What is opened when the answer comes; None for questions.
    """

    number: int
    method: str
    subscription: Subscription | None = None


class Member:
    """What a connected client has and may ask for.

    Args:
        shared: Of the gateway.
        claims: Of its token.
    """

    def __init__(self, shared: Shared, claims: Claims) -> None:
        self.claims = claims
        self._shared = shared
        self._subscriptions = Subscriptions(shared.limits.subscriptions)
        self._pending: dict[int, _Pending] = {}
        self._tickets = count(1)
        self._methods: Mapping[type[commands.Request], Callable[..., list[Decision]]] = {
            commands.Subscribe: self._subscribe,
            commands.SubRefresh: self._sub_refresh,
            commands.Unsubscribe: self._unsubscribe,
            commands.Publish: self._publish,
            commands.Presence: self._presence,
            commands.PresenceStats: self._presence_stats,
            commands.History: self._history,
            commands.Rpc: self._rpc,
            commands.Send: self._send,
            commands.Ping: self._ping,
        }

    def carry_out(self, command: commands.Command, now: Now) -> list[Decision]:
        """Do what one command asks for.

        Raises:
            Refused: The error to answer with.
        """
        return self._methods[type(command.request)](command.id, command.request, now)

    def open_by_server(
        self, resumed: Mapping[str, commands.Resume]
    ) -> tuple[dict[str, Any], list[Decision]]:
        """Subscribe to what the token says, going on from where the client was.

        A channel of the token that isn't one, isn't permitted or is a board is left out.

        Args:
            resumed: Channel → from where to go on.

        Returns:
            Channel → result for the reply to `connect`, and the channels to open behind it.
        """
        results: dict[str, Any] = {}
        opened: list[Decision] = []
        own = name_of(NOTIFICATIONS, self.claims.user)
        for name in dict.fromkeys((own, *self.claims.channels)):
            try:
                channel = parse(name)
                self._check_permitted(channel)
                self._subscriptions.check_room(name)
            except Refused:
                continue
            if channel.kind.positioned:
                resume = resumed.get(name, commands.Resume())
                recovery = self._position(Subscription(channel), resume)
                results[name] = replies.recovery(recovery, asked=resume.recover)
                opened.append(Open(channel))
        return results, opened

    def takes(self, publication: Publication) -> bool:
        """Return whether a publication is to be sent to this client; once for each.

        A client that was served by a gateway that had read more is ahead of this one: what it has
        is not sent again.
        """
        subscription = self._subscriptions.get(publication.address.channel)
        if subscription is None or publication.offset <= subscription.offset:
            return False
        subscription.offset = publication.offset
        return True

    def loaded(self, ticket: int, snapshot: bytes, now: Now) -> list[Decision]:
        """Open a board now that its snapshot is there (JSON text)."""
        pending = self._pending.pop(ticket, None)
        if pending is None or pending.subscription is None:
            return []
        subscription = pending.subscription
        self._subscriptions.add(subscription)
        result = replies.board(snapshot) | replies.lease(subscription.expires_ms, now.utc_ms)
        return [
            Write(replies.reply(pending.number, pending.method, result)),
            Open(subscription.channel),
        ]

    def seen(self, ticket: int, seats: list[Seat]) -> list[Decision]:
        """Answer who is in a channel."""
        shown = {"presence": replies.presence, "presence_stats": replies.presence_stats}
        pending = self._pending.pop(ticket, None)
        if pending is None:
            return []
        result = shown[pending.method](seats)
        return [Write(replies.reply(pending.number, pending.method, result))]

    def performed(self, ticket: int, data: bytes) -> list[Decision]:
        """Answer what a call gave (JSON text)."""
        pending = self._pending.pop(ticket, None)
        if pending is None:
            return []
        return [Write(replies.reply(pending.number, pending.method, replies.returned(data)))]

    def failed(self, ticket: int, failure: Failure) -> list[Decision]:
        """Answer that what was waited for failed."""
        pending = self._pending.pop(ticket, None)
        if pending is None:
            return []
        if pending.subscription is not None:
            self._subscriptions.give_up(pending.subscription.channel.name)
        return [Write(replies.error(pending.number, failure))]

    def end(self, name: str, why: Unsubscribe) -> list[Decision]:
        """End a subscription from our side, and tell the client why."""
        subscription = self._subscriptions.remove(name)
        if subscription is None:
            return []
        return [Shut(subscription.channel), Write(replies.unsubscribed(name, why))]

    def replace(self, claims: Claims) -> list[Decision]:
        """Go on with newer claims, without what they no longer permit."""
        self.claims = claims
        decisions = []
        for ticket, pending in list(self._pending.items()):
            if pending.subscription and not self._still_permitted(pending.subscription):
                decisions += self.failed(ticket, PERMISSION_DENIED)
        for subscription in self._subscriptions:
            if not self._still_permitted(subscription):
                decisions += self.end(subscription.channel.name, NO_LONGER_ALLOWED)
        return decisions

    def expire(self, now: Now) -> list[Decision]:
        """End the subscriptions whose grants were not refreshed in time."""
        return [
            decision
            for subscription in self._subscriptions
            if self._ends_s(subscription, now) <= now.mono_s
            for decision in self.end(subscription.channel.name, SUBSCRIPTION_EXPIRED)
        ]

    def due_s(self, now: Now) -> float:
        """Return when the next subscription ends, monotonic seconds."""
        return min((self._ends_s(each, now) for each in self._subscriptions), default=inf)

    def leave(self) -> list[Decision]:
        """Close everything; answers that come later are for nobody."""
        self._pending.clear()
        return [Shut(subscription.channel) for subscription in self._subscriptions.clear()]

    def _subscribe(self, number: int, request: commands.Subscribe, now: Now) -> list[Decision]:
        channel = parse(request.channel)
        self._subscriptions.check_room(channel.name)
        if request.token:
            expires_ms: int | None = self._granted_ms(channel, request.token, now)
        else:
            self._check_permitted(channel)
            expires_ms = None
        subscription = Subscription(channel, expires_ms=expires_ms)
        if not channel.kind.positioned:
            ticket = self._wait(number, "subscribe", subscription)
            self._subscriptions.wait(channel.name)
            return [Load(ticket, channel)]
        recovery = self._position(subscription, request)
        result = replies.recovery(recovery, asked=request.recover)
        result |= replies.lease(expires_ms, now.utc_ms)
        return [Write(replies.reply(number, "subscribe", result)), Open(channel)]

    def _position(self, subscription: Subscription, resume: commands.Resume) -> Recovery:
        """Open a positioned channel from where the client is, or from here.

        Raises:
            Refused: 112; the client wants an error rather than an unrecovered subscription.
        """
        histories = self._shared.histories
        address = self._address(subscription.channel)
        if resume.recover:
            recovery = histories.recover(address, Position(resume.epoch, resume.offset))
            rejects = isinstance(resume, commands.Subscribe) and resume.rejects_unrecovered
            if rejects and not recovery.recovered:
                raise UNRECOVERABLE_POSITION.refusal()
        else:
            recovery = Recovery(
                recovered=False, position=histories.position(address), publications=[]
            )
        subscription.offset = recovery.position.offset
        self._subscriptions.add(subscription)
        return recovery

    def _sub_refresh(self, number: int, request: commands.SubRefresh, now: Now) -> list[Decision]:
        subscription = self._subscriptions.get(request.channel)
        if subscription is None or subscription.expires_ms is None:
            raise BAD_REQUEST.refusal()
        try:
            subscription.expires_ms = self._granted_ms(subscription.channel, request.token, now)
        except Refused as refused:
            if refused.code == TOKEN_EXPIRED.code:
                raise EXPIRED.refusal() from refused
            raise
        result = replies.lease(subscription.expires_ms, now.utc_ms)
        return [Write(replies.reply(number, "sub_refresh", result))]

    def _unsubscribe(self, number: int, request: commands.Unsubscribe, _: Now) -> list[Decision]:
        """Leave a channel; one that isn't open, or not yet, is left all the same."""
        decisions: list[Decision] = []
        for ticket, pending in list(self._pending.items()):
            if pending.subscription and pending.subscription.channel.name == request.channel:
                decisions += self.failed(ticket, NOT_AVAILABLE)
        subscription = self._subscriptions.remove(request.channel)
        if subscription is not None:
            decisions.append(Shut(subscription.channel))
        return [*decisions, Write(replies.reply(number, "unsubscribe", {}))]

    def _publish(self, _number: int, _request: commands.Publish, _now: Now) -> list[Decision]:
        raise PERMISSION_DENIED.refusal()

    def _presence(self, number: int, request: commands.Presence, _: Now) -> list[Decision]:
        return self._look(number, "presence", request.channel)

    def _presence_stats(
        self, number: int, request: commands.PresenceStats, _: Now
    ) -> list[Decision]:
        return self._look(number, "presence_stats", request.channel)

    def _look(self, number: int, method: str, name: str) -> list[Decision]:
        channel = self._readable(name)
        if not channel.kind.presence:
            raise NOT_AVAILABLE.refusal()
        return [Look(self._wait(number, method), channel)]

    def _history(self, number: int, request: commands.History, _: Now) -> list[Decision]:
        channel = self._readable(request.channel)
        if not channel.kind.history:
            raise NOT_AVAILABLE.refusal()
        since = Position(request.since.epoch, request.since.offset) if request.since else None
        most = self._shared.limits.history
        limit = most if request.limit < 0 else min(request.limit, most)
        page = self._shared.histories.page(
            self._address(channel), since, limit, reverse=request.reverse
        )
        return [Write(replies.reply(number, "history", replies.page(page)))]

    def _rpc(self, number: int, request: commands.Rpc, _: Now) -> list[Decision]:
        call = calls.read(request)
        if not may_call(self.claims, request.method):
            raise PERMISSION_DENIED.refusal()
        if isinstance(call, calls.ChatSend):
            self._readable(call.channel)
        return [Perform(self._wait(number, "rpc"), call)]

    def _send(self, _number: int, _request: commands.Send, _now: Now) -> list[Decision]:
        """Take a message nobody listens to: what browsers say goes through calls."""
        return []

    def _ping(self, number: int, _request: commands.Ping, _now: Now) -> list[Decision]:
        return [Write(replies.reply(number, "ping", {}))]

    def _wait(self, number: int, method: str, subscription: Subscription | None = None) -> int:
        """Remember what waits for something outside, under a new ticket.

        Raises:
            Refused: 111; enough is waiting.
        """
        if len(self._pending) >= self._shared.limits.pending:
            raise TOO_MANY_REQUESTS.refusal()
        ticket = next(self._tickets)
        self._pending[ticket] = _Pending(number, method, subscription)
        return ticket

    def _granted_ms(self, channel: Channel, token: str, now: Now) -> int:
        """Return until when a token grants a channel, UTC ms.

        Raises:
            Refused: 109 when it ran out; 103 when it isn't good, or not for this.
        """
        try:
            grant = self._shared.authority.grant(token, now.utc_ms)
        except Refused as refused:
            if refused.code == TOKEN_EXPIRED.code:
                raise
            raise PERMISSION_DENIED.refusal() from refused
        check_grant(grant, self.claims, channel)
        return grant.expires_ms

    def _check_permitted(self, channel: Channel) -> None:
        if not may_subscribe(self.claims, channel):
            raise PERMISSION_DENIED.refusal()

    def _still_permitted(self, subscription: Subscription) -> bool:
        granted = subscription.expires_ms is not None
        return granted or may_subscribe(self.claims, subscription.channel)

    def _readable(self, name: str) -> Channel:
        """Return a channel that is open, or might be opened by role.

        Raises:
            Refused: 102, 103 or 107.
        """
        subscription = self._subscriptions.get(name)
        if subscription is not None:
            return subscription.channel
        channel = parse(name)
        self._check_permitted(channel)
        return channel

    def _address(self, channel: Channel) -> Address:
        return Address(self.claims.tenant, channel.name)

    def _ends_s(self, subscription: Subscription, now: Now) -> float:
        """Return when a subscription ends, monotonic s: clients refresh when its token does."""
        if subscription.expires_ms is None:
            return inf
        return now.mono_at(subscription.expires_ms) + self._shared.limits.expiry_s
