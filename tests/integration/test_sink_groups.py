"""Which sink owns which lane, when all of them die in the middle of a rebalance."""

from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from tests.integration.conftest import PARTITIONS
from tests.integration.running import wait_for
from tests.integration.sink_support import (
    Log,
    Process,
    assert_exact,
    caught_up,
    generations,
    settled,
    sink,
)

pytestmark = pytest.mark.integration
LANES = 3 * PARTITIONS
"""Journal, effects and metrics."""


def _owned(process: Process) -> set[tuple[str, int]]:
    health = process.health()
    lanes = health["partitions"] if health else []
    return {(lane["topic"], lane["partition"]) for lane in lanes}


def test_every_lane_is_owned_after_all_died_in_a_rebalance(
    tmp_path: Path, kafka: str, clickhouse_url: str, client: Client, app: str
) -> None:
    """Deaths between giving lanes back and getting others leave none without an owner.

    The broker gives a static member that returns in time what it had in the last generation of
    the group. That must be all there is, not the first half of a rebalance.
    """
    generation = next(generations)
    log = Log(kafka, generation)
    config: dict[str, Any] = {"generation": generation}
    first = sink(tmp_path, kafka, clickhouse_url, app, **config)
    second = sink(tmp_path, kafka, clickhouse_url, app, **config, instance="sink-1")
    first.faults = {"at": {"point": "revoked", "signal_name": "SIGKILL"}}
    # Both are back before the group misses them, however slow the machine is.
    first.session_ms = second.session_ms = 60_000
    with first:
        wait_for(lambda: len(_owned(first)) == LANES, "the first owns all")
        with second:
            assert first.wait_exit() == -9
        first.without_faults()
        with second:
            wait_for(lambda: len(_owned(first) | _owned(second)) == LANES, "an owner for each")
            log.journal(1_000)
            log.derived(30)
            wait_for(lambda: caught_up(client, generation, log), "everything arrived")
            wait_for(lambda: settled(client, generation), "ledgers closed")
    assert_exact(client, generation, log)
