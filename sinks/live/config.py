"""What the live sink must be told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """Configuration of one live process.

    Args:
        bootstrap: Kafka servers, host:port[,host:port].
        valkey_url: `redis://[:password@]host:port/db`.
        app: Id of the installation; names the consumer group.
        instance: Static member id in the group, one per process; empty: dynamic.
        generation: Whose values are kept; others are passed over.
        metrics_host: Where `/health` and `/metrics` are served.
        metrics_port: 0: not served.
        rebuild: Forget the generation's values first and read all again.
        flush_s: Values wait at most so long to be conflated, s.
        patience_s: How long Valkey may be away before the process gives up, s.
    """

    bootstrap: str
    valkey_url: str
    app: str = "daybook"
    instance: str = "live-0"
    generation: int = 1
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    rebuild: bool = False
    flush_s: float = 0.1
    patience_s: float = 300.0

    @property
    def group(self) -> str:
        """Return the consumer group."""
        return f"{self.app}-live-g{self.generation}"
