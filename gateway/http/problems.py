"""Errors as `application/problem+json`: the only form in which the API says no.

`type` is `about:blank`, so `title` is the status's phrase; `reason` is a stable code for programs,
`detail` a sentence for people. None of them repeats what the client sent.

Source: RFC 9457.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from schemas.errors import Unavailable

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
"""On every answer that doesn't set them itself."""


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    path: str = Field(description="Where, dotted; begins with `query`, `path` or `body`.")
    detail: str = Field(description="One sentence.")


class Problem(BaseModel):
    """Why a request was refused."""

    model_config = ConfigDict(extra="allow")

    type: str = Field("about:blank", description="Always `about:blank`: `title` says it.")
    title: str = Field(description="Phrase of the status.", examples=["Not Found"])
    status: int = Field(description="Same as of the answer.", examples=[404])
    reason: str = Field("", description="Stable code for programs.", examples=["not_found"])
    detail: str = Field("", description="One sentence for people.")
    errors: list[FieldProblem] = Field([], description="Parts that are wrong, with status 422.")


class ProblemError(HTTPException):
    """A refusal.

    Args:
        status: HTTP status, 400 … 599.
        reason: Stable snake_case code.
        detail: One sentence; never what the client sent, never a secret.
        headers: More headers of the answer.
        members: More members of the problem, JSON-ready.
    """

    def __init__(
        self,
        status: HTTPStatus,
        reason: str,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.reason, self.members = reason, dict(members or {})


def answer(
    status: int,
    reason: str,
    detail: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """Return a problem as the answer; arguments as of `ProblemError`."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "reason": reason,
        "detail": detail,
        **(members or {}),
    }
    return JSONResponse(
        content, status, {**SECURITY_HEADERS, **(headers or {})}, media_type=MEDIA_TYPE
    )


def install(app: FastAPI) -> None:
    """Make every error of an app a problem: ours, the router's, the validator's, and bugs."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(Exception, _failed)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems of an operation as FastAPI's `responses` takes them."""
    return {each: {"model": Problem, "description": HTTPStatus(each).phrase} for each in statuses}


def _refused(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, ProblemError):
        return answer(
            error.status_code,
            error.reason,
            error.detail,
            headers=error.headers,
            members=error.members,
        )
    assert isinstance(error, HTTPException)  # noqa: S101 - what it was registered for
    reason = HTTPStatus(error.status_code).name.lower()
    return answer(error.status_code, reason, headers=error.headers)


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it was registered for
    errors = [
        {"path": ".".join(map(str, each["loc"])), "detail": each["msg"]} for each in error.errors()
    ]
    return answer(
        422, "invalid_request", "the request has invalid parts", members={"errors": errors}
    )


def _unavailable(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Unavailable)  # noqa: S101 - what it was registered for
    log.warning("service_unavailable", error=str(error))
    retry_after = {"retry-after": str(max(1, round(error.retry_after_s)))}
    return answer(
        503, "unavailable", "a service behind the API does not answer", headers=retry_after
    )


def _failed(request: Request, error: Exception) -> JSONResponse:
    log.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
    return answer(500, "internal", "this is a bug; the log of the API says more")
