"""Types of event fields: what each may hold, said once.

Bounds exist because a field travels on: an id becomes part of a key, a label the name of a metric
bucket, a title part of an effect. Unbounded, one event could make a record the broker refuses, and
a refused record stops the partition it belongs to.
"""

from datetime import date, datetime
from math import isfinite
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import to_json

from schemas import rfc3339

MAX_MONEY = 10**15
"""In minor units. Far above any deal, and thousands of them still add up within 64 bits."""

MAX_DEPTH = 100
"""Of unknown fields; half of what the JSON parser takes, so that what was kept can be read back."""

_NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"


def _instant(value: object) -> datetime:
    """Read a time of an event; numbers and naive times are refused rather than guessed."""
    if isinstance(value, datetime):
        return rfc3339.to_utc_ms(value)
    if isinstance(value, str):
        return rfc3339.parse(value)
    raise ValueError("should be an RFC 3339 time")


def _day(value: object) -> date:
    """Read a date; numbers and times are refused rather than guessed."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and len(value) == len("2026-01-31") and value.isascii():
        try:
            return date.fromisoformat(value)
        except ValueError as problem:
            raise ValueError("is no date of the calendar") from problem
    raise ValueError("should be a date such as 2026-01-31")


def _json(value: object) -> object:
    """Check that an unknown field can be kept and read back."""
    _check_json(value, MAX_DEPTH)
    return value


def _check_json(value: object, deeper: int) -> None:
    if isinstance(value, str):
        value.encode()  # refuses lone surrogates, which UTF-8 can't carry
    elif isinstance(value, float):
        if not isfinite(value):
            raise ValueError("should be a finite number")
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError("should be a number of at most 64 bits")
    elif isinstance(value, list | dict):
        if not deeper:
            raise ValueError("is nested too deeply")
        for item in _items(value):
            _check_json(item, deeper - 1)
    elif value is not None:
        raise ValueError("should be JSON")


def _items(value: list[object] | dict[object, object]) -> list[object]:
    """Return the items of a list, or the keys and values of an object."""
    if isinstance(value, list):
        return value
    if not all(isinstance(key, str) for key in value):
        raise ValueError("should be JSON")
    return [*value, *value.values()]


def _as_text(value: object) -> object:
    """Return what isn't text as its JSON text: upstream reports old and new values of any type."""
    if value is None or isinstance(value, str):
        return value
    return to_json(value).decode()


Unknown = Annotated[Any, AfterValidator(_json)]
"""A field we don't name: any JSON."""

Identifier = Annotated[str, Field(min_length=1, max_length=200, pattern=_NO_CONTROL)]
"""An id of upstream. No control characters: NUL separates ids where we hash them."""

Label = Annotated[str, Field(max_length=200, pattern=_NO_CONTROL)]
"""A short name people group by: a stage, a channel, a region. Empty is the same as absent."""

Line = Annotated[str, Field(max_length=500)]
"""A name or title of a person, a task, a company."""

Text = Annotated[str, Field(max_length=8000)]
"""Longer text: a reason, a URL."""

AnyText = Annotated[str, BeforeValidator(_as_text), Field(max_length=8000)]
"""Text, or another JSON value as its JSON text (`7`, `true`)."""

Number = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
"""A whole number of 64 bits."""

Natural = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
"""A count or a length in seconds."""

Money = Annotated[int, Field(strict=True, ge=-MAX_MONEY, le=MAX_MONEY)]
"""In minor units (cents) of the currency beside it."""

Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
"""A probability, 0…1."""

Flag = Annotated[bool, Field(strict=True)]

Instant = Annotated[datetime, BeforeValidator(_instant)]
"""RFC 3339 on the wire; an aware UTC time cut to milliseconds in Python."""

Day = Annotated[date, BeforeValidator(_day)]
"""A date of the calendar, `2026-01-31`."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""ISO 4217."""

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""

Phone = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{1,14}$")]
"""E.164."""

Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$")]
"""BCP 47."""

Zone = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$")]
"""IANA name; whether it exists is judged where it is used, by the zones known there."""
