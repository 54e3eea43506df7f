"""`POST /events`: one event or a batch, answered when Kafka has it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from gateway.http.access import PUBLISH_EVENTS, allowed, ports_of
from gateway.http.ports import Ports, Written
from gateway.http.problems import ProblemError, answer, documented
from gateway.http.reading import BATCH, FOREIGN_TENANT, MAX_EVENTS, Offered, documents, offered
from gateway.protocol.permissions import Claims
from schemas.cloudevents import STRUCTURED
from schemas.errors import InvalidEvent

log = structlog.get_logger(__name__)
router = APIRouter(tags=["events"])

RETRY_AFTER_S = 1
EXAMPLE = {
    "specversion": "1.0",
    "id": "7d0b3a54",
    "source": "crm.example.com",
    "type": "crm.deal.won.v1",
    "tenantid": "acme",
    "time": "2026-03-02T09:30:00Z",
    "data": {"deal_id": "d-1", "amount_minor": 125000, "currency": "EUR"},
}
_OBJECT = {"type": "object", "description": "A CloudEvent in the JSON event format."}
_BODY = {
    "required": True,
    "content": {
        STRUCTURED: {"schema": _OBJECT, "example": EXAMPLE},
        BATCH: {
            "schema": {"type": "array", "items": _OBJECT, "minItems": 1, "maxItems": MAX_EVENTS},
            "example": [EXAMPLE],
        },
    },
}


class Result(BaseModel):
    """What became of one event."""

    status: int = Field(description="202 taken, 403 of another tenant, 422 invalid, 503 try again.")
    id: str = Field("", description="Of the event, as given.")
    source: str = Field("", description="Same.")
    topic: str = Field("", description="With status 202: where it is.")
    partition: int | None = Field(None, description="Same.")
    offset: int | None = Field(None, description="Same.")
    reason: str = Field("", description="Otherwise: stable code.")
    path: str = Field("", description="With status 422: where in the event, dotted.")
    detail: str = Field("", description="One sentence.")


class Results(BaseModel):
    """What became of the events of a request, in its order."""

    events: list[Result]


@router.post(
    "/events",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Results,
    response_model_exclude_defaults=True,
    responses={
        207: {"model": Results, "description": "Some were taken; each one's status says which"},
        **documented(400, 401, 403, 413, 415, 422, 503),
    },
    openapi_extra={"requestBody": _BODY},
)
async def publish(
    request: Request,
    caller: Annotated[Claims, Depends(allowed(PUBLISH_EVENTS))],
    ports: Annotated[Ports, Depends(ports_of)],
) -> JSONResponse:
    """Take events, and answer when Kafka has acknowledged them.

    Sending an event again (same `id` and `source`) changes nothing, so after 503 or a lost
    connection send all of it again.
    """
    batch = _is_batch(request.headers.get("content-type", ""))
    try:
        given = documents(await request.body(), batch=batch)
    except InvalidEvent as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, error.reason, error.detail) from None
    now_ms = ports.now_ms()
    offers = [offered(each, caller.tenant, now_ms=now_ms) for each in given]
    records = [each.record for each in offers if each.record is not None]
    results = _results(offers, await ports.events.publish(records) if records else [])
    taken = sum(each.status == HTTPStatus.ACCEPTED for each in results)
    log.info(
        "events_published",
        tenant=caller.tenant,
        user=caller.user,
        token_id=caller.token_id,
        taken=taken,
        refused=len(results) - taken,
    )
    return _answer(results)


def _is_batch(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in (STRUCTURED, BATCH):
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported_content_type",
            f"send {STRUCTURED} or {BATCH}",
        )
    return media_type == BATCH


def _results(offers: Sequence[Offered], written: Sequence[Written | None]) -> list[Result]:
    """Return one result per offer; `written` has one for each offer with a record."""
    places = iter(written)
    results = []
    for each in offers:
        name: dict[str, Any] = {"id": each.id, "source": each.source}
        if each.refusal is not None:
            why = each.refusal
            status = 403 if why.reason == FOREIGN_TENANT else 422
            said = {"reason": why.reason, "path": why.path, "detail": why.detail}
            results.append(Result(status=status, **name, **said))
        elif (place := next(places)) is None:
            detail = "Kafka has not acknowledged it; send it again"
            results.append(Result(status=503, **name, reason="unavailable", detail=detail))
        else:
            results.append(Result(status=202, **name, **place._asdict()))
    return results


def _answer(results: Sequence[Result]) -> JSONResponse:
    """Answer with the status all results share, or 207."""
    content = {"events": [each.model_dump(exclude_defaults=True) for each in results]}
    statuses = {each.status for each in results}
    if statuses == {202}:
        return JSONResponse(content, 202)
    if len(statuses) > 1:
        return JSONResponse(content, 207)
    first = results[0]
    headers = {"retry-after": str(RETRY_AFTER_S)} if first.status == 503 else None  # noqa: PLR2004 - a status
    return answer(first.status, first.reason, first.detail, headers=headers, members=content)
