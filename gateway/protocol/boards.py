"""Boards: channels in which only the latest value of each key counts.

A dashboard's figures and a team's presence change faster than anybody reads. A board keeps the
latest value per key, tells everybody what changed since the last beat in one frame, and keeps for
a client that is too slow the names of what it lacks, never a queue.

Source: docs/realtime.md, "Boards".
"""

from collections.abc import Iterable, Mapping

import orjson


class Board:
    """One channel's current values: key → JSON text."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._versions: dict[str, int] = {}
        self._changed: set[str] = set()

    def put(self, key: str, value: bytes, version: int) -> bool:
        """Set a value unless a newer one is there.

        Args:
            key: What it is the value of.
            value: JSON text; `null` says that it is gone.
            version: Grows with every change of the key (an offset); a snapshot and the stream it
                is completed by may arrive in any order.

        Returns:
            Whether the board changed.
        """
        if version <= self._versions.get(key, -1):
            return False
        self._versions[key] = version
        if self._values.get(key) == value:
            return False
        self._values[key] = value
        self._changed.add(key)
        return True

    def snapshot(self) -> bytes:
        """Return everything, as one JSON object; what is gone is left out."""
        return _object({key: value for key, value in self._values.items() if value != b"null"})

    def beat(self) -> frozenset[str]:
        """Return the keys that changed since the last beat."""
        changed, self._changed = frozenset(self._changed), set()
        return changed

    def update(self, keys: Iterable[str]) -> bytes:
        """Return the latest values of some keys as one JSON object, in the order of their names."""
        return _object({key: self._values[key] for key in sorted(keys) if key in self._values})


class Laggard:
    """What one slow client lacks of one board: names only, so never more than the board."""

    def __init__(self) -> None:
        self._owed: set[str] = set()

    def owe(self, changed: Iterable[str]) -> None:
        """Note a beat that was not sent to it."""
        self._owed.update(changed)

    def settle(self) -> frozenset[str]:
        """Return the keys it is to be sent now; afterwards it lacks nothing."""
        owed, self._owed = frozenset(self._owed), set()
        return owed


def _object(values: Mapping[str, bytes]) -> bytes:
    """Join JSON texts to an object."""
    return (
        b"{" + b",".join(orjson.dumps(key) + b":" + value for key, value in values.items()) + b"}"
    )
