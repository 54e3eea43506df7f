"""Tokens: who a connection or a request is from, proved by a signature.

A JWT of ours or of an identity provider. Its key is chosen by `kid` from our set, the algorithm by
the key; what else its header says about keys makes it bad. Times are judged by the time passed in.

Source: docs/realtime.md, "Tokens".
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.keys import Keys
from gateway.protocol.codes import TOKEN_EXPIRED, UNAUTHORIZED
from gateway.protocol.commands import MAX_SUBSCRIPTIONS, MAX_TOKEN_BYTES
from gateway.protocol.permissions import Claims, Grant

MAX_LIFETIME_S = 31 * 86_400
"""From `iat` to `exp`: a token that is good for longer would outlive the memory of revocations."""
LEEWAY_S = 60
"""How far other clocks may be ahead when they issue tokens."""
CACHED = 20_000

Time = Annotated[float, Field(ge=0, lt=2**43)]
Text = Annotated[str, Field(min_length=1, max_length=128)]

_ABOUT_KEYS = frozenset({"jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256", "crit", "b64"})


class _Payload(BaseModel):
    """What a token must say, and what it may."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="ignore", hide_input_in_errors=True, allow_inf_nan=False
    )

    sub: Text
    tenant: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    exp: Time
    iat: Time
    nbf: Time = 0
    roles: Annotated[list[Text], Field(max_length=32)] = []
    jti: Annotated[str, Field(max_length=128)] = ""
    channels: Annotated[list[Text], Field(max_length=MAX_SUBSCRIPTIONS)] = []
    channel: Annotated[str, Field(max_length=128)] = ""


class Tokens:
    """Checks tokens; a signature that was checked is remembered by the hash of its token.

    Args:
        keys: Whose signatures are good.
        issuer: `iss` that is asked for.
        audience: `aud` that is asked for.
    """

    def __init__(self, keys: Keys, issuer: str, audience: str) -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience
        self._checked: OrderedDict[bytes, _Payload] = OrderedDict()
        self._turn = keys.turn

    def claims(self, token: str, now_ms: int) -> Claims:
        """Return what a connection's or a request's token says.

        Raises:
            Refused: 109 when it was good and ran out, 101 when it isn't good.
        """
        payload = self._payload(token, now_ms)
        if payload.channel:
            raise UNAUTHORIZED.refusal()
        return Claims(
            tenant=payload.tenant,
            user=payload.sub,
            roles=frozenset(payload.roles),
            expires_ms=round(payload.exp * 1000),
            issued_ms=round(payload.iat * 1000),
            token_id=payload.jti,
            channels=tuple(payload.channels),
        )

    def grant(self, token: str, now_ms: int) -> Grant:
        """Return what a channel's token says; errors as `claims`."""
        payload = self._payload(token, now_ms)
        if not payload.channel:
            raise UNAUTHORIZED.refusal()
        return Grant(payload.tenant, payload.sub, payload.channel, round(payload.exp * 1000))

    def _payload(self, token: str, now_ms: int) -> _Payload:
        payload = self._check(token)
        lifetime_s = payload.exp - payload.iat
        if max(payload.iat, payload.nbf) * 1000 > now_ms + LEEWAY_S * 1000:
            raise UNAUTHORIZED.refusal()
        if not 0 < lifetime_s <= MAX_LIFETIME_S:
            raise UNAUTHORIZED.refusal()
        if payload.exp * 1000 <= now_ms:
            raise TOKEN_EXPIRED.refusal()
        return payload

    def _check(self, token: str) -> _Payload:
        raw = token.encode(errors="replace")
        if not raw or len(raw) > MAX_TOKEN_BYTES:
            raise UNAUTHORIZED.refusal()
        if self._turn != self._keys.turn:  # a key may have been taken out of the set
            self._turn = self._keys.turn
            self._checked.clear()
        name = hashlib.sha256(raw).digest()
        known = self._checked.get(name)
        if known is None:
            known = self._checked[name] = self._verify(token)
            while len(self._checked) > CACHED:
                self._checked.popitem(last=False)
        return known

    def _verify(self, token: str) -> _Payload:
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            key = self._keys.find(kid) if isinstance(kid, str) else None
            if key is None or header.get("alg") != key.algorithm or _ABOUT_KEYS & header.keys():
                raise UNAUTHORIZED.refusal()
            payload = jwt.decode(
                token,
                key.public,
                algorithms=[key.algorithm],
                audience=self._audience,
                issuer=self._issuer,
                options={
                    "require": ["exp", "iat", "sub", "aud", "iss", "tenant"],
                    # Judged by the time passed in, and on every use, not only the first one.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            return _Payload.model_validate(payload)
        except (jwt.PyJWTError, ValidationError, ValueError, RecursionError):
            raise UNAUTHORIZED.refusal() from None


class Signer:
    """Signs tokens with a private key of ours: development, tests, and the API's sign-in.

    Args:
        jwk: Private Ed25519 key with its `kid`; see `keys.private_jwk`.
        issuer: `iss` of the tokens.
        audience: `aud` of the tokens.
    """

    def __init__(self, jwk: Mapping[str, Any], issuer: str, audience: str) -> None:
        self._key = jwt.PyJWK(dict(jwk), algorithm="EdDSA").key
        self._kid, self._issuer, self._audience = str(jwk["kid"]), issuer, audience

    def sign(
        self,
        tenant: str,
        user: str,
        roles: Iterable[str],
        *,
        now_ms: int,
        ttl_s: float,
        channels: Iterable[str] = (),
    ) -> str:
        """Return a token for a person.

        Args:
            tenant: Tenant id.
            user: User id.
            roles: Of `permissions.ROLES`.
            now_ms: Issued at, UTC ms.
            ttl_s: Good for so long, s.
            channels: To be subscribed by the server.
        """
        more = {"roles": sorted(roles)} | ({"channels": list(channels)} if channels else {})
        return self._sign(tenant, user, now_ms, ttl_s, more)

    def grant(self, tenant: str, user: str, channel: str, *, now_ms: int, ttl_s: float) -> str:
        """Return a token for one person and one channel; arguments as `sign`."""
        return self._sign(tenant, user, now_ms, ttl_s, {"channel": channel})

    def _sign(
        self, tenant: str, user: str, now_ms: int, ttl_s: float, more: Mapping[str, Any]
    ) -> str:
        issued_s = now_ms / 1000
        payload = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user,
            "tenant": tenant,
            "iat": issued_s,
            "exp": issued_s + ttl_s,
            "jti": secrets.token_urlsafe(12),
            **more,
        }
        return jwt.encode(payload, self._key, algorithm="EdDSA", headers={"kid": self._kid})
