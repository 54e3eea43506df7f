"""What a slow client is owed."""

from gateway.websocket.frames import text_frame
from gateway.websocket.outbox import Outbox, OutboxLimits

LIMITS = OutboxLimits(frame=10, budget=12, over_s=3.0, paused_s=10.0, hard=40)


def test_texts_are_joined_up_to_a_frame() -> None:
    """In order, one newline between two, a large one alone."""
    box = Outbox(LIMITS)
    for text in (b"aaa", b"bbb", b"ccc", b"d" * 20, b"e"):
        box.put(text, 0.0)
    frames = []
    while box:
        frames.append(box.take())
    assert frames == [b"aaa\nbbb", b"ccc", b"d" * 20, b"e"]
    assert box.size == 0


def test_over_budget_for_too_long_is_too_slow() -> None:
    """A burst is all right when it is read soon."""
    box = Outbox(LIMITS)
    box.put(b"x" * 20, 100.0)
    assert not box.too_slow(102.9)
    assert box.too_slow(103.0)
    box.take()
    assert not box.too_slow(200.0)


def test_far_over_budget_is_too_slow_at_once() -> None:
    """Memory has a limit that no time stretches."""
    box = Outbox(LIMITS)
    box.put(b"x" * 50, 0.0)
    assert box.too_slow(0.0)


def test_paused_for_too_long_is_too_slow() -> None:
    """Nothing at all could be written."""
    box = Outbox(LIMITS)
    box.paused(5.0)
    assert not box.too_slow(14.9)
    assert box.too_slow(15.0)
    box.resumed()
    assert not box.too_slow(100.0)


def test_frames_have_the_length_of_their_payload() -> None:
    """Seven bits, sixteen bits, sixty-four bits."""
    assert text_frame(b"a" * 125)[:2] == bytes((0x81, 125))
    assert text_frame(b"a" * 126)[:4] == b"\x81\x7e\x00\x7e"
    assert text_frame(b"a" * 65_536)[:10] == b"\x81\x7f" + (65_536).to_bytes(8, "big")
