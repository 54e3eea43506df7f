"""Derived identities."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from streams.domain.identity import NAMESPACE, effect_id, event_mark, is_seen, with_mark

marks = st.binary(min_size=8, max_size=8)


@given(st.text(max_size=20), st.integers(0, 99), st.integers(0, 2**40), st.integers(0, 99))
def test_effect_id_is_a_uuid5(tenant: str, partition: int, offset: int, index: int) -> None:
    """The quick way gives exactly what the standard library's uuid5 gives."""
    expected = uuid5(UUID(bytes=NAMESPACE), f"{tenant}|{partition}|{offset}|{index}")
    assert effect_id(tenant, partition, offset, index) == str(expected)


def test_event_mark_tells_source_and_id_apart() -> None:
    """The pair is the identity, not the text made of both."""
    assert event_mark("a", "bc") != event_mark("ab", "c")


@given(st.lists(marks, max_size=100))
def test_last_64_marks_are_remembered(given_marks: list[bytes]) -> None:
    """The newest 64 are seen, and no more than 64 are kept."""
    seen = b""
    for mark in given_marks:
        seen = with_mark(seen, mark)
    assert len(seen) <= 64 * 8
    assert all(is_seen(seen, mark) for mark in given_marks[-64:])


def test_marks_are_compared_whole() -> None:
    """Bytes that straddle two marks are not a mark."""
    seen = with_mark(with_mark(b"", b"AAAAaaaa"), b"BBBBbbbb")
    assert not is_seen(seen, b"aaaaBBBB")
    assert is_seen(seen, b"BBBBbbbb")


def test_straddling_bytes_do_not_hide_a_real_mark() -> None:
    """A mark is found behind an earlier match that isn't one."""
    seen = b"xxxxAAAA" + b"AAAAyyyy" + b"AAAAAAAA"
    assert is_seen(seen, b"AAAAAAAA")
