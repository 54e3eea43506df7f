"""Who calls and what they may: bearer tokens, and one table of permissions.

Source: docs/http-api.md, "Permissions".
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.http.ports import Ports
from gateway.http.problems import ProblemError
from gateway.protocol.codes import TOKEN_EXPIRED
from gateway.protocol.permissions import ADMIN, AGENT, MANAGER, OPERATOR, ROLES, Claims
from schemas.errors import Refused

PUBLISH_EVENTS = "events.publish"
READ_SELF = "me.read"
READ_METRICS = "metrics.read"
READ_CONTACTS = "contacts.read"

PERMISSIONS: Mapping[str, frozenset[str]] = {
    READ_SELF: frozenset(ROLES),
    READ_METRICS: frozenset(ROLES),
    READ_CONTACTS: frozenset({AGENT, MANAGER, ADMIN}),
    PUBLISH_EVENTS: frozenset({ADMIN, OPERATOR}),
}
"""Permission → roles that have it. Whoever publishes events can say anything about a tenant, so
that is for systems and administrators; what people do comes in through the gateway's calls."""

_BEARER = HTTPBearer(auto_error=False, description="JWT with sub, tenant, roles, exp, aud, iss.")


def ports_of(request: Request) -> Ports:
    """Return the ports the app was made with."""
    ports: Ports = request.app.state.ports
    return ports


def allowed(permission: str) -> Callable[..., Claims]:
    """Return a dependency that gives the caller's claims.

    Args:
        permission: Of `PERMISSIONS`.

    The dependency raises `ProblemError` 401 without a good token, 403 when no role has it.
    """
    roles = PERMISSIONS[permission]

    def caller(
        ports: Annotated[Ports, Depends(ports_of)],
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> Claims:
        if given is None:
            raise _unauthorized("no_token", "send `Authorization: Bearer <token>`")
        try:
            claims = ports.authority.claims(given.credentials, ports.now_ms())
        except Refused as refused:
            if refused.code == TOKEN_EXPIRED.code:
                raise _unauthorized("token_expired", "the token has expired") from None
            raise _unauthorized("invalid_token", "the token isn't good here") from None
        if roles.isdisjoint(claims.roles):
            needed = ", ".join(sorted(roles))
            raise ProblemError(
                HTTPStatus.FORBIDDEN, "permission_denied", f"this needs one of the roles {needed}"
            )
        return claims

    return caller


def _unauthorized(reason: str, detail: str) -> ProblemError:
    challenge = "Bearer" if reason == "no_token" else 'Bearer error="invalid_token"'
    return ProblemError(
        HTTPStatus.UNAUTHORIZED, reason, detail, headers={"www-authenticate": challenge}
    )
