"""Frames and their limits."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protocol.codes import BROKEN, MustClose
from gateway.protocol.lines import FrameLimits, split

LIMITS = FrameLimits()
objects: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.text(max_size=3),
    st.sampled_from([None, True, 0, -(2**63), 1.5, "\n", "é🙂", [], [[{}]], {"a": [1]}])
    | st.text(max_size=5),
    max_size=3,
)


def refused(frame: bytes, limits: FrameLimits = LIMITS) -> bool:
    """Return whether a frame closes the connection."""
    try:
        split(frame, limits)
    except MustClose as broken:
        return broken.close is BROKEN
    return False


@settings(max_examples=50)
@given(st.lists(objects, min_size=1, max_size=3), st.sampled_from([b"", b"\n"]))
def test_what_clients_join_is_split_again(written: list[dict[str, Any]], end: bytes) -> None:
    """Any objects, joined by newlines as the clients do, arrive as they were."""
    frame = "\n".join(json.dumps(each) for each in written).encode() + end
    assert split(frame, LIMITS) == written


def test_connect_and_128_subscriptions_fit_into_one_frame() -> None:
    """What published clients send after a reconnect is taken; one more is not."""
    assert len(split(b"\n".join([b"{}"] * 129), LIMITS)) == 129
    assert refused(b"\n".join([b"{}"] * 130))


@pytest.mark.parametrize(
    "frame",
    [b"", b"\n", b"{}\n\n{}", b"\n{}", b"[]", b"7", b"null", b'"x"', b"{", b'{"a":NaN}', b"{} {}"],
)
def test_what_is_no_object_per_line_is_refused(frame: bytes) -> None:
    """Blank lines, other JSON and half objects are no commands."""
    assert refused(frame)


@pytest.mark.parametrize("frame", [b'{"a":"\xff"}', b'{"a":"\\ud800"}', b"\xef\xbb\xbf{}"])
def test_what_is_no_unicode_is_refused(frame: bytes) -> None:
    """Bytes that are no UTF-8, lone surrogates and byte order marks don't get in."""
    assert refused(frame)


def test_a_frame_has_a_size() -> None:
    """The last byte allowed is taken, the next one is not."""
    room = FrameLimits(frame_bytes=20)
    assert split(b'{"a":"0123456789ab"}', room) == [{"a": "0123456789ab"}]
    assert refused(b'{"a":"0123456789abc"}', room)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_has_a_limit(opening: str, closing: str) -> None:
    """The object itself is the first level; the 32nd is the last."""

    def nested(levels: int) -> bytes:
        return f'{{"a":{opening * (levels - 1)}1{closing * (levels - 1)}}}'.encode()

    assert len(split(nested(32), LIMITS)) == 1
    assert refused(nested(33))
    assert refused(nested(9_000))


def test_one_bad_line_takes_the_frame_with_it() -> None:
    """Nothing is carried out of a frame that is closed for."""
    assert refused(b'{"id":1,"ping":{}}\n{"id":2,')


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_any_bytes_are_objects_or_refused(frame: bytes) -> None:
    """Nothing a client can send raises anything else."""
    if not refused(frame):
        assert all(isinstance(each, dict) for each in split(frame, LIMITS))
