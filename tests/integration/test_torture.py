"""A short torture: every kind of process dies, the engines too, and everything is equal.

The long one is `make torture`; see docs/reliability.md.
"""

from pathlib import Path

import pytest

from tests.exactness.faults import Fault
from tests.exactness.run import Order, Torture

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

CACHE = Path.home() / ".cache" / "daybook"
PROCESSES = ("worker-0", "worker-1", "sink-0", "live-0", "ingest-0")
PLAN = (
    Fault(2, "kill-writing", "worker-0", 0.004),
    Fault(4, "kill", "sink-0"),
    Fault(5, "kill-starting", "ingest-0", 0.8),
    Fault(7, "freeze-writing", "worker-1", for_s=9),
    Fault(9, "kill", "live-0"),
    Fault(11, "kill", "clickhouse"),
    Fault(17, "kill", "kafka"),
    Fault(23, "kill", "valkey"),
    Fault(24, "kill-writing", "sink-0", 0.002),
    Fault(25, "clock", "all", -600, for_s=3),
    Fault(26, "kill-starting", "worker-0", 0.3),
)


def test_everything_is_equal_whatever_was_killed(tmp_path: Path) -> None:
    """Logs, tables, ClickHouse and Valkey are what an offline fold of the journal says."""
    said: list[str] = []
    order = Order(5, 5_000, 28, PLAN, tmp_path / "data", CACHE, PROCESSES)
    try:
        report = Torture(order, said.append).run()
    except BaseException:
        print("\n".join(said))  # noqa: T201 - where it stood still
        raise
    assert report["differences"] == []
    assert report["unexpected_ends"] == []
    assert report["equal"]
    assert sum(report["faults"].values()) == len(PLAN)
    for what in ("effects", "rows of tables", "rows of fct_event", "values in Valkey"):
        assert report["compared"][what] > 1_000, what
