"""What a browser may have done."""

import pytest

from gateway.protocol import calls
from gateway.protocol.calls import Acknowledge, Call, ChatSend, SetStatus
from gateway.protocol.commands import Rpc
from gateway.protocol.permissions import CALLS
from schemas.errors import Refused


@pytest.mark.parametrize(
    ("method", "data", "call"),
    [
        ("chat.send", {"room": "lobby", "id": "m-1", "body": "hello\n"},
         ChatSend(room="lobby", id="m-1", body="hello\n")),
        ("notifications.ack", {"ids": ["n-1", "n-2"]}, Acknowledge(ids=["n-1", "n-2"])),
        ("agent.status", {"status": "away", "more": 1}, SetStatus(status="away")),
    ],
)  # fmt: skip
def test_each_call_is_read(method: str, data: object, call: Call) -> None:
    """The data arrives typed."""
    assert calls.read(Rpc(method=method, data=data)) == call


def test_every_method_says_who_may_call_it() -> None:
    """A method without a rule would be nobody's."""
    assert set(calls.METHODS) == set(CALLS)


@pytest.mark.parametrize(
    ("method", "data", "code"),
    [
        ("chat.shout", {}, 104),
        ("", None, 104),
        ("chat.send", None, 107),
        ("chat.send", [], 107),
        ("chat.send", {"room": "lobby", "id": "m-1", "body": ""}, 107),
        ("chat.send", {"room": "lobby", "id": "m-1", "body": "x" * 4001}, 107),
        ("chat.send", {"room": "lobby", "id": "m 1", "body": "x"}, 107),
        ("chat.send", {"room": "", "id": "m-1", "body": "x"}, 107),
        ("chat.send", {"room": "ü" * 50, "id": "m-1", "body": "x"}, 107),
        ("notifications.ack", {"ids": []}, 107),
        ("notifications.ack", {"ids": ["n"] * 101}, 107),
        ("notifications.ack", {"ids": "n-1"}, 107),
        ("agent.status", {"status": "asleep"}, 107),
    ],
)
def test_other_calls_are_refused(method: str, data: object, code: int) -> None:
    """An unknown method and data that doesn't fit are told apart."""
    with pytest.raises(Refused) as refused:
        calls.read(Rpc(method=method, data=data))
    assert refused.value.code == code


def test_a_room_is_a_channel() -> None:
    """What is said comes back on the channel of the room, escapes and all."""
    assert ChatSend(room="große runde", id="1", body="x").channel == "chat:gro%C3%9Fe%20runde"
