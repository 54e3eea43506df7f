"""What the two apps need to be told; `infra` builds these from its settings."""

from dataclasses import dataclass

ClientConfig = dict[str, str | int | float | bool]
"""Settings of a librdkafka client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaConfig:
    """What every process of ours needs to join Kafka and to be watched.

    Args:
        bootstrap: `host:port`, several separated by commas.
        app: App id; names the group, the changelog and the transactional ids. Another
            generation of the fold is another app id.
        partitions: Count of the journal's partitions, and of everything the fold writes.
        instance: Static member id (`worker-1`), unique per process and the same after a restart:
            its restart then needs no rebalance (2 s instead of 6-10 s). Empty: dynamic member.
        metrics_host: Where `/health` and `/metrics` are served.
        metrics_port: TCP port; 0 serves nothing.
        fetch_wait_ms: Longest wait of the broker for new records. Data is sent at once, so
            this is only how often an idle process asks.
        gather_ms: Shortest time between two fetches that brought something. The first after
            idling isn't delayed.
        session_ms: A silent member is dead after this long (6,000 is the broker's minimum).
        stall_after_s: Lag without progress for this long is a fail-stop.
        behind_others: How many times longer it may last in one partition while others of the
            process move.
    """

    bootstrap: str = "127.0.0.1:9092"
    app: str = "daybook"
    partitions: int = 4
    instance: str = ""
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    fetch_wait_ms: int = 250
    gather_ms: int = 8
    session_ms: int = 6_000
    stall_after_s: float = 60.0
    behind_others: float = 1.0

    def client(self) -> ClientConfig:
        """Return the configuration every librdkafka client of ours starts from."""
        return {"bootstrap.servers": self.bootstrap}

    def faust_broker(self) -> str:
        """Return the bootstrap servers as Faust spells them."""
        return ";".join(f"kafka://{server.strip()}" for server in self.bootstrap.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig(KafkaConfig):
    """The worker: folds `journal.v1`.

    Args:
        tick_ms: How often a tick is appended to each owned partition; 0 appends none (a replay).
        generation: Stamped on everything the fold writes.
        tenant: Fold this tenant's entries only; empty: every tenant's.
        metrics: Publish these metrics only; empty: all.
        period_ms: Shortest time between two transactions of a lane. More transactions make all
            of them slower: lanes / 200 s on a small broker, so 25 ms for four lanes.
        hold_ms: How long a batch in which only time passed may wait for its commit.
        batch_max: Most entries of one transaction, and of one Faust event.
        batch_bytes: Most bytes of entries in one transaction.
        inbox_max: Entries a lane takes in before its partition is not fetched any more.
        commit_timeout_s: A commit that takes longer is a fail-stop.
        store_dir: Directory of the rows when they are to be on the disk (RocksDB); empty: they are
            in memory.
        transaction_timeout_ms: The broker aborts a silent owner's transaction after this long;
            longer than `commit_timeout_s`.
    """

    tick_ms: int = 250
    generation: int = 1
    tenant: str = ""
    metrics: tuple[str, ...] = ()
    period_ms: int = 25
    hold_ms: int = 1_000
    batch_max: int = 5_000
    batch_bytes: int = 8 * 1024 * 1024
    inbox_max: int = 20_000
    store_dir: str = ""
    commit_timeout_s: float = 10.0
    transaction_timeout_ms: int = 15_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestConfig(KafkaConfig):
    """Ingest: upstream topics → `journal.v1`.

    Args:
        batch_max: Most records translated without giving way to others on the event loop.
        in_flight_max: Records on their way to the broker before reading stops.
        commit_s: How often the group's position is committed.
        linger_ms: How long the producer gathers records for one request.
        accept: Upstream topics whose loss an operator has accepted: one that retention has
            overtaken is read from where it begins now, one that was created again as another
            source.
    """

    accept: frozenset[str] = frozenset()
    # Forty partitions share one stream. On a slow machine a turn of all took 20 s, each restart
    # began it anew, and two processes kept each other from ever finishing one.
    behind_others: float = 5.0
    batch_max: int = 500
    in_flight_max: int = 20_000
    commit_s: float = 1.0
    linger_ms: int = 5

    @property
    def group(self) -> str:
        """Consumer group; not the worker's, because the two read different topics."""
        return f"{self.app}-ingest"
