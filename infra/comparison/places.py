"""Where two generations stand, and which of their transactions span a place of the journal.

A transaction says the last value of a bucket only. Inside a batch, what a generation would have
said lower down is nowhere in the log: at a place inside one, the buckets it changed from there on
can't be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.commands.heads import HEAD_KEY
from infra.commands.log_reader import ends
from infra.comparison.reading import whole
from infra.generations.registry import app_in, at
from schemas.codec import decode_row
from schemas.state.rows import Head
from schemas.topics import state_topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.offline.reaching import Report
    from infra.settings import Settings

START = 0
"""Before the first entry every generation stands, and has said nothing."""

Places = dict[int, set[int]]
"""Journal partition → offsets after the last entry of each commit."""


def committed(settings: Settings, number: int, report: Report) -> Places:
    """Return where a generation committed, as far back as its changelog tells.

    Args:
        settings: Where Kafka is.
        number: Which generation.
        report: Called with (stage, done, total).

    Raises:
        ConfigurationError: it has no state topic.
        Unavailable: the broker stopped answering.
    """
    topic = state_topic(app_in(at(settings, number)))
    found: Places = {partition: {START} for partition in ends(settings, topic)}
    for record in whole(settings, topic, report):
        if record.key == HEAD_KEY and record.value is not None:
            found[record.partition].add(decode_row(Head, record.value).applied + 1)
    return found


def spanned(places: Places, cuts: Mapping[int, int]) -> dict[int, int]:
    """Return journal partition → end of the transaction that spans its cut, else the cut itself.

    Args:
        places: Where a generation committed.
        cuts: Journal partition → offset.

    Examples:
        >>> spanned({0: {0, 3, 8}, 1: {0, 4}, 2: {0, 4}}, {0: 5, 1: 4, 2: 6})
        {0: 8, 1: 4, 2: 6}
    """
    return {
        partition: cut
        if cut in places[partition]
        else min((place for place in places[partition] if place > cut), default=cut)
        for partition, cut in cuts.items()
    }
