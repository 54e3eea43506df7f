"""Frames to JSON objects: one object per line, within limits that hold before and after parsing.

Source: docs/realtime.md, "Frames".
"""

from dataclasses import dataclass
from typing import Any

import orjson

from gateway.protocol.codes import BROKEN, MustClose


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """What one frame may hold.

    Args:
        frame_bytes: Of the whole frame.
        commands: Lines of it. Published clients send `connect` and 128 subscriptions in one frame.
        depth: Levels of objects and lists in one command, itself included.
    """

    frame_bytes: int = 65_536
    commands: int = 129
    depth: int = 32


def split(frame: bytes, limits: FrameLimits) -> list[dict[str, Any]]:
    """Return the objects of a frame, in order; at least one.

    A frame is taken whole or not at all: nothing of it has happened when its last line is bad.

    Args:
        frame: UTF-8 text of the websocket message. One newline may follow the last object.
        limits: Of this gateway.

    Raises:
        MustClose: 3501; the frame breaks a limit or isn't JSON objects by line.
    """
    if len(frame) > limits.frame_bytes:
        raise MustClose(BROKEN)
    lines = frame.removesuffix(b"\n").split(b"\n", limits.commands)
    if len(lines) > limits.commands:
        raise MustClose(BROKEN)
    return [_object(line, limits.depth) for line in lines]


def _object(line: bytes, depth: int) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as problem:
        raise MustClose(BROKEN) from problem
    if not isinstance(value, dict) or _deeper_than(value, depth):
        raise MustClose(BROKEN)
    return value


def _deeper_than(value: object, depth: int) -> bool:
    """Return whether a value has more levels than allowed; level by level, without recursion."""
    level = [value]
    for _ in range(depth):
        level = [
            below
            for each in level
            for below in (each.values() if isinstance(each, dict) else each)  # type: ignore[attr-defined]  # only containers get in
            if isinstance(below, dict | list)
        ]
        if not level:
            return False
    return True
