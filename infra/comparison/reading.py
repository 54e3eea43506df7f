"""A whole topic, as it stands now, with news of how far the reading is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.commands.log_reader import ends, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.commands.log_reader import LogRecord
    from infra.offline.reaching import Report
    from infra.settings import Settings

EVERY = 5_000


def whole(settings: Settings, topic: str, report: Report) -> Iterator[LogRecord]:
    """Yield every committed record of a topic, each partition in order.

    Args:
        settings: Where Kafka is.
        topic: Which one.
        report: Called with (stage, done, total) in offsets, not records: compaction leaves holes.

    Raises:
        ConfigurationError: there is no such topic.
        Unavailable: the broker stopped answering.
    """
    marks = ends(settings, topic)
    total = sum(high - low for low, high in marks.values())
    seen = {partition: low for partition, (low, _) in marks.items()}
    stage = f"reading {topic}"
    for count, record in enumerate(read(settings, topic)):
        yield record
        seen[record.partition] = record.offset + 1
        if count % EVERY == 0:
            report(stage, sum(seen[p] - marks[p][0] for p in marks), total)
    report(stage, total, total)
