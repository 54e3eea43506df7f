"""Who is there: leases that end by themselves, counted per person, not per connection.

A node renews the leases of its connections; a node that dies renews nothing, so its people leave
when their leases end. Nobody leaves for a moment: whoever is back within the grace never left.

Source: docs/realtime.md, "Presence".
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.protocol.channels import Address


class Seat(NamedTuple):
    """One connection in one channel.

    Args:
        user: User id.
        client: Connection id.
    """

    user: str
    client: str


class Change(NamedTuple):
    """Somebody came or left.

    Args:
        address: Where.
        seat: Who; of several connections the one that came first or left last.
        joined: False when it left.
    """

    address: Address
    seat: Seat
    joined: bool


class Count(NamedTuple):
    """How many are there."""

    clients: int
    users: int


@dataclass(slots=True)
class _Person:
    """One person in one channel: leases by connection, and until when an absence is overlooked."""

    leases: dict[str, int] = field(default_factory=dict)
    last: str = ""
    gone_ms: int = 0


class Leases:
    """Leases of all channels with presence.

    Args:
        lease_ms: From a renewal to the end, ms.
        grace_ms: From the last connection's end to leaving, ms.
    """

    def __init__(self, lease_ms: int = 60_000, grace_ms: int = 15_000) -> None:
        self._lease_ms = lease_ms
        self._grace_ms = grace_ms
        self._channels: dict[Address, dict[str, _Person]] = {}

    def renew(self, address: Address, seat: Seat, now_ms: int) -> list[Change]:
        """Take or renew a seat.

        Args:
            address: Where.
            seat: Who.
            now_ms: UTC ms.

        Returns:
            That somebody joined, or nothing.
        """
        people = self._channels.setdefault(address, {})
        joined = seat.user not in people
        person = people.setdefault(seat.user, _Person())
        person.leases[seat.client] = now_ms + self._lease_ms
        return [Change(address, seat, joined=True)] if joined else []

    def release(self, address: Address, seat: Seat, now_ms: int) -> None:
        """Give a seat back. Leaving is told by `sweep`, unless the person is back before."""
        person = self._channels.get(address, {}).get(seat.user)
        if person is not None and person.leases.pop(seat.client, None) is not None:
            _note_absence(person, seat.client, now_ms)

    def sweep(self, now_ms: int) -> list[Change]:
        """End leases that ran out, and return who left.

        Args:
            now_ms: UTC ms.
        """
        left = []
        for address, people in list(self._channels.items()):
            for user, person in list(people.items()):
                _end_leases(person, now_ms)
                if not person.leases and person.gone_ms + self._grace_ms <= now_ms:
                    del people[user]
                    left.append(Change(address, Seat(user, person.last), joined=False))
            if not people:
                del self._channels[address]
        return left

    def present(self, address: Address, now_ms: int) -> Iterator[Seat]:
        """Yield the seats of a channel whose leases hold."""
        for user, person in self._channels.get(address, {}).items():
            for client, ends_ms in person.leases.items():
                if ends_ms > now_ms:
                    yield Seat(user, client)

    def count(self, address: Address, now_ms: int) -> Count:
        """Return how many connections and people are in a channel."""
        seats = list(self.present(address, now_ms))
        return Count(len(seats), len({seat.user for seat in seats}))


def _end_leases(person: _Person, now_ms: int) -> None:
    for client, ends_ms in sorted(person.leases.items(), key=lambda lease: lease[1]):
        if ends_ms <= now_ms:
            del person.leases[client]
            _note_absence(person, client, ends_ms)


def _note_absence(person: _Person, client: str, at_ms: int) -> None:
    person.last, person.gone_ms = client, at_ms
