"""Where hours and days begin."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.calendar import bucket_starts

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
         "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Chatham"]  # fmt: skip


def ms(text: str) -> int:
    """Return a UTC time as ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_day_begins_at_local_midnight() -> None:
    """23:30 UTC is the next day in Berlin."""
    hour, day = bucket_starts(ms("2026-01-14T23:30"), "Europe/Berlin")
    assert (hour, day) == (ms("2026-01-14T23:00"), ms("2026-01-14T23:00"))


def test_day_of_spring_change_has_23_hours() -> None:
    """The last hour of the day before and the first of the day after are 24 h apart, less one."""
    first = bucket_starts(ms("2026-03-29T12:00"), "Europe/Berlin")[1]
    after = bucket_starts(ms("2026-03-30T12:00"), "Europe/Berlin")[1]
    assert after - first == 23 * 3_600_000


def test_repeated_autumn_hour_is_two_buckets() -> None:
    """02:30 summer time and 02:30 winter time are different hours of one day of 25 hours."""
    summer = bucket_starts(ms("2026-10-25T00:30"), "Europe/Berlin")
    winter = bucket_starts(ms("2026-10-25T01:30"), "Europe/Berlin")
    assert winter[0] - summer[0] == 3_600_000
    assert winter[1] == summer[1]
    assert bucket_starts(ms("2026-10-26T12:00"), "Europe/Berlin")[1] - summer[1] == 25 * 3_600_000


def test_day_whose_midnight_is_skipped_begins_at_its_first_instant() -> None:
    """In Sao Paulo 2018-11-04 had no 00:00; the day began at 01:00 local, 03:00 UTC."""
    _, day = bucket_starts(ms("2018-11-04T12:00"), "America/Sao_Paulo")
    assert day == ms("2018-11-04T03:00")


def test_hours_follow_zones_at_half_hours() -> None:
    """In Kolkata an hour begins at :30 UTC."""
    hour, _ = bucket_starts(ms("2026-05-05T10:45"), "Asia/Kolkata")
    assert hour == ms("2026-05-05T10:30")


@given(st.integers(ms("1990-01-01T00:00"), ms("2037-01-01T00:00")), st.sampled_from(ZONES))
def test_buckets_hold_their_instant(time_ms: int, zone: str) -> None:
    """An instant lies within its hour and its day, and its day starts on the same local date."""
    hour, day = bucket_starts(time_ms, zone)
    assert hour <= time_ms < hour + 3_600_000
    assert day <= time_ms < day + 25 * 3_600_000
    local = datetime.fromtimestamp(time_ms / 1000, ZoneInfo(zone))
    assert datetime.fromtimestamp(day / 1000, ZoneInfo(zone)).date() == local.date()
    assert datetime.fromtimestamp(day / 1000 - 0.001, ZoneInfo(zone)).date() < local.date()


@pytest.mark.parametrize("zone", ZONES)
def test_start_of_a_bucket_is_its_own_start(zone: str) -> None:
    """Bucketing a bucket's start gives it back."""
    hour, day = bucket_starts(ms("2026-07-17T09:41"), zone)
    assert bucket_starts(hour, zone)[0] == hour
    assert bucket_starts(day, zone)[1] == day
