"""`daybook token`: a token signed by the key of the development stack."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.commands.output import AsJson, say, say_json
from schemas.errors import ConfigurationError


def token(
    *,
    tenant: Annotated[str, typer.Option(help="Tenant; everything the token opens is of it.")],
    user: Annotated[str, typer.Option(help="User id.")],
    role: Annotated[
        list[str] | None, typer.Option(help="viewer, agent, manager, admin or operator.")
    ] = None,
    ttl: Annotated[str, typer.Option(help="How long it is good: 90s, 1h, 7d; at most 31d.")] = "1h",
    channel: Annotated[
        str | None,
        typer.Option(help="Grant this one channel instead of opening a connection."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a token for the gateway and the API, signed by the development stack's key.

    Whoever can read the key in the data directory can be anybody; production checks the tokens of
    an identity provider (DAYBOOK_TOKEN_KEYS) and has no private key here.

    Example: daybook token --tenant b2b --user anna --role agent --ttl 8h
    """
    import time

    from gateway.protocol.permissions import ROLES
    from gateway.tokens import MAX_LIFETIME_S
    from infra.commands.durations import seconds
    from infra.commands.signing import signer
    from infra.settings import load

    roles = [] if channel else (role or ["viewer"])
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise ConfigurationError("--role", f"{unknown[0]} is none of {', '.join(ROLES)}")
    ttl_s = seconds(ttl)
    if not 0 < ttl_s <= MAX_LIFETIME_S:
        raise ConfigurationError("--ttl", f"{ttl} isn't between 1s and 31d")
    sign, now_ms = signer(load()), int(time.time() * 1000)
    if channel:
        text = sign.grant(tenant, user, channel, now_ms=now_ms, ttl_s=ttl_s)
    else:
        text = sign.sign(tenant, user, roles, now_ms=now_ms, ttl_s=ttl_s)
    if as_json:
        say_json({"token": text, "expires": now_ms + int(ttl_s * 1000)})
    else:
        say(text)
