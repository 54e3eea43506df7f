"""People and tokens of the tests."""

from dataclasses import dataclass, field

from gateway.protocol.codes import TOKEN_EXPIRED, UNAUTHORIZED
from gateway.protocol.moment import Now
from gateway.protocol.permissions import Claims, Grant

START = Now(mono_s=1_000.0, utc_ms=1_800_000_000_000)


def later(now: Now, seconds: float) -> Now:
    """Return the moment some seconds later on both clocks."""
    return Now(now.mono_s + seconds, now.utc_ms + round(seconds * 1000))


def claims(
    user: str = "anna",
    *roles: str,
    tenant: str = "acme",
    ttl_s: int = 3600,
    channels: tuple[str, ...] = (),
) -> Claims:
    """Return claims issued at the start, of an agent unless told otherwise."""
    return Claims(
        tenant=tenant,
        user=user,
        roles=frozenset(roles or ("agent",)),
        expires_ms=START.utc_ms + ttl_s * 1000,
        issued_ms=START.utc_ms,
        token_id=f"{user}-{ttl_s}",
        channels=channels,
    )


@dataclass
class Notary:
    """An authority that knows the tokens it was given: an `Authority` without cryptography."""

    tokens: dict[str, Claims] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)

    def claims(self, token: str, now_ms: int) -> Claims:
        """Return what was deposited under a token."""
        if token not in self.tokens:
            raise UNAUTHORIZED.refusal()
        if self.tokens[token].expires_ms <= now_ms:
            raise TOKEN_EXPIRED.refusal()
        return self.tokens[token]

    def grant(self, token: str, now_ms: int) -> Grant:
        """Return what was deposited under a channel's token."""
        if token not in self.grants:
            raise UNAUTHORIZED.refusal()
        if self.grants[token].expires_ms <= now_ms:
            raise TOKEN_EXPIRED.refusal()
        return self.grants[token]
