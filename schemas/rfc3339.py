"""RFC 3339 times, the one way times are written on the wire."""

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, tzinfo=UTC)
"""A day short of the last, so that every zone can show it; `9999-12-31` is no time of a CRM."""

_ONE_MS = timedelta(milliseconds=1)
_FORM = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def parse(text: str) -> datetime:
    """Read an RFC 3339 time as an aware UTC time, cut (not rounded) to milliseconds.

    Args:
        text: `2026-01-31T09:30:00Z`, with up to nine decimals and any offset.

    Raises:
        ValueError: The form is another (a time without offset, a number), or the time is outside
            1900 … 9999-12-30. The message never repeats the text.

    >>> parse("2026-01-31T09:30:00.123987+01:00").isoformat()
    '2026-01-31T08:30:00.123000+00:00'
    """
    if not _FORM.fullmatch(text):
        raise ValueError("should be an RFC 3339 time with an offset, such as 2026-01-31T09:30:00Z")
    try:
        return to_utc_ms(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError) as problem:
        raise ValueError("is no time of the calendar between 1900 and 9999") from problem


def to_utc_ms(moment: datetime) -> datetime:
    """Return an aware time in UTC, cut to milliseconds.

    Raises:
        ValueError: It is naive or outside 1900 … 9999-12-30.
    """
    if moment.tzinfo is None:
        raise ValueError("should be an aware time")
    if not EARLIEST <= moment < LATEST:
        raise ValueError("should be between 1900 and 9999-12-30")
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_ms(moment: datetime) -> int:
    """Return milliseconds since the epoch of an aware time, rounded down.

    >>> to_ms(parse("1970-01-02T00:00:00.001Z"))
    86400001
    """
    return (moment - EPOCH) // _ONE_MS


def from_ms(milliseconds: int) -> datetime:
    """Return the aware UTC time of milliseconds since the epoch."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def text_of(milliseconds: int) -> str:
    """Return milliseconds since the epoch as RFC 3339 in UTC.

    >>> text_of(86400001)
    '1970-01-02T00:00:00.001Z'
    """
    return from_ms(milliseconds).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
