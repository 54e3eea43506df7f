"""A state belongs to one journal topic and one changelog topic, whatever their names."""

import pytest

from schemas.errors import CorruptLog
from streams.runtime.identity import Origin

THEN = Origin("journal-1", "state-1")


def test_state_goes_on_over_the_logs_it_belongs_to() -> None:
    """Equal ids pass, and so does a head written before ids were kept."""
    THEN.check(0, THEN.headers())
    THEN.check(0, [])


@pytest.mark.parametrize(
    ("now", "what"),
    [
        (THEN._replace(journal="journal-2"), "the journal was created again"),
        (THEN._replace(state="state-2"), "the state topic was created again"),
    ],
)
def test_state_of_another_log_is_refused(now: Origin, what: str) -> None:
    """The same offsets of a topic created again are other entries, the rows are not all there."""
    with pytest.raises(CorruptLog, match=what):
        now.check(3, THEN.headers())
