"""How much a client may ask for: buckets and gates that are asked, with the time passed in.

Source: docs/realtime.md, "Limits".
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.protocol.commands import MAX_SUBSCRIPTIONS
from gateway.protocol.lines import FrameLimits


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast, and how much at once.

    Args:
        per_s: What comes back per second.
        burst: What can be taken at once after a pause.
    """

    per_s: float
    burst: float


class Bucket:
    """A token bucket.

    Args:
        rate: Of it; it begins full.
        now_s: Monotonic seconds.
    """

    __slots__ = ("_at_s", "_left", "_rate")

    def __init__(self, rate: Rate, now_s: float) -> None:
        self._rate = rate
        self._left = rate.burst
        self._at_s = now_s

    def take(self, amount: float, now_s: float) -> bool:
        """Take an amount if it is there; nothing is taken otherwise.

        Args:
            amount: 0 or more.
            now_s: Monotonic seconds; an earlier one than before counts as the same.
        """
        passed_s = max(0.0, now_s - self._at_s)
        self._left = min(self._rate.burst, self._left + passed_s * self._rate.per_s)
        self._at_s = max(self._at_s, now_s)
        if amount > self._left:
            return False
        self._left -= amount
        return True


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one connection may do.

    Args:
        frame: What a frame may hold.
        commands: Commands; beyond it each is answered with error 111.
        received_bytes: Bytes of frames; beyond it the connection is closed (3013).
        failures: Commands answered with an error; beyond it the connection is closed (3013). The
            burst lets a client ask once for everything it may not have.
        subscriptions: Channels, those of the server included.
        pending: Commands that wait for something outside (Valkey, Kafka); more get error 111.
        history: Publications per page of `history`.
        connect_s: From the connection to `connect`, seconds; then 3502.
        ping_s: Between pings, seconds.
        pong_s: From a ping to its answer, seconds; then 3012.
        expiry_s: From the end of a token to the end of what it permits, seconds: clients refresh
            when the token ends, not before.
    """

    frame: FrameLimits = field(default_factory=FrameLimits)
    commands: Rate = Rate(per_s=50, burst=300)
    received_bytes: Rate = Rate(per_s=65_536, burst=262_144)
    failures: Rate = Rate(per_s=1, burst=150)
    subscriptions: int = MAX_SUBSCRIPTIONS
    pending: int = 64
    history: int = 300
    connect_s: float = 10
    ping_s: int = 25
    pong_s: float = 10
    expiry_s: float = 25


@dataclass(frozen=True, slots=True)
class GateLimits:
    """How many connections there may be at a time.

    Args:
        user: Of one user of one tenant.
        address: Of one network address, before and after it is known who it is.
        tenant: Of one tenant.
    """

    user: int = 20
    address: int = 2_000
    tenant: int = 20_000


class Gate:
    """Counts connections by what limits them. Every `enter` that was allowed is left once.

    Args:
        limits: Of this gateway.
    """

    def __init__(self, limits: GateLimits) -> None:
        self._limits = limits
        self._count: Counter[tuple[str, ...]] = Counter()

    def enter_address(self, address: str) -> bool:
        """Count a connection from an address; False when there are enough."""
        return self._enter([(("address", address), self._limits.address)])

    def enter_user(self, tenant: str, user: str) -> bool:
        """Count a connection of a user; False when the user or the tenant has enough."""
        return self._enter(
            [
                (("user", tenant, user), self._limits.user),
                (("tenant", tenant), self._limits.tenant),
            ]
        )

    def leave_address(self, address: str) -> None:
        """Take back `enter_address`."""
        self._leave([("address", address)])

    def leave_user(self, tenant: str, user: str) -> None:
        """Take back `enter_user`."""
        self._leave([("user", tenant, user), ("tenant", tenant)])

    @property
    def size(self) -> int:
        """Return how many users, addresses and tenants are connected."""
        return len(self._count)

    def _enter(self, wanted: list[tuple[tuple[str, ...], int]]) -> bool:
        if any(self._count[key] >= limit for key, limit in wanted):
            return False
        self._count.update(key for key, _ in wanted)
        return True

    def _leave(self, keys: Iterable[tuple[str, ...]]) -> None:
        for key in keys:
            self._count[key] -= 1
            if self._count[key] <= 0:
                del self._count[key]
