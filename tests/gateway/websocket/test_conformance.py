"""What an unmodified PyPI client sees of a gateway."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from centrifuge import CentrifugeError, ReplyError, StreamPosition

from gateway.protocol.codes import SHUTDOWN
from gateway.protocol.history import HistoryLimits
from gateway.protocol.limits import GateLimits
from gateway.websocket.config import GatewayConfig
from tests.gateway.websocket.calling import unavailable
from tests.gateway.websocket.serving import Serving, serving, until
from tests.gateway.websocket.watching import Watch, client, watching

ROOM = "chat:lobby"


def drop(given: Serving) -> None:
    """Cut every connection without a word, as a network does."""
    for link in list(given.hub._links):  # noqa: SLF001 - what a network does needs no interface
        link.abort()


def beside(other: Serving) -> Callable[[GatewayConfig], GatewayConfig]:
    """Configure a gateway that shares another one's port."""
    port = other.gateway.port
    return lambda given: replace(given, port=port)


def _has(watch: Watch, count: int) -> bool:
    return len(watch.got) >= count


async def test_connects_and_is_told_its_own_notifications(tmp_path: Path) -> None:
    """`connect` names the client and subscribes one's notifications by the server."""
    async with serving(tmp_path) as given, client(given.url, given.token()) as (_, events):
        await until(lambda: events.server_subscribed, "subscribed by the server")
        assert events.connected[0].client
        assert events.server_subscribed[0].channel == "notifications:#anna"
        await given.publish("notifications:#ben", {"n": 0})
        await given.publish("notifications:#anna", {"n": 1})
        await until(lambda: events.pushed, "the notification")
        assert [each.pub.data for each in events.pushed] == [{"n": 1}]


async def test_bad_token_ends_for_good(tmp_path: Path) -> None:
    """A token of another key: the client doesn't come back."""
    other = tmp_path / "other"
    other.mkdir()
    async with (
        serving(tmp_path) as given,
        serving(other) as stranger,
        client(given.url, stranger.token()) as (_, events),
    ):
        await until(lambda: events.disconnected, "the end")
        assert events.disconnected[0].code == 3500


async def test_expired_token_is_replaced(tmp_path: Path) -> None:
    """A client with an expired token asks for a new one and connects."""
    async with serving(tmp_path) as given:
        asked = []

        async def fresh() -> str:
            asked.append(1)
            return given.token()

        expired = given.token(ttl_s=0.001)
        await asyncio.sleep(0.01)
        async with client(given.url, expired, get_token=fresh) as (_, events):
            await until(lambda: events.connected, "connected")
            assert asked


async def test_refresh_keeps_the_connection(tmp_path: Path) -> None:
    """A token that ends soon is refreshed without a reconnect."""
    async with serving(tmp_path) as given:
        asked = []

        async def fresh() -> str:
            asked.append(1)
            return given.token(ttl_s=600)

        async with client(given.url, given.token(ttl_s=1.5), get_token=fresh) as (made, events):
            _, watch = await watching(made, ROOM)
            await until(lambda: asked, "refreshed")
            await given.publish(ROOM, {"n": 1})
            await until(lambda: watch.got, "the publication")
            assert len(events.connected) == 1


async def test_publications_are_live_and_in_order(tmp_path: Path) -> None:
    """Hundreds in a row come in order, each once, with growing offsets."""
    async with serving(tmp_path) as given, client(given.url, given.token()) as (made, _):
        _, watch = await watching(made, ROOM)
        for start in range(0, 1_000, 100):
            await given.publish(ROOM, *({"n": n} for n in range(start, start + 100)))
        await until(lambda: len(watch.got) >= 1_000, "all of them")
        assert watch.got == [{"n": n} for n in range(1_000)]
        assert watch.offsets == sorted(set(watch.offsets))


async def test_what_was_missed_comes_once_and_in_order(tmp_path: Path) -> None:
    """Dropped connections cost nothing: what came meanwhile is recovered."""
    async with serving(tmp_path) as given, client(given.url, given.token()) as (made, events):
        _, watch = await watching(made, ROOM)
        for turn in range(5):
            await given.publish(ROOM, *({"n": 10 * turn + n} for n in range(5)))
            drop(given)
            await given.publish(ROOM, *({"n": 10 * turn + n} for n in range(5, 10)))
            await until(partial(_has, watch, 10 * (turn + 1)), "recovered")
        assert watch.got == [{"n": n} for n in range(50)]
        assert all(each.recovered for each in watch.subscribed[1:])
        assert len(events.connected) > 1


async def test_overflowed_history_is_not_recovered(tmp_path: Path) -> None:
    """More was missed than is kept: nothing of it is sent, and the client is told."""

    def few(given: GatewayConfig) -> GatewayConfig:
        return replace(given, history=HistoryLimits(publications=3))

    async with (
        serving(tmp_path, config=few) as given,
        client(given.url, given.token()) as (made, _),
    ):
        _, watch = await watching(made, ROOM)
        await given.publish(ROOM, {"n": 0})
        await until(lambda: watch.got, "the first")
        drop(given)
        await given.publish(ROOM, *({"n": n} for n in range(1, 6)))
        await until(lambda: len(watch.subscribed) > 1, "subscribed again")
        again = watch.subscribed[-1]
        assert (again.was_recovering, again.recovered) == (True, False)
        assert watch.got == [{"n": 0}]


async def test_other_log_is_not_recovered(tmp_path: Path) -> None:
    """A position of another log means nothing here."""
    async with serving(tmp_path) as first, client(first.url, first.token()) as (made, _):
        _, watch = await watching(made, ROOM)
        await first.publish(ROOM, {"n": 0})
        await until(lambda: watch.got, "the first")
        same_port = beside(first)
        await first.gateway.stop()
        async with serving(tmp_path, epoch="log-2", config=same_port):
            await until(lambda: len(watch.subscribed) > 1, "subscribed again")
            again = watch.subscribed[-1]
            assert (again.was_recovering, again.recovered) == (True, False)


async def test_channels_that_are_not_yours_are_denied(tmp_path: Path) -> None:
    """What belongs to somebody else, and what a role doesn't permit, gets 103."""
    async with (
        serving(tmp_path) as given,
        client(given.url, given.token(role="viewer")) as (made, _),
    ):
        _, theirs = await watching(made, "notifications:#ben", granted=False)
        _, room = await watching(made, ROOM, granted=False)
        await until(lambda: theirs.unsubscribed and room.unsubscribed, "both are refused")
        assert theirs.unsubscribed[0].code == room.unsubscribed[0].code == 103


async def test_tenants_do_not_meet(tmp_path: Path) -> None:
    """The same channel of another tenant is another channel."""
    async with serving(tmp_path) as given, client(given.url, given.token()) as (made, _):
        _, watch = await watching(made, ROOM)
        await given.publish(ROOM, {"n": 0}, tenant="other")
        await given.publish(ROOM, {"n": 1})
        await until(lambda: watch.got, "ours")
        assert watch.got == [{"n": 1}]


async def test_history_is_paged_both_ways(tmp_path: Path) -> None:
    """From a position on, and backwards from the newest."""
    async with serving(tmp_path) as given, client(given.url, given.token()) as (made, _):
        subscription, _ = await watching(made, ROOM)
        await given.publish(ROOM, *({"n": n} for n in range(5)))
        newest = await subscription.history(limit=2, reverse=True)
        assert [each.data["n"] for each in newest.publications] == [4, 3]
        since = StreamPosition(newest.publications[-1].offset, newest.epoch)
        older = await subscription.history(limit=2, since=since, reverse=True)
        assert [each.data["n"] for each in older.publications] == [2, 1]
        after = StreamPosition(older.publications[-1].offset, older.epoch)
        forth = await subscription.history(limit=10, since=after)
        assert [each.data["n"] for each in forth.publications] == [2, 3, 4]


async def test_calls_are_answered(tmp_path: Path) -> None:
    """`rpc` gives what was called, or an error, or that there is no such method."""
    async with serving(tmp_path) as given, client(given.url, given.token()) as (made, _):
        answer = await made.rpc("agent.status", {"status": "busy"})
        assert answer.data == {"user": "anna", "call": {"status": "busy"}}
        with pytest.raises(ReplyError) as none:
            await made.rpc("no.such", {})
        assert none.value.code == 104
        with pytest.raises(ReplyError) as wrong:
            await made.rpc("agent.status", {"status": "asleep"})
        assert wrong.value.code == 107


async def test_calls_that_fail_keep_the_connection(tmp_path: Path) -> None:
    """A call that can't be carried out is an error of that call alone."""
    async with (
        serving(tmp_path, call=unavailable) as given,
        client(given.url, given.token()) as (made, events),
    ):
        with pytest.raises(ReplyError) as refused:
            await made.rpc("agent.status", {"status": "busy"})
        assert refused.value.code == 108
        assert len(events.connected) == 1


async def test_clients_move_when_a_gateway_stops(tmp_path: Path) -> None:
    """3001: they come back, to another gateway on the same port, and miss nothing."""
    async with serving(tmp_path) as first, client(first.url, first.token()) as (made, events):
        _, watch = await watching(made, ROOM)
        await first.publish(ROOM, {"n": 0})
        await until(lambda: watch.got, "the first")
        async with serving(tmp_path, config=beside(first)) as second:
            records = [first.next(ROOM, {"n": n}) for n in range(1, 4)]
            await second.hub.deliver([*first.histories._rings[records[0].address].items])  # noqa: SLF001
            await first.gateway.stop()
            assert events.connecting[-1].code == SHUTDOWN.code
            await second.hub.deliver(records)
            await until(lambda: len(watch.got) == 4, "the rest")
            assert watch.got == [{"n": n} for n in range(4)]
            assert watch.subscribed[-1].recovered
            await made.disconnect()


async def test_too_many_of_one_user_are_refused(tmp_path: Path) -> None:
    """3504: and the client doesn't come back."""

    def two(given: GatewayConfig) -> GatewayConfig:
        return replace(given, gate=GateLimits(user=2))

    async with serving(tmp_path, config=two) as given:
        async with (
            client(given.url, given.token()) as (_, first),
            client(given.url, given.token()) as (_, second),
        ):
            await until(lambda: first.connected and second.connected, "two")
            async with client(given.url, given.token()) as (_, third):
                await until(lambda: third.disconnected, "the third is refused")
                assert third.disconnected[0].code == 3504
        async with client(given.url, given.token()) as (_, later):
            await until(lambda: later.connected, "there is room again")


async def test_boards_and_presence_are_not_served_yet(tmp_path: Path) -> None:
    """They are refused as not available, which is an answer."""
    async with serving(tmp_path) as given, client(given.url, given.token()) as (made, _):
        _, watch = await watching(made, "metrics:overview", granted=False)
        await until(lambda: watch.unsubscribed, "refused")
        assert watch.unsubscribed[0].code == 108
        with pytest.raises(CentrifugeError):
            await made.presence(ROOM)
