"""A connection from its first frame to its last."""

import json

import pytest

from gateway.protocol.codes import INTERNAL, SHUTDOWN
from gateway.protocol.commands import MAX_SUBSCRIPTIONS
from gateway.protocol.limits import GateLimits, Rate, SessionLimits
from gateway.protocol.revocations import Revocation
from gateway.protocol.session import State
from tests.gateway.protocol.people import START, Notary, claims, later
from tests.gateway.protocol.wire import EPOCH, Wire, connected, publish, shared

PING = {"id": 9, "ping": {}}


def test_connect_says_who_one_is() -> None:
    """The reply holds what clients need to stay: lease, ping and server-side channels."""
    wire = Wire(shared())
    assert wire.ask("connect", token="anna", name="web") == {
        "client": "c1", "version": "test", "expires": True, "ttl": 3600, "ping": 25, "pong": True,
        "session": "c1", "node": "node-1",
        "subs": {"notifications:#anna": {"recoverable": True, "positioned": True, "epoch": EPOCH,
                                         "offset": 0, "publications": []}},
    }  # fmt: skip
    assert wire.open == {"notifications:#anna"}
    assert wire.session.claims == claims("anna")
    assert wire.session.state is State.CONNECTED


def test_a_client_that_comes_back_has_everything_in_one_frame() -> None:
    """`connect` and 128 subscriptions less the server's own: all are answered."""
    wire = Wire(shared())
    subscribes = [
        {"id": n, "subscribe": {"channel": f"chat:{n}"}} for n in range(2, MAX_SUBSCRIPTIONS + 2)
    ]
    got = wire.frame({"id": 1, "connect": {"token": "anna"}}, *subscribes)
    assert [each["id"] for each in got] == list(range(1, 130))
    assert [each["id"] for each in got if "error" in each] == [129]
    assert len(wire.open) == MAX_SUBSCRIPTIONS


def test_a_token_that_ran_out_can_be_replaced() -> None:
    """Error 109 makes the client get a new token; the rest of its frame isn't held against it."""
    wire = Wire(shared(notary=Notary({"old": claims("anna", ttl_s=-1)})))
    got = wire.frame(
        {"id": 1, "connect": {"token": "old"}},
        {"id": 2, "subscribe": {"channel": "chat:lobby"}},
        {},
    )
    assert [each["error"]["code"] for each in got] == [109]
    assert wire.session.state is State.UNUSABLE
    assert wire.alive()


def test_no_token_is_an_error() -> None:
    """Error 101: the client has nothing to show."""
    wire = Wire(shared())
    assert wire.ask("connect") == 101
    assert wire.frame({"id": 2, "connect": {"token": "anna"}}) == []


def test_a_connect_that_is_malformed_is_an_error() -> None:
    """Error 107, and the connection is of no use."""
    wire = Wire(shared())
    assert wire.ask("connect", token=7) == 107
    assert wire.frame(PING) == []


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"id": 1, "connect": {"token": "forged"}}, 3500),
        ({"id": 1, "subscribe": {"channel": "chat:lobby"}}, 3501),
        ({"send": {}}, 3501),
        ({"connect": {"token": "anna"}}, 3501),
    ],
)
def test_another_first_command_closes(first: dict[str, object], code: int) -> None:
    """A forged token and anything that isn't `connect` end the connection for good."""
    wire = Wire(shared())
    assert wire.frame(first) == []
    assert wire.closed == code


def test_a_second_connect_closes() -> None:
    """A connection is one person's from beginning to end."""
    wire = connected()
    wire.send("connect", token="anna")
    assert wire.closed == 3501
    assert wire.open == set()


def test_who_does_not_connect_is_stale() -> None:
    """Ten seconds are enough, also for a connection that became unusable."""
    silent, refused = Wire(shared()), Wire(shared())
    refused.ask("connect")
    for wire in (silent, refused):
        wire.pass_time(9.9)
        assert wire.alive()
        assert wire.session.due_s(wire.now) == START.mono_s + 10
        wire.pass_time(0.1)
        assert wire.closed == 3502


def test_a_frame_is_taken_whole_or_not_at_all() -> None:
    """A bad line closes before anything of its frame happened."""
    wire = connected()
    assert wire.frame(PING, {"id": "x"}) == []
    assert wire.closed == 3501
    wire = connected()
    wire.carry_out(wire.session.receive(b'{"id":9,"ping":{}}\n{', wire.now))
    assert wire.closed == 3501
    assert len(wire.got) == 1


def test_what_happened_before_a_close_is_told() -> None:
    """Replies to earlier commands of the frame are written before the end."""
    wire = connected()
    assert wire.frame(PING, {"id": 10, "connect": {"token": "anna"}}) == [PING]
    assert wire.closed == 3501


def test_pings_are_sent_and_answered() -> None:
    """Every 25 seconds, as announced."""
    wire = connected()
    for _ in range(3):
        assert wire.session.due_s(wire.now) == wire.now.mono_s + 25
        wire.pass_time(25)
        assert wire.got[-1] == {}
        assert wire.session.due_s(wire.now) == wire.now.mono_s + 10
        assert wire.frame({}) == []
    assert wire.alive()


def test_a_ping_without_answer_closes() -> None:
    """Ten seconds after it; commands are no answer, they may have been on their way."""
    wire = connected()
    wire.pass_time(25)
    wire.frame(PING)
    wire.pass_time(9.9)
    assert wire.alive()
    wire.pass_time(0.1)
    assert wire.closed == 3012


def test_a_connection_ends_with_its_token() -> None:
    """After the grace in which clients refresh."""
    around = shared(notary=Notary({"anna": claims("anna", ttl_s=10)}))
    wire = connected(around)
    assert wire.session.due_s(wire.now) == START.mono_s + 25
    wire.pass_time(34.9)
    wire.frame({})
    assert wire.session.due_s(wire.now) == START.mono_s + 35
    wire.pass_time(0.1)
    assert wire.closed == 3005


def test_an_expired_connection_carries_nothing_out() -> None:
    """Also when the frame comes before the tick."""
    wire = connected(shared(notary=Notary({"anna": claims("anna", ttl_s=10)})))
    wire.now = later(wire.now, 35)
    assert wire.frame(PING) == []
    assert wire.closed == 3005


def test_a_newer_token_extends_a_connection() -> None:
    """The reply holds the new lease."""
    notary = Notary({"anna": claims("anna", ttl_s=10), "newer": claims("anna", ttl_s=100)})
    wire = connected(shared(notary=notary))
    wire.pass_time(10)
    assert wire.ask("refresh", token="newer") == {
        "client": "c1", "version": "test", "expires": True, "ttl": 90,
    }  # fmt: skip
    assert wire.session.claims == notary.tokens["newer"]
    wire.pass_time(26)
    assert wire.alive()


@pytest.mark.parametrize(
    ("token", "code"), [("forged", 3005), ("old", 3005), ("ben", 3500), ("abroad", 3500)]
)
def test_another_token_ends_a_connection(token: str, code: int) -> None:
    """One that is refused, or is somebody else's."""
    notary = Notary(
        {
            "anna": claims("anna"),
            "ben": claims("ben"),
            "abroad": claims("anna", tenant="other"),
            "old": claims("anna", ttl_s=-1),
        }
    )
    wire = connected(shared(notary=notary))
    wire.send("refresh", token=token)
    assert wire.closed == code


def test_a_revoked_token_is_no_good() -> None:
    """Open connections end, new ones and refreshes are refused."""
    around = shared()
    wire, other = connected(around), connected(around, token="ben")
    revocation = Revocation("acme", "anna", "", START.utc_ms)
    around.revocations.add(revocation)
    refreshing = connected(around, token="ben")
    for each in (wire, other, Wire(around)):
        each.carry_out(each.session.revoke(revocation))
    assert wire.closed == 3503
    assert other.alive()
    late = Wire(around)
    late.send("connect", token="anna")
    assert late.closed == 3503
    around.revocations.add(Revocation("acme", "ben", "", START.utc_ms))
    refreshing.send("refresh", token="ben")
    assert refreshing.closed == 3503


def test_a_user_has_so_many_connections() -> None:
    """The next is closed, until one is gone, however it went."""
    around = shared(gate=GateLimits(user=1))
    first, second = connected(around), Wire(around)
    second.send("connect", token="anna")
    assert second.closed == 3504
    first.carry_out(first.session.lost())
    third = connected(around)
    third.carry_out(third.session.close(SHUTDOWN))
    connected(around)
    assert around.gate.size == 2  # Anna, her tenant


def test_a_closed_session_decides_nothing() -> None:
    """Frames, ticks, answers and closes that come afterwards are for nobody."""
    wire = connected()
    wire.ask("subscribe", channel="chat:lobby")
    wire.send("presence", channel="chat:lobby")
    ticket = wire.ticket()
    wire.carry_out(wire.session.close(SHUTDOWN))
    assert (wire.closed, wire.open) == (3001, set())
    session, now = wire.session, later(wire.now, 3600)
    assert session.receive(b"{", now) == session.tick(now) == session.close(SHUTDOWN) == []
    assert session.seen(ticket, []) == session.loaded(ticket, b"", now) == session.lost() == []
    assert session.performed(ticket, b"") == session.failed(ticket, INTERNAL) == []
    assert session.lose_place("chat:lobby") == []
    publish(1, "chat:lobby", wire)
    assert wire.session.claims is not None  # the server still has to close up after it


def test_commands_have_a_rate() -> None:
    """Beyond it each is answered with error 111, and the connection goes on."""
    limits = SessionLimits(commands=Rate(per_s=1, burst=3))
    wire = connected(shared(limits=limits))
    assert [wire.ask("ping") for _ in range(3)] == [{}, {}, 111]
    wire.now = later(wire.now, 1)
    assert wire.ask("ping") == {}


def test_bytes_have_a_rate() -> None:
    """Beyond it the connection closes, whatever the bytes are."""
    limits = SessionLimits(received_bytes=Rate(per_s=100, burst=200))
    wire = connected(shared(limits=limits))
    wire.send("send", data="x" * 200)
    assert wire.closed == 3013


def test_failures_have_a_rate() -> None:
    """Who only gets errors is sent away for a while."""
    limits = SessionLimits(failures=Rate(per_s=0, burst=2))
    wire = connected(shared(limits=limits))
    assert [wire.ask("subscribe", channel="chat"), wire.ask("publish", channel="a")] == [107, 103]
    wire.send("subscribe", channel="notifications:#ben")
    assert wire.closed == 3013


def test_a_message_gets_no_error() -> None:
    """What has no id can't be answered, also when it is too much."""
    wire = connected(shared(limits=SessionLimits(commands=Rate(per_s=0, burst=1))))
    assert wire.frame({"send": {"data": 1}}) == []
    assert wire.alive()


def test_unknown_and_malformed_commands_are_answered() -> None:
    """The connection goes on."""
    wire = connected()
    assert wire.frame({"id": 5, "newer": {}})[0]["error"]["code"] == 104
    assert wire.ask("subscribe") == 107
    assert wire.ask("ping") == {}


def test_nothing_a_session_shows_holds_a_token() -> None:
    """Neither decisions nor claims carry what opens a connection."""
    notary = Notary({"s3cret": claims("anna")})
    wire = connected(shared(notary=notary), token="s3cret")
    wire.ask("subscribe", channel="chat:lobby")
    assert "s3cret" not in repr(wire.decided) + repr(wire.session.claims) + json.dumps(wire.got)
