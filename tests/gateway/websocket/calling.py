"""What calls do in tests."""

import orjson

from gateway.protocol.calls import Call
from gateway.protocol.codes import NOT_AVAILABLE
from gateway.protocol.permissions import Claims


async def echo(claims: Claims, call: Call) -> bytes:
    """Return who called what."""
    return orjson.dumps({"user": claims.user, "call": call.model_dump()})


async def unavailable(_claims: Claims, _call: Call) -> bytes:
    """Refuse, as when Kafka is away."""
    raise NOT_AVAILABLE.refusal()
