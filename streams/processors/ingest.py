"""The processor of the upstream topics: everything that happens becomes a journal entry."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from streams.runtime.failstop import fail_stop
from streams.runtime.intake import Intake


def ingest_processor(intake: Intake) -> Callable[[Any], Awaitable[None]]:
    """Return the Faust agent that writes each batch of upstream records to the journal."""

    async def record_events(stream: Any) -> None:
        try:
            async for event in stream.noack().events():  # acked when the broker has it all
                await intake.write(event)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - raised, it would ack the event and skip it
            fail_stop("ingest processor failed")

    return record_events
