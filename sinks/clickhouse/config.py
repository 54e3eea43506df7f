"""What the ClickHouse sink must be told."""

from dataclasses import dataclass, field

from sinks.mapping.lanes import Policy


@dataclass(frozen=True, slots=True)
class SinkConfig:
    """Configuration of one sink process.

    Args:
        bootstrap: Kafka servers, host:port[,host:port].
        clickhouse_url: `http://user:password@host:port`.
        app: Id of the installation; names the consumer group.
        instance: Static member id in the group, one per process; empty: dynamic.
        generation: Of the rows written; with its own group and ledger rows.
        metrics_host: Where `/health` and `/metrics` are served.
        metrics_port: 0: not served.
        policy: When batches are closed.
        patience_s: How long ClickHouse may be away before the process gives up, s.
    """

    bootstrap: str
    clickhouse_url: str
    app: str = "daybook"
    instance: str = "sink-0"
    generation: int = 1
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    policy: Policy = field(default_factory=Policy)
    patience_s: float = 300.0

    @property
    def group(self) -> str:
        """Return the consumer group."""
        return f"{self.app}-sink-g{self.generation}"
