"""The channels of one connection: open ones, and those that wait for their snapshot.

Source: docs/realtime.md, "The session and its server".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.protocol.channels import Channel
from gateway.protocol.codes import ALREADY_SUBSCRIBED, LIMIT_EXCEEDED


@dataclass(slots=True)
class Subscription:
    """One channel of a connection.

    Args:
        channel: Which.
        offset: Up to where the client has it; of a board 0.
        expires_ms: When its grant ends, UTC ms; None when the role permits it.
    """

    channel: Channel
    offset: int = 0
    expires_ms: int | None = None


class Subscriptions:
    """The table of one connection.

    Args:
        limit: Channels at most, those still waiting included.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[str, Subscription] = {}
        self._waiting: set[str] = set()

    def check_room(self, name: str) -> None:
        """Check that a channel may be added.

        Raises:
            Refused: 105 or 106.
        """
        if name in self._open or name in self._waiting:
            raise ALREADY_SUBSCRIBED.refusal()
        if len(self._open) + len(self._waiting) >= self._limit:
            raise LIMIT_EXCEEDED.refusal()

    def wait(self, name: str) -> None:
        """Keep a place for a channel whose snapshot is being loaded."""
        self._waiting.add(name)

    def give_up(self, name: str) -> None:
        """Give the place back."""
        self._waiting.discard(name)

    def add(self, subscription: Subscription) -> None:
        """Open a channel."""
        self._waiting.discard(subscription.channel.name)
        self._open[subscription.channel.name] = subscription

    def get(self, name: str) -> Subscription | None:
        """Return an open channel."""
        return self._open.get(name)

    def remove(self, name: str) -> Subscription | None:
        """Close a channel; None when it isn't open."""
        return self._open.pop(name, None)

    def clear(self) -> list[Subscription]:
        """Close everything."""
        gone = list(self._open.values())
        self._open.clear()
        self._waiting.clear()
        return gone

    def __iter__(self) -> Iterator[Subscription]:
        """Yield the open channels; the table may be changed meanwhile."""
        return iter(list(self._open.values()))
