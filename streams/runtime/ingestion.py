"""The Faust app of ingest: reads every upstream topic, keeps no state."""

from collections.abc import Iterator

from faust.types import TP

from schemas.topics import DEAD_LETTER, DEFINITION, JOURNAL, UPSTREAM
from streams.runtime.application import Application
from streams.runtime.assignment import LaneTables
from streams.runtime.batches import BatchSchema
from streams.runtime.config import IngestConfig
from streams.runtime.consumer import PositionedConsumer, transport_of
from streams.runtime.intake import Intake
from streams.runtime.options import faust_options
from streams.runtime.progress import Standing

SOURCES = (*UPSTREAM, DEFINITION)


class IngestApp(Application):
    """Turns upstream topics into the journal.

    Attributes:
        upstream: The Faust topic to run the ingest processor on.
        intake: Writes the journal.

    Args:
        config: Ingest configuration.
        intake: Writes the journal.
    """

    def __init__(self, config: IngestConfig, intake: Intake) -> None:
        self.config = config
        self.intake = intake
        super().__init__(
            config.group,
            **faust_options(config, batch_max=config.batch_max, commit_s=config.commit_s),
            TableManager=LaneTables,
        )
        self.transport = transport_of(intake, config)(self.conf.broker_consumer, self)
        self.upstream = self.topic(*SOURCES, schema=BatchSchema())

    async def assigned(self) -> None:
        """Open nothing: the position is the group's, and `Intake.starts` asks for it."""

    @property
    def topics_in_use(self) -> tuple[str, ...]:
        """Return the topics that must stay what they are while this runs."""
        return (*SOURCES, JOURNAL, DEAD_LETTER)

    def owned(self) -> dict[tuple[str, int], bool]:
        """Return the partitions of this process, and whether each is being read."""
        return {
            (tp.topic, tp.partition): self.intake.done(tp) is not None for tp in self._sources()
        }

    def _sources(self) -> Iterator[TP]:
        if self.consumer.started:
            yield from (tp for tp in self.consumer.assignment() if tp.topic in SOURCES)

    def standing(self, source: tuple[str, int], end: int | None) -> Standing:
        """Return where a partition stands.

        With nothing on its way the reading position counts: it passes commit markers of upstream's
        transactions and what compaction removed, which no batch ever ends at.
        """
        tp = TP(*source)
        done = self.intake.done(tp) or 0
        if self.intake.busy(tp):
            return Standing(done, end)
        consumer = self.consumer
        assert isinstance(consumer, PositionedConsumer)  # noqa: S101 - `transport_of` made it
        return Standing(max(done, consumer.fetched(tp) or 0), end)
