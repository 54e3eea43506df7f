"""What the HTTP API must be told."""

from dataclasses import dataclass

from gateway.config import ServerConfig
from gateway.http.ports import CatalogueMetric

MAX_BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig(ServerConfig):
    """Configuration of one API process.

    Args:
        clickhouse_url: `http[s]://user:password@host:port`; the account needs the reports only.
        port: 0: any free one.
        max_body_bytes: Larger requests are refused with 413, bytes.
        metrics: The catalogue.
    """

    clickhouse_url: str
    port: int = 8_080
    max_body_bytes: int = MAX_BODY_BYTES
    metrics: tuple[CatalogueMetric, ...] = ()
