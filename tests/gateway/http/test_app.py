"""What holds for every route: tokens, problems, headers, origins, limits, the document."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI

from gateway.http.access import PERMISSIONS
from gateway.http.app import create_app
from gateway.http.events import EXAMPLE
from gateway.protocol.permissions import ROLES
from schemas.cloudevents import STRUCTURED, read
from tests.gateway.http.world import NOW_MS, ORIGIN, MemoryLog, bearer, client, config, ports, token

OPEN = {"/api/v1/health"}


def app() -> FastAPI:
    """Return an app."""
    return create_app(config(), ports())


async def test_health_needs_no_token() -> None:
    """A balancer has none."""
    async with client() as api:
        answer = await api.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_me_says_what_the_token_says() -> None:
    """Tenant, user, roles, and what those permit."""
    async with client() as api:
        answer = await api.get("/me", headers=bearer("admin", "strange"))
    assert answer.json() == {
        "tenant": "acme",
        "user": "anna",
        "roles": ["admin", "strange"],
        "permissions": sorted(name for name, roles in PERMISSIONS.items() if "admin" in roles),
        "expires_ms": NOW_MS + 3_600_000,
    }


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "no_token"),
        ({"authorization": "Basic YTpi"}, "no_token"),
        ({"authorization": "Bearer nonsense"}, "invalid_token"),
        ({"authorization": f"Bearer {token('admin', now_ms=NOW_MS - 4_000_000)}"}, "token_expired"),
    ],
)
async def test_without_a_good_token_nothing_is_said(headers: dict[str, str], reason: str) -> None:
    """401 with a challenge, as RFC 6750 has it."""
    async with client() as api:
        answer = await api.get("/me", headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (401, reason)
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_role_nobody_knows_permits_nothing() -> None:
    """Roles of an identity provider that aren't ours."""
    async with client() as api:
        answer = await api.get("/me", headers=bearer("root"))
    assert (answer.status_code, answer.json()["reason"]) == (403, "permission_denied")


def test_every_permission_is_of_roles_there_are() -> None:
    """A misspelt role would lock everybody out."""
    assert all(roles and roles <= ROLES.keys() for roles in PERMISSIONS.values())


async def test_every_route_but_health_wants_a_token() -> None:
    """No operation was added without `allowed`."""
    async with client() as api:
        for path, operations in app().openapi()["paths"].items():
            for method in operations:
                given = path.removeprefix("/api/v1").replace("{", "").replace("}", "")
                answer = await api.request(method, given)
                assert (answer.status_code == 401) is (path not in OPEN), (method, path)


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/me/", 404, "not_found"),
        ("DELETE", "/me", 405, "method_not_allowed"),
    ],
)
async def test_what_is_not_there_is_a_problem(
    method: str, path: str, status: int, reason: str
) -> None:
    """The router's refusals have the same form as ours, and the same headers."""
    async with client() as api:
        answer = await api.request(method, path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    said = answer.json()
    assert (answer.status_code, said["status"], said["reason"]) == (status, status, reason)


async def test_a_bug_is_a_problem_that_says_nothing_about_itself() -> None:
    """The message of an exception goes to the log only."""
    log = MemoryLog(broken=RuntimeError("password=1"))
    async with client(log) as api:
        headers = {**bearer("admin"), "content-type": STRUCTURED}
        answer = await api.post("/events", json=EXAMPLE, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (500, "internal")
    assert "password" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_only_listed_origins_may_read_answers() -> None:
    """Exactly, and without credentials of the browser."""
    asked = {"access-control-request-method": "POST"}
    async with client() as api:
        good = await api.options("/events", headers={**asked, "origin": ORIGIN})
        bad = await api.options("/events", headers={**asked, "origin": f"{ORIGIN}.evil.com"})
        plain = await api.get("/health", headers={"origin": "https://evil.com"})
    assert good.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in good.headers
    assert "access-control-allow-origin" not in bad.headers
    assert "access-control-allow-origin" not in plain.headers


async def test_a_body_that_grows_beyond_the_limit_is_stopped() -> None:
    """A chunked body announces no size."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b" " * 1_000

    async with client() as api:
        headers = {**bearer("admin"), "content-type": STRUCTURED}
        answer = await api.post("/events", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


def test_the_document_describes_problems_as_such() -> None:
    """Every refusal has the media type it comes with, and no operation lacks a description."""
    document: dict[str, Any] = app().openapi()
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["description"]
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"]


def test_the_example_of_the_document_is_an_event() -> None:
    """What readers copy is taken."""
    example = app().openapi()["paths"]["/api/v1/events"]["post"]["requestBody"]["content"]
    value = json.dumps(example[STRUCTURED]["example"]).encode()
    headers = [("content-type", STRUCTURED.encode())]
    assert read(headers, value, now_ms=NOW_MS).type == "crm.deal.won.v1"
