"""Metric buckets as a person reads them, and what is refused before anything is asked."""

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.commands.metric_rows import broken_down, bucket_text, names, period, rows
from schemas.derived.metric import MetricPartial
from schemas.errors import ConfigurationError

DAY_MS = 86_400_000


def _value(offset: int, count: int = 1) -> MetricPartial:
    return MetricPartial(1, offset, count, count, 1, 1, [])


def test_a_mean_is_presented_in_the_unit_of_its_metric() -> None:
    """A sales cycle of 1 and 3 days is shown as 2 days in seconds, with quantiles."""
    partial = MetricPartial(1, 9, 2, 4 * DAY_MS, DAY_MS, 3 * DAY_MS, [])
    (row,) = rows("sales_cycle", "all", "", {"sales_cycle": {(0, ""): partial}}, period(*ALL))
    assert (row["value"], row["unit"]) == (2 * 86_400, "seconds")
    assert "p50" in row


def test_money_and_counts_are_presented_as_sums() -> None:
    """Money stays in minor units."""
    partial = MetricPartial(1, 9, 2, 700, 300, 400, [])
    (row,) = rows("won_amount", "all", "", {"won_amount": {(0, ""): partial}}, period(*ALL))
    assert (row["value"], row["count"]) == (700, 2)


def test_a_rate_is_derived_from_its_two_parts() -> None:
    """Three won and one lost make 0.75; a bucket with neither part is not invented."""
    buckets = {
        "deals_won": {(0, "ada"): _value(1, 3)},
        "deals_lost": {(0, "ada"): _value(1, 1), (0, "bob"): _value(1, 2)},
    }
    found = rows("win_rate", "all", "agent", buckets, period(*ALL))
    assert [(row["member"], row["value"]) for row in found] == [("ada", 0.75), ("bob", 0.0)]


ALL = (None, None, "UTC")


def test_a_period_is_counted_in_the_tenants_zone() -> None:
    """From and to are midnights in the zone; the second one is excluded."""
    berlin = period("2026-03-28", "2026-03-30", "Europe/Berlin")
    hours = (berlin.end_ms - berlin.start_ms) / 3_600_000
    assert hours == 47  # the night of the 29th is an hour short
    assert berlin.holds(berlin.start_ms)
    assert not berlin.holds(berlin.end_ms)


def test_an_exact_time_with_an_offset_is_taken_as_it_is() -> None:
    """A time that names its offset ignores the zone."""
    assert period("2026-01-01T00:00:00+00:00", None, "Asia/Tokyo").start_ms == 1_767_225_600_000


def test_what_is_no_time_is_refused() -> None:
    """Neither date nor time is an error of the value, not a wide-open period."""
    with pytest.raises(ValueError, match="isoformat"):
        period("yesterday", None, "UTC")


def test_an_unknown_metric_is_refused_by_name() -> None:
    """The error says where to find the names."""
    with pytest.raises(ConfigurationError, match="metrics list"):
        names("deals_dreamt")


@pytest.mark.parametrize("metric", ["won_amount", "win_rate"])
def test_an_unknown_dimension_is_refused_with_those_there_are(metric: str) -> None:
    """The error lists what the metric is broken down by; a ratio has what its parts have."""
    with pytest.raises(ConfigurationError, match="region"):
        broken_down(metric, "nonsense")
    assert broken_down(metric, "region") == [metric]


def test_all_metrics_by_a_dimension_are_those_that_have_it() -> None:
    """Without a name those that have the dimension are shown; if none has, that is refused."""
    found = broken_down(None, "region")
    assert "won_amount" in found
    assert len(found) < len(names(None))
    assert broken_down(None, "") == names(None)
    with pytest.raises(ConfigurationError, match="region"):
        broken_down(None, "nonsense")


def test_a_wrong_dimension_is_refused_before_anything_is_asked() -> None:
    """`metrics show --by nonsense` is one line and exit 2; no engine is needed to know."""
    result = CliRunner().invoke(app, ["metrics", "show", "won_amount", "--by", "nonsense"])
    assert result.exit_code == 2
    assert "won_amount has no nonsense; it has: " in result.stderr


def test_a_day_bucket_is_named_by_its_date_in_the_tenants_zone() -> None:
    """A Berlin day that begins at 23:00 UTC the day before has its own date."""
    start = period("2026-01-02", None, "Europe/Berlin").start_ms
    assert bucket_text(start, "day", "Europe/Berlin") == "2026-01-02"
    assert bucket_text(start, "hour", "UTC") == "2026-01-01T23:00+00:00"
    assert bucket_text(0, "all", "UTC") == "all"
