"""Where a page ended, as a text clients pass on unread. Pure.

A cursor says a place only; whose events are read is said by the token, each time.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from pydantic import TypeAdapter
from pydantic_core import to_json

from gateway.http.ports import Place

NEWEST = Place(2**62, "", "")
"""Before this is everything."""

_PLACES = TypeAdapter(tuple[int, str, str])


def write(place: Place) -> str:
    """Return the cursor of a place.

    >>> read(write(Place(1, "a", "b")))
    Place(ts_ms=1, event_id='a', source='b')
    """
    return urlsafe_b64encode(to_json(place)).decode()


def read(cursor: str) -> Place:
    """Return the place of a cursor.

    Raises:
        ValueError: It isn't one.
    """
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii"))
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("no base64") from None
    place = Place(*_PLACES.validate_json(raw, strict=True))
    if abs(place.ts_ms) > NEWEST.ts_ms:
        raise ValueError("no time")
    return place
