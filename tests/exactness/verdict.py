"""What a comparison found. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Key = TypeVar("Key")

SHOWN = 5
"""Differences of one kind told in full; the rest is counted."""


@dataclass(slots=True)
class Verdict:
    """Counts what was compared and keeps what differs.

    Args:
        compared: What → how many.
        differences: What is wrong, in words; empty: everything is equal.
    """

    compared: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def mappings(
        self, what: str, found: Mapping[Key, object], wanted: Mapping[Key, object]
    ) -> None:
        """Compare key by key."""
        self.compared[what] += len(wanted)
        missing = [key for key in wanted if key not in found]
        extra = [key for key in found if key not in wanted]
        other = [key for key in wanted if key in found and found[key] != wanted[key]]
        self._tell(what, "missing", missing)
        self._tell(what, "not wanted", extra)
        self._tell(what, "differ", [(key, found[key], wanted[key]) for key in other])

    def sequences(self, what: str, found: Sequence[object], wanted: Sequence[object]) -> None:
        """Compare place by place."""
        self.compared[what] += len(wanted)
        if len(found) != len(wanted):
            self.differences.append(f"{what}: {len(found)} instead of {len(wanted)}")
        pairs = enumerate(zip(found, wanted, strict=False))
        self._tell(what, "differ", [(at, a, b) for at, (a, b) in pairs if a != b])

    def equal(self, what: str, found: object, wanted: object) -> None:
        """Compare two values."""
        self.compared[what] += 1
        if found != wanted:
            self.differences.append(f"{what}: {found} instead of {wanted}")

    def wrong(self, what: str) -> None:
        """Note something that is wrong in itself."""
        self.differences.append(what)

    def _tell(self, what: str, how: str, cases: Sequence[object]) -> None:
        if cases:
            shown = "; ".join(str(case)[:400] for case in cases[:SHOWN])
            self.differences.append(f"{what}: {len(cases)} {how}: {shown}")
