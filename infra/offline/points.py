"""Points of the journal as people name them: an offset, offsets by partition, or a time. Pure.

A point is a cut: entries below it are folded, the one at it isn't.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAIRS = re.compile(r"\d+:\d+(,\d+:\d+)*")


@dataclass(frozen=True, slots=True)
class Everywhere:
    """The same offset in every partition; beyond a partition's end it means its end."""

    offset: int


@dataclass(frozen=True, slots=True)
class Offsets:
    """One offset per partition; every partition must be named."""

    by_partition: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Instant:
    """What had been written to the journal before a time, UTC ms."""

    time_ms: int


Point = Everywhere | Offsets | Instant
Bounds = tuple[int, int]
"""First offset of a partition, and the one after its last."""


def parse_point(text: str, option: str = "--as-of") -> Point:
    """Read a point.

    Args:
        text: `1200`, `0:1200,1:1180,…` or an ISO 8601 date or time (UTC unless it says its zone).
        option: For the message.

    Raises:
        ConfigurationError: it is none of these.

    >>> parse_point("0:12,1:9")
    Offsets(by_partition={0: 12, 1: 9})
    """
    text = text.strip()
    if text.isdecimal():
        return Everywhere(int(text))
    if _PAIRS.fullmatch(text):
        pairs = [pair.split(":") for pair in text.split(",")]
        found = {int(partition): int(offset) for partition, offset in pairs}
        if len(found) < len(pairs):
            raise ConfigurationError(option, f"{text} names a partition twice")
        return Offsets(found)
    try:
        return Instant(_utc_ms(text))
    except ValueError:
        raise ConfigurationError(
            option, f"{text!r} is no offset (1200 or 0:1200,1:1180) and no ISO 8601 time"
        ) from None


def _utc_ms(text: str) -> int:
    try:
        moment = datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def cuts_of(
    point: Everywhere | Offsets, bounds: Mapping[int, Bounds], option: str = "--as-of"
) -> dict[int, int]:
    """Return partition → the offset up to which its entries are folded.

    Args:
        point: Where; a time is resolved by `infra.offline.journal.Journal.cuts_at`.
        bounds: Partition → what the journal holds.
        option: For the message.

    Raises:
        ConfigurationError: a partition isn't named, doesn't exist, or ends before its offset.
    """
    if isinstance(point, Everywhere):
        return {partition: min(point.offset, end) for partition, (_, end) in bounds.items()}
    named = dict(point.by_partition)
    if named.keys() != bounds.keys():
        known = ", ".join(map(str, sorted(bounds)))
        raise ConfigurationError(option, f"name each partition of the journal once: {known}")
    for partition, offset in named.items():
        end = bounds[partition][1]
        if offset > end:
            raise ConfigurationError(option, f"partition {partition} ends at {end}, not {offset}")
    return {partition: named[partition] for partition in bounds}
