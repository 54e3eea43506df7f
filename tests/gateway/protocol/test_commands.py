"""Commands as published clients write them, and everything they might write."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protocol import commands
from gateway.protocol.codes import BAD_REQUEST, BROKEN, METHOD_NOT_FOUND, MustClose
from gateway.protocol.commands import METHODS, Command, Unreadable, read

bodies: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["channel", "token", "offset", "epoch", "limit", "since", "subs", "data"]),
    st.sampled_from([None, True, -1, 0, 2**64, 0.5, "", "chat:a", [], [{}], {}, {"a": {}}]),
    max_size=3,
)


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        (
            {"connect": {"token": "t", "name": "js", "subs": {"chat:a": {"recover": True,
             "offset": 7, "epoch": "e"}}}},
            commands.Connect(token="t", name="js", subs={
                "chat:a": commands.Resume(recover=True, offset=7, epoch="e")}),
        ),
        ({"refresh": {"token": "t"}}, commands.Refresh(token="t")),
        (
            {"subscribe": {"channel": "chat:a", "recover": True, "epoch": "e", "offset": 7,
             "flag": 1, "positioned": True, "delta": "fossil"}},
            commands.Subscribe(channel="chat:a", recover=True, epoch="e", offset=7, flag=1),
        ),
        ({"sub_refresh": {"channel": "chat:a", "token": "t"}},
         commands.SubRefresh(channel="chat:a", token="t")),
        ({"unsubscribe": {"channel": "chat:a"}}, commands.Unsubscribe(channel="chat:a")),
        ({"publish": {"channel": "chat:a", "data": 1}}, commands.Publish(channel="chat:a")),
        ({"presence": {"channel": "chat:a"}}, commands.Presence(channel="chat:a")),
        ({"presence_stats": {"channel": "chat:a"}}, commands.PresenceStats(channel="chat:a")),
        (
            {"history": {"channel": "chat:a", "limit": 5, "reverse": True,
             "since": {"offset": 1, "epoch": "e"}}},
            commands.History(channel="chat:a", limit=5, reverse=True,
                             since=commands.Since(offset=1, epoch="e")),
        ),
        ({"rpc": {"method": "chat.send", "data": [1]}}, commands.Rpc(method="chat.send", data=[1])),
        ({"send": {"data": {"a": 1}}}, commands.Send(data={"a": 1})),
        ({"ping": {}}, commands.Ping()),
    ],
)  # fmt: skip
def test_each_command_is_read(line: dict[str, Any], request_: commands.Request) -> None:
    """The fields we know arrive typed, those we don't are ignored."""
    assert read({"id": 3, **line}) == Command(3, request_)


def test_every_method_has_an_example_above() -> None:
    """The list of methods and the examples are the same."""
    assert len(METHODS) == 12


@pytest.mark.parametrize("line", [{}, {"id": 0}, {"connect": None}, {"newer": {"a": 1}}])
def test_a_command_without_id_and_method_is_a_pong(line: dict[str, Any]) -> None:
    """`{}` answers a ping; what a newer client adds to it is ignored."""
    assert read(line) == Command(0, commands.Pong())


@pytest.mark.parametrize("line", [{"id": 4}, {"id": 4, "newer": {}}, {"id": 4, "rpc": None}])
def test_an_unknown_method_is_answered(line: dict[str, Any]) -> None:
    """A newer client learns that we don't have it, and stays."""
    assert read(line) == Command(4, Unreadable(failure=METHOD_NOT_FOUND))


@pytest.mark.parametrize(
    "line",
    [
        {"subscribe": {}},
        {"subscribe": {"channel": 5}},
        {"subscribe": {"channel": "chat:a", "offset": "5"}},
        {"subscribe": {"channel": "chat:a", "offset": -1}},
        {"subscribe": {"channel": "chat:a", "offset": 2**53}},
        {"subscribe": {"channel": "chat:a", "recover": 1}},
        {"subscribe": ["chat:a"]},
        {"connect": {"token": "t" * 4097}},
        {"connect": {"subs": {f"chat:{n}": {} for n in range(129)}}},
        {"refresh": {}},
        {"history": {"channel": "chat:a", "limit": -2}},
        {"history": {"channel": "chat:a", "limit": 1.5}},
        {"rpc": {"method": "m" * 129}},
        {"ping": 7},
    ],
)
def test_a_malformed_body_is_answered(line: dict[str, Any]) -> None:
    """A wrong field costs the command, not the connection."""
    assert read({"id": 5, **line}) == Command(5, Unreadable(failure=BAD_REQUEST))


@pytest.mark.parametrize(
    "line",
    [
        {"connect": {}},
        {"id": 0, "rpc": {"method": "a"}},
        {"id": -1, "ping": {}},
        {"id": 2**32, "ping": {}},
        {"id": "1", "ping": {}},
        {"id": True, "ping": {}},
        {"id": None, "ping": {}},
        {"id": 1.0, "ping": {}},
        {"id": 1, "ping": {}, "rpc": {"method": "a"}},
    ],
)
def test_what_cannot_be_answered_closes(line: dict[str, Any]) -> None:
    """Without a usable id, or with two methods, no reply would reach what asked for it."""
    with pytest.raises(MustClose) as broken:
        read(line)
    assert broken.value.close is BROKEN


def test_a_message_needs_no_id() -> None:
    """`send` is answered by nobody."""
    assert read({"send": {"data": 1}}) == Command(0, commands.Send(data=1))


def test_null_fields_are_absent_fields() -> None:
    """Clients in other languages write null for what they leave out."""
    line = {"id": 1, "connect": {"token": "t", "name": None, "subs": None}}
    assert read(line) == Command(1, commands.Connect(token="t"))


def test_tokens_are_not_shown() -> None:
    """A command that ends up in a log line holds no secret."""
    lines = [
        {"id": 1, "connect": {"token": "s3cret"}},
        {"id": 1, "refresh": {"token": "s3cret"}},
        {"id": 1, "subscribe": {"channel": "chat:a", "token": "s3cret"}},
        {"id": 1, "sub_refresh": {"channel": "chat:a", "token": "s3cret"}},
    ]
    assert not any("s3cret" in repr(read(line)) for line in lines)


@settings(max_examples=100)
@given(
    st.sampled_from([None, True, -1, 0, 1, 2**32, "1"]),
    st.dictionaries(st.sampled_from(["newer", *METHODS]), bodies | st.just([1]), max_size=2),
)
def test_any_object_is_a_command_or_closes(number: object, methods: dict[str, Any]) -> None:
    """Nothing a client can send raises anything else."""
    try:
        command = read({"id": number, **methods})
    except MustClose:
        return
    # A message has no id, so what is wrong with it is told to nobody.
    assert command.id or "send" in methods or command.request == commands.Pong()
