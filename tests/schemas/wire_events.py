"""Builders of CloudEvents as they arrive, good ones and damaged ones."""

import json

import pytest

from schemas.cloudevents import Received, read
from schemas.errors import REASONS, InvalidEvent

NOW_MS = 1_767_225_600_000
Headers = list[tuple[str, bytes]]


def binary(**changes: str | None) -> Headers:
    """Return the headers of a good event; a change of None leaves one out."""
    attributes: dict[str, str | None] = {
        "ce_specversion": "1.0",
        "ce_id": "e-1",
        "ce_source": "crm/eu",
        "ce_type": "crm.deal.won.v1",
        "ce_tenantid": "acme",
        "ce_time": "2026-01-01T00:00:00Z",
        "content-type": "application/json",
    }
    attributes |= changes
    return [(key, text.encode()) for key, text in attributes.items() if text is not None]


def members(**changes: object) -> dict[str, object]:
    """Return the members of a good structured event."""
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "crm/eu",
        "type": "crm.deal.won.v1",
        "tenantid": "acme",
        "time": "2026-01-01T00:00:00Z",
        "data": {"deal_id": "d-1", "amount_minor": 100, "currency": "EUR"},
    } | changes


def read_now(headers: Headers, value: object) -> Received:
    """Read a record at `NOW_MS`; what isn't bytes is written as JSON first."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read(headers, raw, now_ms=NOW_MS)


def refused_as(headers: Headers, value: object) -> tuple[str, str]:
    """Return reason and path of a record that must be refused."""
    with pytest.raises(InvalidEvent) as caught:
        read_now(headers, value)
    assert caught.value.reason in REASONS
    assert caught.value.detail
    return caught.value.reason, caught.value.path
