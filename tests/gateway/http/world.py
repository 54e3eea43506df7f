"""The API on in-memory ports, and clients of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from gateway.http.app import create_app
from gateway.http.config import ApiConfig
from gateway.http.events import EXAMPLE
from gateway.http.ports import (
    CatalogueMetric,
    Figure,
    Happening,
    Outgoing,
    Place,
    Ports,
    Series,
    Written,
)
from gateway.keys import Keys, new_private_set, private_jwk
from gateway.tokens import Signer, Tokens

NOW_MS = 1_800_000_000_000
METRICS = (
    CatalogueMetric("won_amount", "minor", ("hour", "day", "all"), ("agent", "team"), "Money won."),
    CatalogueMetric("open_deals", "count", ("all",), (), "Deals that are open."),
)
ORIGIN = "https://app.example.com"


@dataclass
class MemoryLog:
    """An event log; `lost` says which of the next records Kafka doesn't acknowledge."""

    records: list[Outgoing] = field(default_factory=list)
    lost: frozenset[int] = frozenset()
    broken: Exception | None = None

    async def publish(self, records: Sequence[Outgoing]) -> list[Written | None]:
        """Keep records."""
        if self.broken is not None:
            raise self.broken
        found: list[Written | None] = []
        for number, each in enumerate(records):
            if number in self.lost:
                found.append(None)
                continue
            found.append(Written(each.topic, 0, len(self.records)))
            self.records.append(each)
        return found


@cache
def key_set() -> str:
    """Return one private key for all tests of a process."""
    return new_private_set("ours")


def authority() -> Tokens:
    """Return an authority that knows our key."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "keys.json"
        path.write_text(key_set())
        return Tokens(Keys(str(path)), "daybook", "daybook")


def token(*roles: str, tenant: str = "acme", user: str = "anna", now_ms: int = NOW_MS) -> str:
    """Return a token good for an hour."""
    signer = Signer(private_jwk(key_set()), "daybook", "daybook")
    return signer.sign(tenant, user, roles, now_ms=now_ms, ttl_s=3600)


def bearer(*roles: str, tenant: str = "acme") -> dict[str, str]:
    """Return the header that carries a token."""
    return {"authorization": f"Bearer {token(*roles, tenant=tenant)}"}


@dataclass
class MemoryReports:
    """Reports that hold what a test gives them; `asked` is what they were asked for."""

    series: dict[Series, list[Figure]] = field(default_factory=dict)
    happenings: list[tuple[str, str, Happening]] = field(default_factory=list)
    asked: list[Series] = field(default_factory=list)

    async def figures(self, asked: Series, *, limit: int) -> list[Figure]:
        """Return the figures of exactly this series."""
        self.asked.append(asked)
        return self.series.get(asked, [])[:limit]

    async def timeline(
        self, tenant: str, contact: str, before: Place, *, limit: int
    ) -> list[Happening]:
        """Return what was given, in the order of the protocol."""
        found = [
            each
            for whose, whom, each in self.happenings
            if (whose, whom) == (tenant, contact) and each.place < before
        ]
        return sorted(found, key=lambda each: each.place, reverse=True)[:limit]


def ports(log: MemoryLog | None = None, reports: MemoryReports | None = None) -> Ports:
    """Return in-memory ports."""
    return Ports(
        authority=authority(),
        now_ms=lambda: NOW_MS,
        events=log or MemoryLog(),
        reports=reports or MemoryReports(),
        metrics=METRICS,
    )


def config() -> ApiConfig:
    """Return a configuration; what it names isn't asked."""
    return ApiConfig(
        bootstrap="nowhere:1",
        clickhouse_url="http://nowhere:1",
        token_keys="none",
        origins=(ORIGIN,),
        max_body_bytes=100_000,
    )


def client(log: MemoryLog | None = None, reports: MemoryReports | None = None) -> httpx.AsyncClient:
    """Return a client of a new app."""
    app = create_app(config(), ports(log, reports))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://api/api/v1")


def event(**changed: Any) -> dict[str, Any]:
    """Return a valid event of tenant acme, with attributes changed."""
    return {**EXAMPLE, **changed}
