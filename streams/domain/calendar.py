"""Where an hour and a day begin in a tenant's time zone."""

from datetime import UTC, datetime
from functools import lru_cache

from schemas.zones import zone as zone_of

QUARTER_MS = 15 * 60_000


@lru_cache(maxsize=65_536)
def _bucket_starts(quarter: int, zone: str) -> tuple[int, int]:
    """Return hour and day start of a quarter hour; offsets and changes fall on quarter hours."""
    local = datetime.fromtimestamp(quarter * QUARTER_MS / 1000, UTC).astimezone(zone_of(zone))
    # The hour is cut in wall-clock minutes but counted in UTC, so the repeated hour of an autumn
    # night gives two buckets, and zones at :30 or :45 cut their hours where their clocks do.
    hour_ms = quarter * QUARTER_MS - local.minute * 60_000
    return hour_ms, _day_start_ms(local)


def _day_start_ms(local: datetime) -> int:
    # Where clocks skip midnight itself, the offset before the change (fold 0) maps the missing
    # midnight to the first instant that exists, which is where the day begins.
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return int(midnight.astimezone(UTC).timestamp()) * 1000


def bucket_starts(time_ms: int, zone: str) -> tuple[int, int]:
    """Return the starts of the hour and the day that hold an instant.

    Args:
        time_ms: UTC, ms since the epoch.
        zone: IANA name; a day may have 23 or 25 hours in it.

    Returns:
        (hour start, day start), both UTC ms.
    """
    return _bucket_starts(time_ms // QUARTER_MS, zone)
