"""A contact's timeline: newest first, every event on one page, nobody else's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http import cursors
from gateway.http.ports import Happening, Place
from tests.gateway.http.world import MemoryReports, bearer, client


def happening(ts_ms: int, id_: str) -> Happening:
    """Return an event."""
    place = Place(ts_ms, id_, "crm")
    return Happening(place, "crm.deal.won.v1", "contact/42", "user/7", "live", '{"deal_id":"d-1"}')


EVENTS = [happening(1_000, "a"), happening(3_000, "c"), happening(1_000, "b"), happening(1_000, "")]


def reports() -> MemoryReports:
    """Return reports with the events, and some of others."""
    others = [("other", "42", happening(2_000, "x")), ("acme", "43", happening(2_000, "y"))]
    return MemoryReports(happenings=[*(("acme", "42", each) for each in EVENTS), *others])


async def test_an_event_is_shown_with_its_fields() -> None:
    """Times are UTC, fields are JSON."""
    async with client(reports=reports()) as api:
        answer = await api.get("/contacts/42/timeline?limit=1", headers=bearer("agent"))
    assert answer.json()["events"] == [
        {
            "id": "c",
            "source": "crm",
            "type": "crm.deal.won.v1",
            "time": "1970-01-01T00:00:03Z",
            "subject": "contact/42",
            "actor": "user/7",
            "origin": "live",
            "data": {"deal_id": "d-1"},
        }
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
async def test_pages_hold_every_event_once_newest_first(limit: int) -> None:
    """Whatever the size of the pages, also with events of the same time."""
    found, cursor = [], ""
    async with client(reports=reports()) as api:
        while True:
            params: dict[str, str | int] = {"limit": limit, "cursor": cursor}
            page = (
                await api.get("/contacts/42/timeline", params=params, headers=bearer("agent"))
            ).json()
            found += [each["id"] for each in page["events"]]
            if page["next"] is None:
                break
            cursor = page["next"]
    assert found == ["c", "b", "a", ""]


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_who_sees_figures_only_sees_no_timeline(role: str) -> None:
    """A timeline is personal data."""
    async with client(reports=reports()) as api:
        answer = await api.get("/contacts/42/timeline", headers=bearer(role))
    assert answer.status_code == 403


async def test_a_cursor_opens_nothing_of_another_tenant() -> None:
    """It says a place only."""
    cursor = cursors.write(Place(9_000, "z", "z"))
    async with client(reports=reports()) as api:
        answer = await api.get(
            f"/contacts/42/timeline?cursor={cursor}", headers=bearer("agent", tenant="other")
        )
    assert [each["id"] for each in answer.json()["events"]] == ["x"]


@pytest.mark.parametrize("cursor", ["x", "é", "e30=", "WzEsMl0=", "WzEsMiwzXQ==", "%00"])
async def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    """422, not a page from somewhere."""
    async with client(reports=reports()) as api:
        answer = await api.get(f"/contacts/42/timeline?cursor={cursor}", headers=bearer("agent"))
    assert (answer.status_code, answer.json()["reason"]) == (422, "invalid_cursor")


@given(st.integers(0, 2**62), st.text(), st.text())
def test_a_cursor_is_read_as_it_was_written(ts_ms: int, id_: str, source: str) -> None:
    """For every place there may be."""
    place = Place(ts_ms, id_, source)
    assert cursors.read(cursors.write(place)) == place
