"""What every server of the gateway must be told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """What the websocket server and the HTTP API have in common.

    Args:
        bootstrap: Kafka servers, host:port[,host:port].
        token_keys: JWK Set that tokens are checked with: file or URL.
        token_issuer: `iss` that tokens must have.
        token_audience: `aud` that tokens must have.
        host: Where it listens.
        origins: Web origins that browsers may come from, exactly.
        trusted_proxies: Networks whose `X-Forwarded-For` is believed.
    """

    bootstrap: str
    token_keys: str
    token_issuer: str = "daybook"  # noqa: S105 - a name, no secret
    token_audience: str = "daybook"  # noqa: S105 - same
    host: str = "127.0.0.1"
    origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
