"""Access taken back before its token ends.

Revocations come by a control topic and are remembered as long as a token could still be good.

Source: docs/realtime.md, "Revocation".
"""

from collections import OrderedDict
from dataclasses import dataclass

from gateway.protocol.permissions import Claims


@dataclass(frozen=True, slots=True)
class Revocation:
    """Tokens that are no longer good.

    Args:
        tenant: Whose.
        user: Whose; empty for everybody of the tenant.
        token_id: Of one token; empty for all of the user.
        before_ms: Tokens issued at or before it, UTC ms.
    """

    tenant: str
    user: str
    token_id: str
    before_ms: int

    def covers(self, claims: Claims) -> bool:
        """Return whether a token is meant."""
        return (
            self.tenant == claims.tenant
            and self.user in ("", claims.user)
            and self.token_id in ("", claims.token_id)
            and claims.issued_ms <= self.before_ms
        )


class Revocations:
    """What was revoked and may still be tried.

    Args:
        lifetime_ms: Of the longest-lived token; a revocation older than that has nothing to refuse.
    """

    def __init__(self, lifetime_ms: int) -> None:
        self._lifetime_ms = lifetime_ms
        self._before: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def add(self, revocation: Revocation) -> None:
        """Remember a revocation; of several for the same, the latest counts."""
        key = (revocation.tenant, revocation.user, revocation.token_id)
        before_ms = max(revocation.before_ms, self._before.get(key, 0))
        self._before[key] = before_ms
        self._before.move_to_end(key)

    def cover(self, claims: Claims) -> bool:
        """Return whether a token was revoked."""
        tenant, user, token = claims.tenant, claims.user, claims.token_id
        return any(
            claims.issued_ms <= self._before.get(key, -1)
            for key in (
                (tenant, "", ""),
                (tenant, user, ""),
                (tenant, user, token),
                (tenant, "", token),
            )
        )

    def expire(self, now_ms: int) -> None:
        """Forget what can't be tried any more.

        Args:
            now_ms: UTC ms.
        """
        oldest_ms = now_ms - self._lifetime_ms
        old = [key for key, before_ms in self._before.items() if before_ms < oldest_ms]
        for key in old:
            del self._before[key]

    @property
    def size(self) -> int:
        """Return how many are remembered."""
        return len(self._before)
