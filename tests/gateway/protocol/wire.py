"""A client and a server around sessions, so that tests speak JSON."""

import json
from collections.abc import Iterable
from typing import Any

from gateway.protocol import replies
from gateway.protocol.channels import Address
from gateway.protocol.decisions import Decision, End, Load, Look, Open, Perform, Shut, Write
from gateway.protocol.history import Histories, HistoryLimits, Publication
from gateway.protocol.limits import Gate, GateLimits, SessionLimits
from gateway.protocol.moment import Now
from gateway.protocol.permissions import Grant
from gateway.protocol.revocations import Revocations
from gateway.protocol.session import Session
from gateway.protocol.shared import Shared
from tests.gateway.protocol.people import START, Notary, claims, later

EPOCH = "log-1"


def shared(
    *,
    notary: Notary | None = None,
    limits: SessionLimits | None = None,
    gate: GateLimits | None = None,
    histories: Histories | None = None,
) -> Shared:
    """Return what sessions share: one partition, Anna's token `anna` and Ben's `ben`."""
    known = {"anna": claims("anna"), "ben": claims("ben", "viewer")}
    return Shared(
        node="node-1",
        version="test",
        limits=limits or SessionLimits(),
        authority=notary or Notary(known),
        histories=histories or Histories(EPOCH, [0], HistoryLimits()),
        revocations=Revocations(lifetime_ms=86_400_000),
        gate=Gate(gate or GateLimits()),
    )


class Wire:
    """One connection: commands go in as dictionaries, what is decided is kept.

    Args:
        around: What the session shares with others.
        client: Id of the connection.
        now: When it begins.
    """

    def __init__(self, around: Shared, client: str = "c1", now: Now = START) -> None:
        self.session = Session(client, around, now)
        self.around = around
        self.now = now
        self.got: list[dict[str, Any]] = []
        self.decided: list[Decision] = []
        self.open: set[str] = set()
        self.closed = 0
        self._number = 0

    def alive(self) -> bool:
        """Return whether the connection goes on."""
        return not self.closed

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and the session do what is due."""
        self.now = later(self.now, seconds)
        self.carry_out(self.session.tick(self.now))

    def carry_out(self, decisions: Iterable[Decision]) -> None:
        """Do what a server does with decisions."""
        for decision in decisions:
            assert not self.closed, "nothing is decided after the end"
            self.decided.append(decision)
            if isinstance(decision, Write):
                self.got.append(json.loads(decision.text))
            elif isinstance(decision, Open):
                assert decision.channel.name not in self.open
                self.open.add(decision.channel.name)
            elif isinstance(decision, Shut):
                self.open.remove(decision.channel.name)
            elif isinstance(decision, End):
                self.closed = decision.close.code

    def frame(self, *given: dict[str, Any]) -> list[dict[str, Any]]:
        """Send commands in one frame as they are; return what was written."""
        before = len(self.got)
        text = "\n".join(json.dumps(each) for each in given).encode()
        self.carry_out(self.session.receive(text, self.now))
        return self.got[before:]

    def send(self, method: str, /, **body: Any) -> list[dict[str, Any]]:
        """Send one command with the next id; return what was written."""
        self._number += 1
        return self.frame({"id": self._number, method: body})

    def ask(self, method: str, /, **body: Any) -> Any:
        """Send one command; return the result of its reply, or the number of its error."""
        first = self.send(method, **body)[0]
        assert first["id"] == self._number
        return first["error"]["code"] if "error" in first else first[method]

    def ticket(self) -> int:
        """Return the ticket that was asked for last."""
        last = self.decided[-1]
        assert isinstance(last, Load | Look | Perform)
        return last.ticket

    def pushes(self) -> list[dict[str, Any]]:
        """Return every push so far."""
        return [each["push"] for each in self.got if "push" in each]


def connected(around: Shared | None = None, token: str = "anna", **body: Any) -> Wire:  # noqa: S107 - of a test
    """Return a connection that is past `connect`."""
    wire = Wire(around or shared())
    assert isinstance(wire.ask("connect", token=token, **body), dict)
    return wire


def granted(wire: Wire, channel: str, *, user: str = "anna", ttl_s: int = 60) -> str:
    """Return a token for one channel, deposited with the authority."""
    authority = wire.around.authority
    assert isinstance(authority, Notary)
    token = f"{channel}-{user}-{ttl_s}"
    authority.grants[token] = Grant("acme", user, channel, START.utc_ms + ttl_s * 1000)
    return token


def publish(offset: int, channel: str, *wires: Wire, data: Any = None) -> None:
    """Publish in a channel of the first connection's gateway and fan out to connections."""
    text = json.dumps(offset if data is None else data).encode()
    publication = Publication(Address("acme", channel), offset, text, START.utc_ms)
    if not wires[0].around.histories.append(publication):
        return
    for wire in wires:
        if channel in wire.open and wire.session.takes(publication):
            wire.carry_out([Write(replies.published(publication))])
