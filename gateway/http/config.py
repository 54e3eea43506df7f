"""What the HTTP API must be told."""

from dataclasses import dataclass

from gateway.http.ports import Metric

MAX_BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """Configuration of one API process.

    Args:
        bootstrap: Kafka servers, host:port[,host:port].
        clickhouse_url: `http[s]://user:password@host:port`; the account needs the reports only.
        token_keys: JWK Set that tokens are checked with, file or URL.
        token_issuer: `iss` that tokens must have.
        token_audience: `aud` that tokens must have.
        host: Where it listens.
        port: 0: any free one.
        origins: Web origins whose pages may read answers, exactly.
        trusted_proxies: Networks whose X-Forwarded-For is believed.
        max_body_bytes: Larger requests are refused with 413, bytes.
        metrics: The catalogue.
    """

    bootstrap: str
    clickhouse_url: str
    token_keys: str
    token_issuer: str = "daybook"  # noqa: S105 - a name, no secret
    token_audience: str = "daybook"  # noqa: S105 - same
    host: str = "127.0.0.1"
    port: int = 8_080
    origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    max_body_bytes: int = MAX_BODY_BYTES
    metrics: tuple[Metric, ...] = ()
