"""The channels of one connection."""

import pytest

from gateway.protocol.channels import parse
from gateway.protocol.subscriptions import Subscription, Subscriptions
from schemas.errors import Refused


def code_of(table: Subscriptions, name: str) -> int:
    """Return the error a channel is refused with, 0 when there is room."""
    try:
        table.check_room(name)
    except Refused as refused:
        return refused.code
    return 0


def test_a_channel_is_open_once() -> None:
    """Waiting for a snapshot counts as open."""
    table = Subscriptions(10)
    table.wait("metrics:a")
    table.add(Subscription(parse("chat:a")))
    assert code_of(table, "metrics:a") == code_of(table, "chat:a") == 105
    table.add(Subscription(parse("metrics:a")))
    assert code_of(table, "metrics:a") == 105
    table.remove("metrics:a")
    assert code_of(table, "metrics:a") == 0


def test_there_is_room_for_so_many() -> None:
    """What waits takes a place, and gives it back."""
    table = Subscriptions(2)
    table.add(Subscription(parse("chat:a")))
    table.wait("metrics:a")
    assert code_of(table, "chat:b") == 106
    table.give_up("metrics:a")
    assert code_of(table, "chat:b") == 0


def test_what_is_not_open_is_not_closed() -> None:
    """Leaving twice is leaving once."""
    table = Subscriptions(2)
    table.add(Subscription(parse("chat:a")))
    assert table.remove("chat:a") is not None
    assert table.remove("chat:a") is None
    assert table.get("chat:a") is None


def test_a_table_may_change_while_it_is_read() -> None:
    """Ending subscriptions one by one ends all of them."""
    table = Subscriptions(5)
    for name in ("chat:a", "chat:b", "chat:c"):
        table.add(Subscription(parse(name)))
    for each in table:
        table.remove(each.channel.name)
    assert list(table) == []


def test_clearing_returns_what_was_open() -> None:
    """Also what waited is gone afterwards."""
    table = Subscriptions(5)
    table.add(Subscription(parse("chat:a")))
    table.wait("metrics:a")
    assert [each.channel.name for each in table.clear()] == ["chat:a"]
    with pytest.raises(StopIteration):
        next(iter(table))
    assert code_of(table, "metrics:a") == 0
