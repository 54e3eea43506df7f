"""What a connected client may ask for."""

import json
from typing import Any

import pytest

from gateway.protocol.calls import ChatSend, SetStatus
from gateway.protocol.channels import Address, parse
from gateway.protocol.codes import INTERNAL, NOT_AVAILABLE
from gateway.protocol.decisions import Load, Look, Open, Perform, Write
from gateway.protocol.history import Histories, HistoryLimits, Publication
from gateway.protocol.limits import SessionLimits
from gateway.protocol.presence import Seat
from tests.gateway.protocol.people import Notary, claims, later
from tests.gateway.protocol.wire import EPOCH, Wire, connected, granted, publish, shared


def published_to(wire: Wire, channel: str) -> list[int]:
    """Return the offsets a client was pushed in a channel."""
    return [
        push["pub"]["offset"]
        for push in wire.pushes()
        if push["channel"] == channel and "pub" in push
    ]


def test_a_subscriber_gets_what_is_published() -> None:
    """From the position in the reply on, in order."""
    wire = connected()
    publish(3, "chat:lobby", wire)
    assert wire.ask("subscribe", channel="chat:lobby") == {
        "recoverable": True, "positioned": True, "epoch": EPOCH, "offset": 3, "publications": [],
    }  # fmt: skip
    publish(5, "chat:lobby", wire)
    publish(6, "chat:other", wire)
    publish(9, "chat:lobby", wire, data={"body": "hello"})
    assert published_to(wire, "chat:lobby") == [5, 9]
    assert wire.pushes()[-1]["pub"]["data"] == {"body": "hello"}


def test_a_publication_is_taken_once() -> None:
    """A server that offers it twice writes it once."""
    wire = connected()
    wire.ask("subscribe", channel="chat:lobby")
    publication = Publication(Address("acme", "chat:lobby"), 5, b"{}", 0)
    assert [wire.session.takes(publication) for _ in range(2)] == [True, False]


def test_the_reply_comes_before_the_channel_opens() -> None:
    """A push that overtakes the reply would be for a subscription the client doesn't have."""
    wire = connected()
    wire.send("subscribe", channel="chat:lobby")
    assert [type(each) for each in wire.decided[-2:]] == [Write, Open]


def test_a_client_goes_on_where_it_was() -> None:
    """What it missed is in the reply."""
    wire = connected()
    for offset in (3, 5, 9):
        publish(offset, "chat:lobby", wire)
    result = wire.ask("subscribe", channel="chat:lobby", recover=True, epoch=EPOCH, offset=3)
    assert (result["was_recovering"], result["recovered"], result["offset"]) == (True, True, 9)
    assert [each["offset"] for each in result["publications"]] == [5, 9]
    publish(11, "chat:lobby", wire)
    assert published_to(wire, "chat:lobby") == [11]


def test_who_missed_too_much_is_told() -> None:
    """`recovered: false`, or error 112 for clients that want to know before they subscribe."""
    wire = connected()
    lost: dict[str, Any] = {"channel": "chat:lobby", "recover": True, "epoch": "log-0", "offset": 3}
    assert wire.ask("subscribe", **lost, flag=3) == 112
    assert wire.open == {"notifications:#anna"}
    result = wire.ask("subscribe", **lost, flag=1)
    assert (result["was_recovering"], result["recovered"]) == (True, False)
    assert result["publications"] == []


def test_a_client_that_is_ahead_gets_nothing_twice() -> None:
    """The gateway it came from had read further."""
    wire = connected()
    publish(3, "chat:lobby", wire)
    result = wire.ask("subscribe", channel="chat:lobby", recover=True, epoch=EPOCH, offset=7)
    assert (result["recovered"], result["offset"]) == (True, 7)
    for offset in (5, 7, 8):
        publish(offset, "chat:lobby", wire)
    assert published_to(wire, "chat:lobby") == [8]


@pytest.mark.parametrize(
    ("channel", "code"),
    [
        ("chat", 107),
        ("room:lobby", 102),
        ("notifications:#ben", 103),
        ("notifications:#nobody", 103),
        ("notifications:#anna", 105),
    ],
)
def test_a_channel_one_may_not_have_is_refused(channel: str, code: int) -> None:
    """What is another's and what isn't there look the same; the server's own is open already."""
    assert connected().ask("subscribe", channel=channel) == code


def test_there_are_so_many_channels() -> None:
    """One more is error 106, until one is left."""
    wire = connected(shared(limits=SessionLimits(subscriptions=2)))
    wire.ask("subscribe", channel="chat:a")
    assert wire.ask("subscribe", channel="chat:b") == 106
    assert wire.ask("unsubscribe", channel="chat:a") == {}
    assert isinstance(wire.ask("subscribe", channel="chat:b"), dict)


def test_who_leaves_gets_nothing_more() -> None:
    """Leaving what isn't open is fine too."""
    wire = connected()
    wire.ask("subscribe", channel="chat:lobby")
    assert wire.ask("unsubscribe", channel="chat:lobby") == {}
    publish(5, "chat:lobby", wire)
    assert wire.pushes() == []
    assert wire.ask("unsubscribe", channel="chat:lobby") == {}


def test_a_board_opens_with_its_snapshot() -> None:
    """Asked for first, in the reply then; updates come after."""
    wire = connected()
    assert wire.send("subscribe", channel="metrics:overview") == []
    assert wire.decided[-1] == Load(wire.ticket(), parse("metrics:overview"))
    assert wire.ask("subscribe", channel="metrics:overview") == 105
    ticket = next(each.ticket for each in wire.decided if isinstance(each, Load))
    wire.carry_out(wire.session.loaded(ticket, b'{"won":1}', wire.now))
    assert wire.got[-1] == {"id": 2, "subscribe": {"data": {"won": 1}}}
    assert "metrics:overview" in wire.open
    assert wire.session.loaded(ticket, b"{}", wire.now) == []


def test_a_board_that_cannot_be_loaded_is_an_error() -> None:
    """Temporary: the client tries again."""
    wire = connected()
    wire.send("subscribe", channel="metrics:overview")
    wire.carry_out(wire.session.failed(wire.ticket(), INTERNAL))
    assert wire.got[-1]["error"] == {"code": 100, "message": "internal error", "temporary": True}
    wire.send("subscribe", channel="metrics:overview")
    assert isinstance(wire.decided[-1], Load)


def test_a_board_may_be_left_before_it_opens() -> None:
    """The subscription is answered, and a snapshot that comes later opens nothing."""
    wire = connected()
    wire.send("subscribe", channel="metrics:overview")
    ticket = wire.ticket()
    wire.send("subscribe", channel="metrics:another")
    got = wire.send("unsubscribe", channel="metrics:overview")
    assert [each.get("error", {}).get("code") for each in got] == [NOT_AVAILABLE.code, None]
    assert wire.session.loaded(ticket, b"{}", wire.now) == []


def test_the_server_subscribes_to_what_the_token_says() -> None:
    """What isn't a positioned channel, or isn't permitted, is left out."""
    names = ("chat:lobby", "chat", "notifications:#ben", "metrics:overview", "notifications:#anna")
    notary = Notary({"anna": claims("anna", channels=names)})
    wire = Wire(shared(notary=notary))
    subs = wire.ask("connect", token="anna")["subs"]
    assert set(subs) == wire.open == {"notifications:#anna", "chat:lobby"}


def test_server_side_channels_are_recovered_too() -> None:
    """From the positions in `connect`."""
    around = shared()
    for offset in (3, 5):
        publish(offset, "notifications:#anna", connected(around))
    wire = Wire(around)
    position = {"recover": True, "epoch": EPOCH, "offset": 3}
    subs = wire.ask("connect", token="anna", subs={"notifications:#anna": position})["subs"]
    result = subs["notifications:#anna"]
    assert result["recovered"]
    assert [each["offset"] for each in result["publications"]] == [5]


def test_a_grant_opens_a_channel_for_a_while() -> None:
    """A viewer is let into a room; without refresh the subscription ends."""
    wire = connected(token="ben")
    assert wire.ask("subscribe", channel="chat:board") == 103
    token = granted(wire, "chat:board", user="ben", ttl_s=30)
    result = wire.ask("subscribe", channel="chat:board", token=token)
    assert (result["expires"], result["ttl"]) == (True, 30)
    assert wire.session.due_s(later(wire.now, 20)) == wire.now.mono_s + 25
    wire.pass_time(25)
    wire.frame({})
    newer = granted(wire, "chat:board", user="ben", ttl_s=90)
    assert wire.ask("sub_refresh", channel="chat:board", token=newer) == {
        "expires": True, "ttl": 65,
    }  # fmt: skip
    for _ in range(4):
        wire.pass_time(22)
        wire.frame({})
    assert "chat:board" in wire.open
    wire.pass_time(2)
    assert wire.pushes()[-1]["unsubscribe"]["code"] == 2501
    assert "chat:board" not in wire.open


@pytest.mark.parametrize(
    ("channel", "user", "ttl_s", "code"),
    [("chat:board", "anna", 60, 103), ("chat:a", "ben", 60, 103), ("chat:board", "ben", -1, 109)],
)
def test_another_grant_opens_nothing(channel: str, user: str, ttl_s: int, code: int) -> None:
    """Somebody else's, for another channel, or one that ran out."""
    wire = connected(token="ben")
    token = granted(wire, channel, user=user, ttl_s=ttl_s)
    assert wire.ask("subscribe", channel="chat:board", token=token) == code
    assert wire.ask("subscribe", channel="chat:board", token="forged") == 103


def test_a_grant_is_refreshed_by_a_grant() -> None:
    """An old one is error 110, a forged one 103; what needs no grant can't be refreshed."""
    wire = connected(token="ben")
    wire.ask("subscribe", channel="chat:board", token=granted(wire, "chat:board", user="ben"))
    old = granted(wire, "chat:board", user="ben", ttl_s=-1)
    assert wire.ask("sub_refresh", channel="chat:board", token=old) == 110
    assert wire.ask("sub_refresh", channel="chat:board", token="forged") == 103
    assert wire.ask("sub_refresh", channel="notifications:#ben", token=old) == 107
    assert wire.ask("sub_refresh", channel="chat:lobby", token=old) == 107


def test_a_token_that_permits_less_ends_channels() -> None:
    """What is open, what waits, but not what was granted."""
    notary = Notary({"anna": claims("anna"), "less": claims("anna", "nothing", ttl_s=7200)})
    wire = connected(shared(notary=notary))
    wire.ask("subscribe", channel="chat:lobby")
    wire.ask("subscribe", channel="chat:board", token=granted(wire, "chat:board"))
    wire.send("presence", channel="chat:lobby")
    wire.send("subscribe", channel="metrics:overview")
    ticket = wire.ticket()
    got = wire.send("refresh", token="less")
    assert got[0]["refresh"]["ttl"] == 7200
    assert got[1]["error"]["code"] == 103
    ended = {push["channel"]: push["unsubscribe"]["code"] for push in wire.pushes()}
    assert ended == {"chat:lobby": 2000, "notifications:#anna": 2000}
    assert wire.open == {"chat:board"}
    assert wire.session.loaded(ticket, b"{}", wire.now) == []


def test_presence_is_looked_up() -> None:
    """For who is there and how many, where the class has presence."""
    wire = connected()
    seats = [Seat("anna", "c1"), Seat("anna", "c2"), Seat("ben", "c3")]
    wire.send("presence", channel="chat:lobby")
    assert wire.decided[-1] == Look(wire.ticket(), parse("chat:lobby"))
    wire.carry_out(wire.session.seen(wire.ticket(), seats))
    assert set(wire.got[-1]["presence"]["presence"]) == {"c1", "c2", "c3"}
    wire.send("presence_stats", channel="presence:central")
    wire.carry_out(wire.session.seen(wire.ticket(), seats))
    assert wire.got[-1] == {"id": 3, "presence_stats": {"num_clients": 3, "num_users": 2}}


@pytest.mark.parametrize("method", ["presence", "presence_stats", "history"])
def test_the_past_and_the_present_need_permission(method: str) -> None:
    """As subscribing does."""
    wire = connected(token="ben")
    assert wire.ask(method, channel="chat:lobby") == 103
    assert wire.ask(method, channel="chat") == 107
    assert wire.ask(method, channel="metrics:overview") == 108


def test_a_granted_channel_may_be_read() -> None:
    """Who was let into a room sees who is there and what was said."""
    wire = connected(token="ben")
    wire.ask("subscribe", channel="chat:board", token=granted(wire, "chat:board", user="ben"))
    publish(4, "chat:board", wire)
    assert len(wire.ask("history", channel="chat:board", limit=1)["publications"]) == 1


def test_history_is_read_in_pages() -> None:
    """Both ways, and no more than a page at a time."""
    wire = connected(shared(limits=SessionLimits(history=2)))
    for offset in (2, 4, 6, 8):
        publish(offset, "chat:lobby", wire)

    def offsets(**body: Any) -> list[int]:
        result = wire.ask("history", channel="chat:lobby", **body)
        assert (result["epoch"], result["offset"]) == (EPOCH, 8)
        return [each["offset"] for each in result["publications"]]

    assert offsets() == []
    assert offsets(limit=-1) == offsets(limit=9) == [2, 4]
    assert offsets(limit=2, since={"epoch": EPOCH, "offset": 4}) == [6, 8]
    assert offsets(limit=1, reverse=True) == [8]
    assert offsets(limit=2, reverse=True, since={"epoch": EPOCH, "offset": 8}) == [6, 4]
    assert wire.ask("history", channel="chat:lobby", since={"epoch": "log-0", "offset": 4}) == 112


def test_calls_are_carried_out_by_the_server() -> None:
    """The reply comes when they are done; errors too."""
    wire = connected()
    wire.send("rpc", method="chat.send", data={"room": "lobby", "id": "m-1", "body": "hi"})
    assert wire.decided[-1] == Perform(wire.ticket(), ChatSend(room="lobby", id="m-1", body="hi"))
    wire.carry_out(wire.session.performed(wire.ticket(), b'{"offset":7}'))
    assert wire.got[-1] == {"id": 2, "rpc": {"data": {"offset": 7}}}
    wire.send("rpc", method="agent.status", data={"status": "away"})
    assert wire.decided[-1] == Perform(wire.ticket(), SetStatus(status="away"))
    ticket = wire.ticket()
    wire.carry_out(wire.session.failed(ticket, INTERNAL))
    assert wire.got[-1]["error"]["code"] == 100
    assert wire.session.performed(ticket, b"1") == []


def test_calls_need_permission() -> None:
    """Who was only let in to read doesn't speak."""
    wire = connected(token="ben")
    said = {"room": "board", "id": "m-1", "body": "hi"}
    assert wire.ask("rpc", method="chat.send", data=said) == 103
    wire.ask("subscribe", channel="chat:board", token=granted(wire, "chat:board", user="ben"))
    assert wire.ask("rpc", method="chat.send", data=said) == 103
    assert wire.ask("rpc", method="agent.status", data={"status": "away"}) == 103
    assert wire.ask("rpc", method="chat.shout") == 104
    assert wire.ask("rpc", method="notifications.ack", data={}) == 107


def test_so_much_may_wait() -> None:
    """Commands that wait for something outside are bounded; the client repeats them."""
    wire = connected(shared(limits=SessionLimits(pending=1)))
    wire.send("presence", channel="chat:lobby")
    ticket = wire.ticket()
    assert wire.ask("presence", channel="chat:lobby") == 111
    assert wire.ask("subscribe", channel="metrics:overview") == 111
    wire.carry_out(wire.session.seen(ticket, []))
    assert wire.session.seen(ticket, []) == []
    assert wire.session.failed(ticket, INTERNAL) == []
    wire.send("subscribe", channel="metrics:overview")
    assert isinstance(wire.decided[-1], Load)


def test_an_answer_opens_nothing_that_was_only_asked() -> None:
    """A snapshot for a ticket of a question is nobody's."""
    wire = connected()
    wire.send("presence", channel="chat:lobby")
    assert wire.session.loaded(wire.ticket(), b"{}", wire.now) == []


def test_a_message_is_taken_and_nothing_happens() -> None:
    """What browsers say goes through calls."""
    wire = connected()
    assert wire.send("send", data={"a": 1}) == []
    assert wire.alive()


def test_browsers_do_not_publish() -> None:
    """What people say goes through the journal."""
    assert connected().ask("publish", channel="chat:lobby", data={}) == 103


def test_a_lost_place_is_recovered_by_the_client() -> None:
    """2500 makes it subscribe again, from where it was."""
    wire = connected()
    wire.ask("subscribe", channel="chat:lobby")
    wire.carry_out(wire.session.lose_place("chat:lobby"))
    assert wire.pushes()[-1]["unsubscribe"]["code"] == 2500
    assert "chat:lobby" not in wire.open
    assert wire.session.lose_place("chat:lobby") == []


def test_tenants_do_not_meet() -> None:
    """Equal names of two tenants are two channels, in pushes, recovery and history."""
    notary = Notary({"anna": claims("anna"), "abroad": claims("anna", tenant="other")})
    around = shared(notary=notary, histories=Histories(EPOCH, [0], HistoryLimits()))
    here, abroad = connected(around), connected(around, token="abroad")
    publish(5, "chat:lobby", here)
    result = abroad.ask("subscribe", channel="chat:lobby", recover=True, epoch=EPOCH, offset=0)
    assert result["publications"] == []
    assert abroad.ask("history", channel="chat:lobby", limit=-1)["publications"] == []
    assert "hello" not in json.dumps(abroad.got)
