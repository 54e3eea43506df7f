"""Time zones come from the pinned package."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from schemas.zones import is_known, zone


def test_zone_of_the_package_has_its_rules() -> None:
    """Berlin is two hours ahead in summer, one in winter."""
    summer, winter = (datetime(2026, month, 1, tzinfo=zone("Europe/Berlin")) for month in (7, 1))
    assert summer.utcoffset() != winter.utcoffset()
    assert isinstance(zone("UTC"), ZoneInfo)


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "../../etc/passwd", "Europe"])
def test_what_is_no_zone_is_not_known(name: str) -> None:
    """Neither an invented name nor a path is a zone."""
    assert not is_known(name)
    assert is_known("Europe/Berlin")
