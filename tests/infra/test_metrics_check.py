"""The check that every view agrees: each difference is found, traffic is none."""

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.commands.metric_compare import Folded, Part, cuts, differences
from infra.commands.metric_rows import broken_down, bucket_text, names, period, rows
from schemas.derived.metric import MetricKey, MetricPartial
from schemas.errors import ConfigurationError

ENDS = {0: 100}
DAY_MS = 86_400_000


def _part(member: str = "", partition: int = 0, grain: str = "day") -> Part:
    return Part(partition, MetricKey("b2b", "deals_won", grain, 0, "agent", member))


def _value(offset: int, count: int = 1) -> MetricPartial:
    return MetricPartial(1, offset, count, count, 1, 1, [])


def _differ(stored: dict[Part, MetricPartial], folded: Folded, *, keeps_closed: bool = True) -> int:
    return len(differences("store", stored, folded, ENDS, keeps_closed=keeps_closed))


def test_equal_views_do_not_differ() -> None:
    """The same value at the same offset is agreement."""
    assert _differ({_part(): _value(40)}, Folded({_part(): _value(40)})) == 0


@pytest.mark.parametrize(
    "stored",
    [
        {_part(): _value(40, count=2)},
        {_part(): _value(39)},
        {},
        {_part(): _value(40), _part("extra"): _value(41)},
        {_part(partition=1): _value(40)},
        {_part(): _value(40)._replace(sketch=[3, 1])},
        {_part(): _value(40)._replace(generation=2)},
    ],
    ids=["value", "stale", "missing", "extra", "partition", "sketch", "generation"],
)
def test_any_difference_is_found(stored: dict[Part, MetricPartial]) -> None:
    """A wrong number, an old one, a missing bucket and one too many all count."""
    assert _differ(stored, Folded({_part(): _value(40)})) >= 1


def test_a_store_ahead_of_the_end_is_compared_where_it_stands() -> None:
    """Traffic after the agreed end: the value must be the fold's at exactly that offset."""
    folded = Folded({_part(): _value(40)}, {_part(): {120: _value(120, 5), 130: _value(130, 6)}})
    assert _differ({_part(): _value(120, 5)}, folded) == 0
    assert _differ({_part(): _value(120, 6)}, folded) == 1
    assert _differ({_part(): _value(125, 5)}, folded) == 1


def test_a_closed_hour_is_missed_only_where_it_is_kept() -> None:
    """Valkey forgets closed hours, ClickHouse keeps their last value."""
    hour = _part(grain="hour")
    folded = Folded({hour: _value(40)}, closed={hour})
    assert _differ({}, folded, keeps_closed=False) == 0
    assert _differ({}, folded, keeps_closed=True) == 1
    assert _differ({hour: _value(40)}, folded, keeps_closed=True) == 0


def test_the_fold_stops_wherever_a_store_stands_beyond_the_end() -> None:
    """Cuts are the end, every offset beyond it in any store, and the last entry."""
    stores = [{_part(): _value(40)}, {_part("a"): _value(150), _part("b"): _value(120)}]
    assert cuts(stores, 0, 100, 200) == [99, 120, 150, 199]
    assert cuts(stores, 1, 50, 50) == [49]
    assert cuts(stores, 1, 0, 0) == []


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
