"""Whatever a client sends: an answer or a close, and memory within bounds."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protocol.codes import CLOSES, FAILURES
from gateway.protocol.commands import METHODS
from gateway.protocol.limits import SessionLimits
from tests.gateway.protocol.wire import Wire, connected, shared

SCALARS: list[Any] = [
    None, True, 0, -1, 2**53, 2**70, 1.5, "", "anna", "log-1", "chat:lobby", "metrics:overview",
    "notifications:#anna", "tasks:#ben", "chat.send", "x" * 200, [], {}, [[]], {"a": None},
]  # fmt: skip
FIELDS = [
    "channel", "token", "recover", "epoch", "offset", "flag", "subs", "since", "limit", "reverse",
    "method", "data",
]  # fmt: skip
scalars = st.sampled_from(SCALARS)
bodies: st.SearchStrategy[Any] = scalars | st.dictionaries(
    st.sampled_from(FIELDS),
    scalars | st.dictionaries(st.sampled_from(["epoch", "offset", "room", "body"]), scalars),
    max_size=4,
)
lines = st.builds(
    lambda number, methods: {"id": number, **methods},
    st.sampled_from([1, 2, 7]) | scalars,
    st.dictionaries(st.sampled_from([*METHODS, "newer"]), bodies, max_size=2),
)
frames = st.lists(lines, min_size=1, max_size=4).map(
    lambda given: "\n".join(map(json.dumps, given)).encode()
)

FRAME_BYTES = SessionLimits().frame.frame_bytes
HOSTILE = {
    "zeros": bytes(FRAME_BYTES),
    "newlines": b"\n" * FRAME_BYTES,
    "empty objects": b"{}\n" * (FRAME_BYTES // 3),
    "deep lists": b"[" * FRAME_BYTES,
    "deep objects": b'{"a":' * (FRAME_BYTES // 5),
    "a wide object": json.dumps(
        {"id": 1, "send": {"data": {str(n): n for n in range(4500)}}}
    ).encode(),
    "a wide list": b'{"id":1,"send":{"data":[' + b"[]," * 20_000 + b"[]]}}",
    "a long number": b'{"id":1,"send":{"data":' + b"9" * 60_000 + b"}}",
    "a long exponent": b'{"id":1,"send":{"data":1e999999999}}',
    "many positions": json.dumps(
        {"id": 1, "connect": {"subs": {f"chat:{n}": {"recover": True} for n in range(1500)}}}
    ).encode(),
    "a long name": b'{"id":1,"subscribe":{"channel":"chat:' + b"a" * 60_000 + b'"}}',
    "escapes": b'{"id":1,"subscribe":{"channel":"' + b"\\u0000" * 10_000 + b'"}}',
    "too large": b" " * (FRAME_BYTES + 1),
}  # fmt: skip


def check(wire: Wire) -> None:
    """Check that everything written is of the protocol, and that an end is a known one."""
    for each in wire.got:
        if "error" in each:
            assert each["error"]["code"] in FAILURES
            assert each["error"]["code"] != 100, "nothing of ours failed"
    assert wire.alive() or wire.closed in CLOSES
    assert not wire.closed or wire.open == set()


@settings(max_examples=80)
@given(st.lists(frames | st.binary(max_size=40), max_size=4), st.booleans())
def test_any_frames_are_answered_or_closed_for(given_frames: list[bytes], known: bool) -> None:  # noqa: FBT001 - drawn
    """Before and after `connect`, well-formed or not: nothing raises."""
    wire = connected() if known else Wire(shared())
    for frame in given_frames:
        if wire.alive():
            wire.carry_out(wire.session.receive(frame, wire.now))
        check(wire)


@pytest.mark.parametrize("frame", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("known", [False, True])
def test_a_hostile_frame_costs_little(frame: bytes, known: bool) -> None:  # noqa: FBT001 - a column
    """The largest and deepest frames take a bounded amount of memory, and none of it for long."""
    wire = connected() if known else Wire(shared())
    wire.carry_out(wire.session.receive(b'{"id":1,"send":{"data":[[1.5,"x"]]}}', wire.now))
    if known:
        assert wire.alive()
    tracemalloc.start()
    try:
        decided = wire.session.receive(frame, wire.now)
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    wire.carry_out(decided)
    check(wire)
    assert most < 100 * FRAME_BYTES
    assert kept < 2 * FRAME_BYTES


def test_a_flood_leaves_nothing_behind() -> None:
    """However many commands come, a session keeps no more than its limits say."""
    wire = connected(shared(limits=SessionLimits(pending=4, subscriptions=4)))
    for number in range(2, 60):
        wire.frame(
            {"id": number, "presence": {"channel": "chat:lobby"}},
            {"id": number, "subscribe": {"channel": f"metrics:{number}"}},
            {"id": number, "subscribe": {"channel": f"chat:{number}"}},
        )
        if not wire.alive():
            break
        wire.pass_time(0.1)
    errors = [each["error"]["code"] for each in wire.got if "error" in each]
    assert set(errors) == {106, 111}
    assert len(wire.open) <= 4
