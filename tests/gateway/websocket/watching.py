"""An unmodified `centrifuge-python` client that keeps what happens to it."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from centrifuge import (
    Client,
    ClientEventHandler,
    ConnectedContext,
    ConnectingContext,
    DisconnectedContext,
    ErrorContext,
    PublicationContext,
    ServerPublicationContext,
    ServerSubscribedContext,
    SubscribedContext,
    SubscribingContext,
    SubscriptionErrorContext,
    SubscriptionEventHandler,
    UnsubscribedContext,
)

from tests.gateway.websocket.serving import until


class Events(ClientEventHandler):  # type: ignore[misc]  # the package has no types
    """What happens to a connection."""

    def __init__(self) -> None:
        self.connected: list[ConnectedContext] = []
        self.connecting: list[ConnectingContext] = []
        self.disconnected: list[DisconnectedContext] = []
        self.errors: list[ErrorContext] = []
        self.server_subscribed: list[ServerSubscribedContext] = []
        self.pushed: list[ServerPublicationContext] = []

    async def on_connected(self, ctx: ConnectedContext) -> None:
        """Note it."""
        self.connected.append(ctx)

    async def on_connecting(self, ctx: ConnectingContext) -> None:
        """Note it."""
        self.connecting.append(ctx)

    async def on_disconnected(self, ctx: DisconnectedContext) -> None:
        """Note it."""
        self.disconnected.append(ctx)

    async def on_error(self, ctx: ErrorContext) -> None:
        """Note it."""
        self.errors.append(ctx)

    async def on_subscribed(self, ctx: ServerSubscribedContext) -> None:
        """Note it."""
        self.server_subscribed.append(ctx)

    async def on_publication(self, ctx: ServerPublicationContext) -> None:
        """Note it."""
        self.pushed.append(ctx)


class Watch(SubscriptionEventHandler):  # type: ignore[misc]  # same
    """What happens to a subscription."""

    def __init__(self) -> None:
        self.subscribed: list[SubscribedContext] = []
        self.subscribing: list[SubscribingContext] = []
        self.unsubscribed: list[UnsubscribedContext] = []
        self.errors: list[SubscriptionErrorContext] = []
        self.got: list[Any] = []
        self.offsets: list[int] = []

    async def on_subscribed(self, ctx: SubscribedContext) -> None:
        """Note it."""
        self.subscribed.append(ctx)

    async def on_subscribing(self, ctx: SubscribingContext) -> None:
        """Note it."""
        self.subscribing.append(ctx)

    async def on_unsubscribed(self, ctx: UnsubscribedContext) -> None:
        """Note it."""
        self.unsubscribed.append(ctx)

    async def on_error(self, ctx: SubscriptionErrorContext) -> None:
        """Note it."""
        self.errors.append(ctx)

    async def on_publication(self, ctx: PublicationContext) -> None:
        """Note it."""
        self.got.append(ctx.pub.data)
        self.offsets.append(ctx.pub.offset)


@contextlib.asynccontextmanager
async def client(url: str, token: str, **options: Any) -> AsyncIterator[tuple[Client, Events]]:
    """Connect while the context lasts."""
    events = Events()
    made = Client(url, events, token=token, max_reconnect_delay=0.2, proxy=None, **options)
    await made.connect()
    try:
        yield made, events
    finally:
        await made.disconnect()


async def watching(made: Client, channel: str, *, granted: bool = True) -> tuple[Any, Watch]:
    """Subscribe, and wait until it is so if it will be."""
    watch = Watch()
    subscription = made.new_subscription(channel, watch, max_resubscribe_delay=0.2)
    await subscription.subscribe()
    await until(lambda: watch.subscribed or not granted, f"subscribed to {channel}")
    return subscription, watch
