"""The application: routes under `/api/v1`, errors as problems, limits around."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from gateway.http import contacts, events, me, metrics, problems
from gateway.http.config import ApiConfig
from gateway.http.limits import Surroundings
from gateway.http.ports import Ports

PREFIX = "/api/v1"
CORS_MAX_AGE_S = 600


class Api(FastAPI):
    """FastAPI whose document gives problems the media type they have."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        document = super().openapi()
        for operations in document["paths"].values():
            for operation in operations.values():
                for response in operation["responses"].values():
                    _correct(response.get("content", {}))
        return document


def create_app(config: ApiConfig, ports: Ports) -> FastAPI:
    """Return the ASGI application.

    Args:
        config: See `ApiConfig`.
        ports: What it reaches outside of itself.
    """
    app = Api(
        title="Daybook",
        version=version("daybook"),
        summary="CRM analytics on one replayable log",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # both pages load their scripts from somewhere else
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.ports = ports
    problems.install(app)
    for router in (me.router, events.router, metrics.router, contacts.router):
        app.include_router(router, prefix=PREFIX)
    app.add_middleware(Surroundings, max_body_bytes=config.max_body_bytes)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(config.origins),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type"],
        expose_headers=["retry-after"],
        max_age=CORS_MAX_AGE_S,
    )
    return app


def _correct(content: dict[str, Any]) -> None:
    """Move a problem, which FastAPI can only describe as `application/json`."""
    schema = content.get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith("/Problem"):
        content[problems.MEDIA_TYPE] = content.pop("application/json")
