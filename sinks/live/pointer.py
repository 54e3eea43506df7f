"""Valkey's pointer to the generation that dashboards show."""

import redis

from sinks.mapping.valkey import LIVE_KEY, Pointer

MOVE = """
-- KEYS: the pointer; ARGV: turn, generation. An older turn never replaces a newer one.
local held = redis.call('GET', KEYS[1])
if held and tonumber(string.match(held, '^(%d+):')) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[2])
return 1
"""


def read_pointer(client: redis.Redis) -> Pointer | None:
    """Return what `db:live` says; None before anything was promoted."""
    held: bytes | None = client.get(LIVE_KEY)  # type: ignore[assignment]  # it gives bytes
    return None if held is None else Pointer.parse(held)


def move_pointer(client: redis.Redis, pointer: Pointer) -> bool:
    """Point at a generation, unless a later turn was written; tell whether anything changed."""
    moved = client.eval(MOVE, 1, LIVE_KEY.decode(), str(pointer.turn), str(pointer.generation))
    return bool(moved)
