"""The processor of `journal.v1`: hands batches to lanes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from schemas.topics import JOURNAL
from streams.runtime.failstop import fail_stop
from streams.runtime.lane import Lane


def journal_processor(lanes: Mapping[int, Lane]) -> Callable[[Any], Awaitable[None]]:
    """Return the Faust agent that offers each batch to the lane of its partition."""

    async def fold_journal(stream: Any) -> None:
        try:
            # Without `noack` the event would be acked when the loop asks for the next one.
            async for event in stream.noack().events():
                lanes[event.message.partition].offer(event)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - raised, it would ack the event and skip it
            fail_stop("journal processor failed", topic=JOURNAL)

    return fold_journal
