"""Health of a sink: progress, not presence."""

import json
import urllib.error
import urllib.request

import pytest

from sinks.health import Health, Progress, serve
from sinks.telemetry import CATALOGUE, DONE, ROWS, Telemetry


def test_consumer_that_stands_still_with_a_lag_is_unhealthy() -> None:
    """A living process proves nothing: its position must move, or there is nothing to do."""
    progress = Progress(60.0, now=0.0)
    assert progress.healthy((1,), lag=5, now=10.0)
    assert progress.healthy((1,), lag=5, now=70.0)
    assert not progress.healthy((1,), lag=5, now=70.1)
    assert progress.healthy((2,), lag=5, now=71.0)
    assert progress.healthy((2,), lag=0, now=999.0)


@pytest.mark.parametrize(("healthy", "status"), [(True, 200), (False, 503)])
def test_probe_answers_with_status_and_detail(healthy: bool, status: int) -> None:  # noqa: FBT001
    """`/health` is for machines by status and for people by its JSON; `/metrics` is beside it."""
    telemetry = Telemetry((ROWS, DONE))
    telemetry.count(ROWS, 3, table="t")
    server = serve("127.0.0.1", free(), telemetry.registry, lambda: Health(healthy, {"lag": 7}))
    assert server is not None
    root = f"http://127.0.0.1:{server.server_port}"
    try:
        code, body = get(f"{root}/health")
        assert (code, json.loads(body)) == (status, {"lag": 7})
        assert b'daybook_sinks_rows_total{table="t"} 3.0' in get(f"{root}/metrics")[1]
        assert get(f"{root}/else")[0] == 404
    finally:
        server.shutdown()
        server.server_close()


def free() -> int:
    """Return a free port."""
    from infra.embedded.ports import free_port

    return free_port()


def get(url: str) -> tuple[int, bytes]:
    """Return status and body."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_port_zero_serves_nothing() -> None:
    """Probes are optional."""
    assert serve("127.0.0.1", 0, Telemetry(()).registry, lambda: Health(True, {})) is None


def test_metric_names_follow_the_rule() -> None:
    """Names say package and unit, and every one has a meaning for the docs."""
    assert all(spec.name.startswith("daybook_sinks_") for spec in CATALOGUE)
    assert all(spec.meaning.endswith(".") for spec in CATALOGUE)
    assert len({spec.name for spec in CATALOGUE}) == len(CATALOGUE)
