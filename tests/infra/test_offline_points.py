"""Laws of naming a point of the journal."""

import pytest

from infra.offline.points import Everywhere, Instant, Offsets, Point, cuts_of, parse_point
from schemas.errors import ConfigurationError

BOUNDS = {0: (0, 100), 1: (0, 40)}


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("120", Everywhere(120)),
        ("0:12,1:9", Offsets({0: 12, 1: 9})),
        ("1970-01-02", Instant(86_400_000)),
        ("1970-01-01T01:00:00", Instant(3_600_000)),
        ("1970-01-01T01:00:00.250+01:00", Instant(250)),
    ],
)
def test_offsets_and_times_are_told_apart(text: str, point: Point) -> None:
    """One number, pairs, a date or a time, which is UTC unless it says otherwise."""
    assert parse_point(text) == point


@pytest.mark.parametrize("text", ["", "yesterday", "-1", "0:1,0:2", "1:x", "2026-13-01"])
def test_what_is_neither_is_refused_with_the_forms_there_are(text: str) -> None:
    """The error names the option."""
    with pytest.raises(ConfigurationError, match=r"--as-of"):
        parse_point(text)


def test_one_offset_means_the_end_where_a_partition_is_shorter() -> None:
    """Partitions grow at different speeds; a named one must be long enough."""
    assert cuts_of(Everywhere(60), BOUNDS) == {0: 60, 1: 40}
    with pytest.raises(ConfigurationError, match="partition 1 ends at 40"):
        cuts_of(Offsets({0: 60, 1: 41}), BOUNDS)


@pytest.mark.parametrize("named", [{0: 1}, {0: 1, 1: 1, 2: 1}])
def test_every_partition_is_named_once(named: dict[int, int]) -> None:
    """A state of some partitions would look like one of all."""
    with pytest.raises(ConfigurationError, match="each partition"):
        cuts_of(Offsets(named), BOUNDS)
