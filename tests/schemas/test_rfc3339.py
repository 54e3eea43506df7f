"""RFC 3339 times: what is read, what is refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import rfc3339


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-01-01T00:00:00Z", 1_767_225_600_000),
        ("2026-01-01t00:00:00z", 1_767_225_600_000),
        ("2026-01-01T01:30:00.5+01:30", 1_767_225_600_500),
        ("2026-01-01T00:00:00.123999999Z", 1_767_225_600_123),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("9999-12-29T23:59:59Z", 253_402_127_999_000),
    ],
)
def test_every_form_of_the_rfc_is_read(text: str, ms: int) -> None:
    """Case, decimals and offset may vary; digits below the millisecond are cut."""
    assert rfc3339.to_ms(rfc3339.parse(text)) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "20260101T000000Z",
        "2026-W01-1T00:00:00Z",
        "2026-01-01T00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00+99:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "٢٠٢٦-01-01T00:00:00Z",
        "1767225600",
        "2026-01-01T00:00:00Z\n",
    ],
)
def test_other_forms_are_refused_without_repeating_them(text: str) -> None:
    """A time is never guessed, and the message can't leak what was sent."""
    with pytest.raises(ValueError, match=r"^(should|is)") as caught:
        rfc3339.parse(text)
    assert text == "" or text not in str(caught.value)


def test_a_naive_time_is_refused() -> None:
    """Whose clock a naive time is by, nobody can tell."""
    with pytest.raises(ValueError, match="aware"):
        rfc3339.to_utc_ms(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


@given(st.integers(-2_208_902_400_000, 253_402_127_999_999))
def test_milliseconds_survive_text(ms: int) -> None:
    """Writing and reading a time gives the same milliseconds."""
    assert rfc3339.to_ms(rfc3339.parse(rfc3339.text_of(ms))) == ms
    assert rfc3339.from_ms(ms).tzinfo is UTC
