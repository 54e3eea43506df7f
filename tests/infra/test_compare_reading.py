"""Reading a whole topic tells how far it is, in offsets."""

from collections.abc import Iterator

import pytest

from infra.commands.log_reader import LogRecord
from infra.comparison import reading
from infra.settings import Settings


def test_progress_is_of_offsets_and_ends_at_the_total(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compacted topic has fewer records than offsets; the bar is full at the end all the same."""
    records = [
        LogRecord("t", p, offset, 0, b"k", b"v", ()) for p, offset in ((0, 2), (1, 9), (0, 7))
    ]
    news: list[tuple[str, int, int]] = []

    def read(_settings: Settings, _topic: str) -> Iterator[LogRecord]:
        return iter(records)

    monkeypatch.setattr(reading, "EVERY", 1)
    monkeypatch.setattr(reading, "ends", lambda _settings, _topic: {0: (2, 8), 1: (0, 10)})
    monkeypatch.setattr(reading, "read", read)
    found = reading.whole(Settings(), "t", lambda *each: news.append(each))
    assert list(found) == records
    assert news == [
        ("reading t", 1, 16),
        ("reading t", 11, 16),
        ("reading t", 16, 16),
        ("reading t", 16, 16),
    ]
