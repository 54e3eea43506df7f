"""`/health` and `/metrics`."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from streams.runtime.health import Health, StatusServer
from streams.runtime.telemetry import APPLIED, INSTRUMENTS, PREFIX, Telemetry


def get(url: str) -> Any:
    """Return the open answer."""
    return urllib.request.urlopen(url, timeout=5)  # noqa: S310 - our own server


class Process:
    """Something that changes its health."""

    health = Health("starting")


@pytest.fixture
def served() -> Iterator[tuple[Process, str, Telemetry]]:
    """A process, the address it is served at, its metrics."""
    process, telemetry = Process(), Telemetry()
    server = StatusServer("127.0.0.1", 0, health=lambda: process.health, telemetry=telemetry)
    yield process, f"http://127.0.0.1:{server.port}", telemetry
    server.close()


def test_health_is_503_until_running(served: tuple[Process, str, Telemetry]) -> None:
    """A process that starts, opens or stalls is not healthy; one that runs or stands by is."""
    process, url, _ = served
    for state in ("starting", "opening", "stalled"):
        process.health = Health(state)
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(url + "/health")
        assert refused.value.code == 503
        assert json.load(refused.value)["state"] == state
    for state in ("running", "standby"):
        process.health = Health(state, {"journal.v1:0": {"applied": 4, "lag": 0}})
        with get(url + "/health") as answer:
            assert json.load(answer)["partitions"]["journal.v1:0"]["applied"] == 4


def test_metrics_are_in_the_text_format(served: tuple[Process, str, Telemetry]) -> None:
    """A gauge that was set is served with its labels."""
    _, url, telemetry = served
    telemetry.set(APPLIED, 42, 3)
    with get(url + "/metrics") as answer:
        text = answer.read().decode()
    assert 'daybook_streams_applied_offset{partition="3"} 42.0' in text
    assert all(PREFIX + each.name.removesuffix("_total") in text for each in INSTRUMENTS)


def test_other_paths_are_not_found(served: tuple[Process, str, Telemetry]) -> None:
    """Nothing else is served, tables least of all."""
    _, url, _ = served
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(url + "/tables")


def test_names_end_in_their_unit() -> None:
    """A metric's name tells its unit, and no name is used twice."""
    names = [each.name for each in INSTRUMENTS]
    assert len(set(names)) == len(names)
    for each in INSTRUMENTS:
        assert each.unit in each.name, each.name
