"""`GET /contacts/{id}/timeline`: what happened to a contact, newest first, in pages."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field
from pydantic_core import from_json

from gateway.http import cursors
from gateway.http.access import READ_CONTACTS, allowed, ports_of
from gateway.http.ports import Happening, Place, Ports
from gateway.http.problems import ProblemError, documented
from gateway.protocol.permissions import Claims

router = APIRouter(tags=["contacts"])

MAX_PAGE = 200


class TimelineEvent(BaseModel):
    """One event."""

    id: str = Field(description="CloudEvents id; unique together with source.")
    source: str
    type: str = Field(examples=["crm.deal.won.v1"])
    time: datetime = Field(description="When it happened, UTC.")
    subject: str = Field(examples=["contact/42"])
    actor: str = Field(description="Who did it, or empty.", examples=["user/7"])
    origin: str = Field(examples=["live"])
    data: dict[str, Any] = Field(description="The event's fields.")


class Timeline(BaseModel):
    """A page."""

    events: list[TimelineEvent]
    next: str | None = Field(description="`cursor` of the next page; null on the last one.")


@router.get("/contacts/{id}/timeline", responses=documented(401, 403, 422, 503))
async def timeline(
    contact: Annotated[str, Path(alias="id", min_length=1, max_length=200, examples=["42"])],
    caller: Annotated[Claims, Depends(allowed(READ_CONTACTS))],
    ports: Annotated[Ports, Depends(ports_of)],
    *,
    cursor: Annotated[str, Query(max_length=2_000, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Events of a page.")] = 50,
) -> Timeline:
    """Return the events about a contact, newest first; of a contact nobody knows there are none.

    Pages hold every event once, also while new ones arrive.
    """
    try:
        before = cursors.read(cursor) if cursor else cursors.NEWEST
    except ValueError:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_cursor", "take `next` of a page as it is"
        ) from None
    found = await ports.reports.timeline(caller.tenant, contact, before, limit=limit + 1)
    more = len(found) > limit
    page = found[:limit]
    return Timeline(
        events=[_shown(each) for each in page],
        next=cursors.write(page[-1].place) if more else None,
    )


def _shown(happening: Happening) -> TimelineEvent:
    place: Place = happening.place
    return TimelineEvent(
        id=place.event_id,
        source=place.source,
        type=happening.type,
        time=datetime.fromtimestamp(place.ts_ms / 1000, UTC),
        subject=happening.subject,
        actor=happening.actor,
        origin=happening.origin,
        data=from_json(happening.props or "{}"),
    )
