"""`GET /health` and `GET /me`: is it alive, and who am I."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from gateway.http.access import PERMISSIONS, READ_SELF, allowed
from gateway.http.problems import documented
from gateway.protocol.permissions import Claims

router = APIRouter(tags=["session"])


class Health(BaseModel):
    """The process answers. Says nothing about the engines behind it."""

    status: Literal["ok"] = "ok"


class Me(BaseModel):
    """The caller, as the token says."""

    tenant: str = Field(examples=["acme"])
    user: str = Field(examples=["anna"])
    roles: list[str] = Field(examples=[["agent"]])
    permissions: list[str] = Field(description="What the roles permit.", examples=[["me.read"]])
    expires_ms: int = Field(description="When the token expires, UTC ms.")


@router.get("/health")
async def health() -> Health:
    """Tell that the process answers; needs no token."""
    return Health()


@router.get("/me", responses=documented(401, 403))
async def me(caller: Annotated[Claims, Depends(allowed(READ_SELF))]) -> Me:
    """Tell who the token is of and what it permits."""
    held = (name for name, roles in PERMISSIONS.items() if not roles.isdisjoint(caller.roles))
    return Me(
        tenant=caller.tenant,
        user=caller.user,
        roles=sorted(caller.roles),
        permissions=sorted(held),
        expires_ms=caller.expires_ms,
    )
