"""Records of `derived.push.v1`."""

import pytest

from schemas.derived.push import PushRecord, read_push
from schemas.errors import InvalidEvent

RECORD = PushRecord("acme", "chat:a|b", "m-1", 1_800_000_000_000, b'{"body":"hi"}')


def test_what_is_written_is_read() -> None:
    """Key, value and headers hold all of it; a bar in a channel is no tenant's end."""
    assert read_push(RECORD.key, RECORD.data, [*RECORD.headers]) == RECORD


@pytest.mark.parametrize(
    ("key", "value", "headers", "path"),
    [
        (None, b"{}", [("at", b"1")], "key"),
        (b"acme", b"{}", [("at", b"1")], "key"),
        (b"|chat:a", b"{}", [("at", b"1")], "key"),
        (b"acme|chat:a", None, [("at", b"1")], "value"),
        (b"acme|chat:a", b"[1]", [("at", b"1")], "value"),
        (b"acme|chat:a", b"{}", [], "at"),
        (b"acme|chat:a", b"{}", [("at", b"now")], "at"),
        (b"acme|chat:a", b"{}", [("at", None)], "at"),
    ],
)
def test_what_is_no_publication_is_named(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]], path: str
) -> None:
    """A reader passes it over and says which part is wrong."""
    with pytest.raises(InvalidEvent) as wrong:
        read_push(key, value, headers)
    assert wrong.value.path == path
