"""Figures by HTTP: the catalogue, series in a period, the period before."""

import pytest

from gateway.http.metrics import MAX_POINTS
from gateway.http.ports import Figure, Series
from tests.gateway.http.world import MemoryReports, bearer, client

DAY_MS = 86_400_000
MARCH_MS = 1_772_323_200_000
MARCH = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
TWO_DAYS = Series("acme", "won_amount", "day", "team", MARCH_MS, MARCH_MS + 2 * DAY_MS)


async def test_the_catalogue_lists_what_may_be_asked_for() -> None:
    """Name, unit, grains and dimensions."""
    async with client() as api:
        answer = await api.get("/metrics", headers=bearer("viewer"))
    assert answer.json()["metrics"][0] == {
        "name": "won_amount",
        "unit": "minor",
        "grains": ["hour", "day", "all"],
        "dimensions": ["agent", "team"],
        "description": "Money won.",
    }


async def test_a_series_is_of_the_tenant_and_the_period() -> None:
    """Buckets by time and member; without `compare` there is no previous period."""
    figures = [
        Figure(MARCH_MS, "north", 2, 300.0, "minor"),
        Figure(MARCH_MS + DAY_MS, "north", 1, 50.0, "minor"),
    ]
    reports = MemoryReports({TWO_DAYS: figures})
    async with client(reports=reports) as api:
        answer = await api.get(
            "/metrics/won_amount",
            params={**MARCH, "grain": "day", "by": "team"},
            headers=bearer("viewer"),
        )
    assert answer.json() == {
        "metric": "won_amount",
        "unit": "minor",
        "grain": "day",
        "by": "team",
        "series": {
            "start": "2026-03-01T00:00:00Z",
            "end": "2026-03-03T00:00:00Z",
            "points": [
                {"bucket": "2026-03-01T00:00:00Z", "member": "north", "count": 2, "value": 300.0},
                {"bucket": "2026-03-02T00:00:00Z", "member": "north", "count": 1, "value": 50.0},
            ],
        },
        "previous": None,
    }


async def test_the_previous_period_is_as_long_and_ends_at_from() -> None:
    """Both are asked for, and each bucket is in one of them."""
    before = TWO_DAYS._replace(start_ms=MARCH_MS - 2 * DAY_MS, end_ms=MARCH_MS)
    reports = MemoryReports({before: [Figure(MARCH_MS - DAY_MS, "north", 1, 7.0, "minor")]})
    async with client(reports=reports) as api:
        answer = await api.get(
            "/metrics/won_amount",
            params={**MARCH, "grain": "day", "by": "team", "compare": "previous"},
            headers=bearer("viewer"),
        )
    assert reports.asked == [TWO_DAYS, before]
    previous = answer.json()["previous"]
    assert (previous["start"], previous["end"]) == ("2026-02-27T00:00:00Z", MARCH["from"])
    assert [each["value"] for each in previous["points"]] == [7.0]


async def test_the_value_of_all_time_has_no_bucket() -> None:
    """Grain `all` is what is asked for when nothing is."""
    asked = Series("acme", "open_deals", "all", "", 0, 1)
    reports = MemoryReports({asked: [Figure(0, "", 9, 9.0, "count")]})
    async with client(reports=reports) as api:
        answer = await api.get("/metrics/open_deals", headers=bearer("operator"))
    (point,) = answer.json()["series"]["points"]
    assert point == {"bucket": None, "member": "", "count": 9, "value": 9.0}


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("nonsense", {}, 404),
        ("won_amount", {"by": "planet"}, 422),
        ("won_amount", {"grain": "year"}, 422),
        ("open_deals", {"grain": "day"}, 422),
        ("won_amount", {"from": "2026-03-01T00:00:00"}, 422),
        ("won_amount", {"from": "yesterday"}, 422),
        ("won_amount", {"from": "0001-01-01T00:00:00Z"}, 422),
        ("won_amount", {"to": "9999-01-01T00:00:00Z"}, 422),
        ("won_amount", {"from": MARCH["to"], "to": MARCH["from"]}, 422),
        ("won_amount", {"grain": "day", "compare": "previous"}, 422),
        ("won_amount", {**MARCH, "compare": "previous"}, 422),
        ("won_amount", {**MARCH, "grain": "day", "compare": "next"}, 422),
    ],
)
async def test_what_cannot_be_answered_is_not_asked(
    path: str, params: dict[str, str], status: int
) -> None:
    """Refused before ClickHouse hears of it."""
    reports = MemoryReports()
    async with client(reports=reports) as api:
        answer = await api.get(f"/metrics/{path}", params=params, headers=bearer("viewer"))
    assert (answer.status_code, reports.asked) == (status, [])


async def test_too_many_points_are_refused() -> None:
    """An answer is whole or none."""
    figures = [Figure(MARCH_MS, str(n), 1, 1.0, "minor") for n in range(MAX_POINTS + 1)]
    async with client(reports=MemoryReports({TWO_DAYS: figures})) as api:
        answer = await api.get(
            "/metrics/won_amount",
            params={**MARCH, "grain": "day", "by": "team"},
            headers=bearer("viewer"),
        )
    assert answer.status_code == 422
