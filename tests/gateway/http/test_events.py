"""Events by HTTP: taken when Kafka has them, refused with the place that is wrong."""

from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from gateway.http.reading import BATCH, MAX_EVENTS
from schemas.cloudevents import STRUCTURED, read
from schemas.errors import Unavailable
from tests.gateway.http.world import NOW_MS, MemoryLog, bearer, client, event


async def post(
    log: MemoryLog, document: Any, *, media: str = STRUCTURED, role: str = "admin"
) -> httpx.Response:
    """Send a document."""
    async with client(log) as api:
        headers = {**bearer(role), "content-type": media}
        if isinstance(document, bytes):
            return await api.post("/events", content=document, headers=headers)
        return await api.post("/events", json=document, headers=headers)


async def test_an_event_is_answered_with_its_place_in_kafka() -> None:
    """202 names topic, partition and offset, and the record is what ingest reads."""
    log = MemoryLog()
    answer = await post(log, event())
    assert answer.status_code == 202
    assert answer.json() == {
        "events": [
            {
                "status": 202,
                "id": "7d0b3a54",
                "source": "crm.example.com",
                "topic": "crm.deal.v1",
                "partition": 0,
                "offset": 0,
            }
        ]
    }
    (record,) = log.records
    received = read(record.headers, record.value, now_ms=NOW_MS)
    assert (received.tenant, received.id, received.type) == ("acme", "7d0b3a54", "crm.deal.won.v1")
    assert record.key == f"acme|{received.subject}".encode()


async def test_the_media_type_may_have_parameters() -> None:
    """A charset changes nothing."""
    answer = await post(MemoryLog(), event(), media=f"{STRUCTURED}; charset=UTF-8")
    assert answer.status_code == 202


async def test_a_batch_keeps_its_order() -> None:
    """Records go to Kafka in the order of the array."""
    log = MemoryLog()
    answer = await post(log, [event(id=str(n)) for n in range(MAX_EVENTS)], media=BATCH)
    assert answer.status_code == 202
    assert [each["offset"] for each in answer.json()["events"]] == list(range(MAX_EVENTS))


@pytest.mark.parametrize(
    ("changed", "status", "reason", "path"),
    [
        ({"tenantid": "other"}, 403, "foreign_tenant", "tenantid"),
        ({"type": "crm.deal.eaten.v1"}, 422, "unknown_type", "type"),
        ({"type": "crm.definition.applied.v1"}, 422, None, None),
        ({"data": {"deal_id": "d-1", "amount_minor": "much"}}, 422, None, "data.amount_minor"),
        ({"time": "2099-01-01T00:00:00Z"}, 422, "time_in_future", "time"),
        ({"data": None}, 422, "invalid_field", "data"),
        ({"id": None}, 422, None, "id"),
    ],
)
async def test_a_bad_event_is_refused_with_its_place(
    changed: dict[str, Any], status: int, reason: str | None, path: str | None
) -> None:
    """The same reasons and paths as in the dead letter topic; nothing is written."""
    log = MemoryLog()
    answer = await post(log, event(**changed))
    assert (answer.status_code, log.records) == (status, [])
    assert answer.headers["content-type"] == "application/problem+json"
    (said,) = answer.json()["events"]
    assert reason in (None, said["reason"])
    assert path in (None, said["path"])


async def test_definitions_do_not_come_in_as_events() -> None:
    """Their topic is compacted by another key, and they are checked against each other."""
    data = {
        "kind": "settings",
        "id": "default",
        "version": 1,
        "spec": {"timezone": "Europe/Berlin", "currency": "EUR"},
    }
    log = MemoryLog()
    answer = await post(log, event(type="crm.definition.applied.v1", data=data))
    assert (answer.status_code, log.records) == (422, [])
    assert answer.json()["events"][0]["path"] == "type"


async def test_the_good_events_of_a_batch_are_taken() -> None:
    """207 says of each event what became of it."""
    log = MemoryLog(lost=frozenset({1}))
    batch = [event(id="a"), event(id="b", tenantid="other"), event(id="c"), event(id="d"), 7]
    answer = await post(log, batch, media=BATCH)
    assert answer.status_code == 207
    said = [(each.get("id", ""), each["status"]) for each in answer.json()["events"]]
    assert said == [("a", 202), ("b", 403), ("c", 503), ("d", 202), ("", 422)]


async def test_what_kafka_does_not_acknowledge_is_not_taken() -> None:
    """503 and when to try again."""
    answer = await post(MemoryLog(lost=frozenset({0})), event())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_service_that_is_away_is_a_problem() -> None:
    """A port's `Unavailable` is 503, without the address it knows."""
    answer = await post(MemoryLog(broken=Unavailable("Kafka at secret:1", 2.0)), event())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("body", "media", "status", "reason"),
    [
        (b"{", STRUCTURED, 400, "not_json"),
        (b"", STRUCTURED, 400, "not_json"),
        (b"\xff", STRUCTURED, 400, "not_json"),
        (b"[]", BATCH, 400, "bad_batch"),
        (b"{}", BATCH, 400, "bad_batch"),
        (b"[" + b"1," * MAX_EVENTS + b"1]", BATCH, 400, "bad_batch"),
        (b"{}", "application/json", 415, "unsupported_content_type"),
        (b"[" * 10_000, STRUCTURED, 400, "not_json"),
        (b" " * 100_001, STRUCTURED, 413, "too_large"),
    ],
)
async def test_a_body_that_is_no_event(body: bytes, media: str, status: int, reason: str) -> None:
    """Nothing of it is written, and the answer says why."""
    log = MemoryLog()
    answer = await post(log, body, media=media)
    assert (answer.status_code, answer.json()["reason"], log.records) == (status, reason, [])


@pytest.mark.parametrize("role", ["viewer", "agent", "manager"])
async def test_people_do_not_publish_events(role: str) -> None:
    """Whoever may can say anything about the tenant."""
    log = MemoryLog()
    assert (await post(log, event(), role=role)).status_code == 403
    assert log.records == []


async def test_every_request_leaves_an_audit_line() -> None:
    """Who, for which tenant, how many; never the content."""
    with capture_logs() as lines:
        await post(MemoryLog(), [event(), event(tenantid="other")], media=BATCH)
    (line,) = [each for each in lines if each["event"] == "events_published"]
    assert line.pop("token_id")
    assert line == {
        "event": "events_published",
        "log_level": "info",
        "tenant": "acme",
        "user": "anna",
        "taken": 1,
        "refused": 1,
    }
