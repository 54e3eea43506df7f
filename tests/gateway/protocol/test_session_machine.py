"""Clients, gateways and a log in any order of events, against a plain list of publications."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from gateway.protocol import replies
from gateway.protocol.channels import Address
from gateway.protocol.codes import SLOW
from gateway.protocol.decisions import Write
from gateway.protocol.history import Histories, HistoryLimits, Publication
from tests.gateway.protocol.people import START, Notary, claims, later
from tests.gateway.protocol.wire import Wire, shared

KEPT = 3
"""Publications per channel a gateway keeps: few, so that recovery fails often."""
CHANNELS = ("notifications:#anna", "chat:lobby", "chat:board")
FOREVER_MS = 10**15
TTL_S = 3600


@dataclass
class Log:
    """What was published since the epoch began: (offset, channel), in order."""

    epoch: int = 1
    end: int = 0
    records: list[tuple[int, str]] = field(default_factory=list)

    def of(self, channel: str, above: int, up_to: int) -> list[int]:
        """Return the offsets of a channel in a range."""
        return [at for at, name in self.records if name == channel and above < at <= up_to]


class Node:
    """A gateway that has read the log from some offset up to some other.

    Args:
        log: What it reads.
        start: Where it began.
        notary: Who checks tokens.
    """

    def __init__(self, log: Log, start: int, notary: Notary) -> None:
        self.log = log
        self.start = self.read = start
        self.evicted = start
        limits = HistoryLimits(publications=KEPT)
        histories = Histories(f"log-{log.epoch}", [start], limits)
        self.shared = shared(notary=notary, histories=histories)

    def floor(self, channel: str) -> int:
        """Return the offset below which this gateway can't recover, by the plain list."""
        known = self.log.of(channel, self.start, self.read)
        gone = [at for at in known if at <= self.evicted] + known[:-KEPT]
        return max([self.start, *gone])


class Client:
    """What a published client keeps: wanted channels, positions, and here what it received."""

    def __init__(self) -> None:
        self.wanted = {CHANNELS[0]}
        self.wire: Wire | None = None
        self.node: Node | None = None
        self.positions: dict[str, tuple[str, int]] = {}
        self.base: dict[str, int] = {}
        self.received: dict[str, list[int]] = {}
        self._seen = 0

    def subscribed(self, channel: str, result: dict[str, Any]) -> None:
        """Take a reply as clients do; without recovery everything is read anew from there."""
        node = self.node
        assert node is not None
        epoch, offset = self.positions.get(channel, ("", 0))
        if result.get("was_recovering"):
            may = epoch == result["epoch"] and offset >= node.floor(channel)
            assert result["recovered"] == may, "recovered exactly when all of it is known"
        if not result.get("recovered"):
            assert result["publications"] == []
            self.base[channel], self.received[channel] = result["offset"], []
        self.positions[channel] = (result["epoch"], result["offset"])
        for publication in result["publications"]:
            self.take(channel, publication["offset"])

    def take(self, channel: str, offset: int) -> None:
        """Take a publication."""
        self.received[channel].append(offset)
        self.positions[channel] = (self.positions[channel][0], offset)

    def listen(self) -> None:
        """Take the pushes that came since the last time."""
        assert self.wire is not None
        pushes = self.wire.pushes()
        for push in pushes[self._seen :]:
            if "pub" in push:
                self.take(push["channel"], push["pub"]["offset"])
        self._seen = len(pushes)

    def resume(self, channel: str) -> dict[str, Any]:
        """Return what a client says to go on where it was."""
        if channel not in self.positions:
            return {}
        epoch, offset = self.positions[channel]
        return {"recover": True, "epoch": epoch, "offset": offset}

    def connect(self, node: Node, now_s: float) -> None:
        """Connect to a gateway and subscribe to everything wanted, in one frame."""
        own, *others = sorted(self.wanted, key=CHANNELS.index)
        self.node, self._seen = node, 0
        self.wire = Wire(node.shared, now=later(START, now_s))
        got = self.wire.frame(
            {"id": 1, "connect": {"token": "anna", "subs": {own: self.resume(own)}}},
            *(
                {"id": at, "subscribe": {"channel": name, **self.resume(name)}}
                for at, name in enumerate(others, start=2)
            ),
        )
        self.subscribed(own, got[0]["connect"]["subs"][own])
        for name, reply in zip(others, got[1:], strict=True):
            self.subscribed(name, reply["subscribe"])

    def gone(self) -> None:
        """Be without a connection."""
        self.wire = self.node = None


class Mishap(Enum):
    """What happens to others than a client."""

    EVICTION = "a gateway drops everything it kept"
    REREADING = "a gateway is given records again"
    EXPIRY = "all tokens run out"
    RESTART = "a gateway is killed and begins anew"
    NEW_LOG = "the topic is made anew"


class Delivery(RuleBasedStateMachine):
    """Everything once and in order, or told otherwise."""

    clients = st.integers(0, 1)
    nodes = st.integers(0, 1)
    traffic = st.lists(st.sampled_from(CHANNELS), max_size=6)

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.log = Log()
        self.notary = Notary()
        self.people = [Client() for _ in range(2)]
        self.gateways: list[Node] = []

    @initialize()
    def begin(self) -> None:
        """Two gateways at the beginning of a log, and two clients of the first."""
        self.notary.tokens["anna"] = claims("anna", ttl_s=TTL_S)
        self.gateways = [Node(self.log, 0, self.notary) for _ in range(2)]
        for client in self.people:
            client.wanted.update(CHANNELS)
            client.connect(self.gateways[0], self.now_s)

    @rule(traffic=traffic, readers=st.sets(nodes))
    def go_on(self, traffic: list[str], readers: set[int]) -> None:
        """Something is published; some gateways lag behind."""
        self.publish(traffic, readers)

    @rule(who=clients, to=nodes, slow=st.booleans(), missed=traffic, readers=st.sets(nodes))
    def move(
        self,
        who: int,
        to: int,
        slow: bool,  # noqa: FBT001 - drawn
        missed: list[str],
        readers: set[int],
    ) -> None:
        """A client comes back, to a gateway that has read more than its last one, or less."""
        self.drop(who, slow=slow)
        self.publish(missed, readers)
        self.people[who].connect(self.gateways[to], self.now_s)

    @rule(who=clients, channel=st.sampled_from(CHANNELS[1:]), again=st.booleans())
    def choose(self, who: int, channel: str, again: bool) -> None:  # noqa: FBT001 - drawn
        """A client leaves a channel, opens one, or is told to open it again."""
        if channel not in self.people[who].wanted:
            self.subscribe(who, channel)
        elif again:
            self.lose_place(who, channel)
        else:
            self.unsubscribe(who, channel)

    @rule(
        who=clients,
        at=nodes,
        missed=traffic,
        back=st.integers(0, 6),
        what=st.sampled_from(Mishap),
    )
    def suffer(self, who: int, at: int, missed: list[str], back: int, what: Mishap) -> None:
        """While a client is away something happens to a gateway, to all tokens or to the log."""
        self.drop(who, slow=False)
        self.publish(missed, {at})
        if what is Mishap.EVICTION:
            self.evict(at)
        elif what is Mishap.REREADING:
            self.reread(at)
        elif what is Mishap.EXPIRY:
            self.expire()
        elif what is Mishap.RESTART:
            self.restart(at, back)
        else:
            self.lose_the_log()
        for client in self.people:
            if client.wire is None:
                client.connect(self.gateways[at], self.now_s)

    def publish(self, channels: list[str], readers: set[int]) -> None:
        """Something is published; offsets have gaps, and some gateways lag behind."""
        for channel in channels:
            self.log.end += 2
            self.log.records.append((self.log.end, channel))
        for at in readers:
            self.read(at)

    def read(self, at: int) -> None:
        """A gateway reads everything and fans out."""
        node = self.gateways[at]
        for offset, channel in [each for each in self.log.records if each[0] > node.read]:
            publication = Publication(Address("acme", channel), offset, b"{}", START.utc_ms)
            assert node.shared.histories.append(publication)
            node.read = offset
            for client in self.of(node):
                wire = client.wire
                assert wire is not None
                if channel in wire.open and wire.session.takes(publication):
                    wire.carry_out([Write(replies.published(publication))])
                client.listen()

    def reread(self, at: int) -> None:
        """A gateway is given records again after it lost Kafka: nobody notices."""
        node = self.gateways[at]
        for offset, channel in self.log.records:
            if offset <= node.read:
                publication = Publication(Address("acme", channel), offset, b"{}", START.utc_ms)
                assert not node.shared.histories.append(publication)

    def subscribe(self, who: int, channel: str) -> None:
        """A client wants a channel; one it had before goes on where it was."""
        client = self.people[who]
        if client.wire is not None and channel not in client.wanted:
            result = client.wire.ask("subscribe", channel=channel, **client.resume(channel))
            client.subscribed(channel, result)
        client.wanted.add(channel)

    def unsubscribe(self, who: int, channel: str) -> None:
        """A client leaves a channel and keeps its position."""
        client = self.people[who]
        client.wanted.discard(channel)
        if client.wire is not None:
            assert client.wire.ask("unsubscribe", channel=channel) == {}

    def drop(self, who: int, *, slow: bool) -> None:
        """A connection breaks, or is closed because the client is slow."""
        client = self.people[who]
        if client.wire is not None:
            session = client.wire.session
            client.wire.carry_out(session.close(SLOW) if slow else session.lost())
            assert client.wire.open == set()
        client.gone()

    def lose_place(self, who: int, channel: str) -> None:
        """The server ends a subscription with 2500; the client subscribes again."""
        client = self.people[who]
        if client.wire is not None and channel in client.wanted:
            client.wire.carry_out(client.wire.session.lose_place(channel))
            result = client.wire.ask("subscribe", channel=channel, **client.resume(channel))
            client.subscribed(channel, result)

    def evict(self, at: int) -> None:
        """A gateway drops everything it kept."""
        node = self.gateways[at]
        node.shared.histories.expire(FOREVER_MS)
        node.evicted = node.read

    def expire(self) -> None:
        """All tokens run out; the clients get newer ones when they connect again."""
        self.now_s += TTL_S + 25
        for client in self.people:
            if client.wire is not None:
                client.wire.pass_time(later(START, self.now_s).mono_s - client.wire.now.mono_s)
                assert client.wire.closed == 3005
                client.gone()
        self.notary.tokens["anna"] = claims("anna", ttl_s=round(self.now_s) + TTL_S)

    def restart(self, at: int, back: int) -> None:
        """A gateway is killed and begins anew, some records before the end."""
        self.kill(at)
        before = [offset for offset, _ in self.log.records[: -back or None]]
        self.gateways[at] = Node(self.log, before[-1] if before else 0, self.notary)

    def lose_the_log(self) -> None:
        """The topic is made anew: no offset of before means anything."""
        self.log = Log(epoch=self.log.epoch + 1)
        for at in range(len(self.gateways)):
            self.kill(at)
            self.gateways[at] = Node(self.log, 0, self.notary)

    @invariant()
    def everybody_has_everything_once_and_in_order(self) -> None:
        """What a client has is what the list has behind where it began, up to what was read."""
        for client in self.people:
            if client.node is None:
                continue
            for channel in client.wanted:
                up_to = max(client.node.read, client.positions[channel][1])
                expected = self.log.of(channel, client.base[channel], up_to)
                assert client.received[channel] == expected

    def of(self, node: Node) -> list[Client]:
        """Return the clients of a gateway."""
        return [client for client in self.people if client.node is node]

    def kill(self, at: int) -> None:
        """Take a gateway away."""
        for client in self.of(self.gateways[at]):
            client.gone()


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
