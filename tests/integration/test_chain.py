"""The main job on real input, through every process, undisturbed and with each of them killed."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.commands.log_reader import ends
from infra.commands.settling import settle
from infra.embedded.running import RunningStack
from infra.settings import Settings, load
from schemas.topics import JOURNAL
from streams.domain.metrics.quantiles import quantile
from tests.integration.chain_figures import Bucket, Figures, Logs, Places

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

CACHE = Path.home() / ".cache" / "daybook"
DAY_MS = 86_400_000
MARCH_MS, APRIL_MS = 1_488_326_400_000, 1_491_004_800_000
DOLLAR = 100
CALM = "calm"
EVENTS = 23_938
"""85 accounts, 7 products and 35 agents; 8,800 creations, 8,300 engagements, 6,711 outcomes."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole stack, as `daybook dev up` runs it."""
    with RunningStack.start(tmp_path_factory.mktemp("chain"), cache=CACHE) as running:
        yield running


@pytest.fixture(scope="module")
def settings(stack: RunningStack) -> Settings:
    """Settings that point at the stack."""
    return load(data=stack.directory.root)


def import_pipeline(stack: RunningStack, tenant: str) -> "subprocess.Popen[str]":
    """Start `daybook import b2b-pipeline` for a tenant of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "infra.cli", "import", "b2b-pipeline", "--tenant", tenant, "--json"],
        env={**os.environ, "DAYBOOK_DATA": str(stack.directory.root)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(process: "subprocess.Popen[str]", timeout_s: float = 150) -> dict[str, Any]:
    """Wait for an import and return what it says."""
    out, error = process.communicate(timeout=timeout_s)
    assert process.returncode == 0, error
    said: dict[str, Any] = json.loads(out)
    return said


def journal_length(settings: Settings) -> int:
    """Return how many entries the journal has."""
    return sum(high for _, high in ends(settings, JOURNAL).values())


def until(true: Callable[[], bool], what: str, timeout_s: float = 90) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(0.1)


def check_totals(figures: Figures) -> None:
    """Compare with what is known of the data, independently of Daybook."""

    def total(metric: str, dimension: str = "", member: str = "") -> int:
        return figures[Bucket(metric, "all", 0, dimension, member)].sum

    def march(metric: str) -> int:
        return sum(
            value.sum
            for (name, grain, at, by, _), value in figures.items()
            if (name, grain, by) == (metric, "day", "") and MARCH_MS <= at < APRIL_MS
        )

    assert total("deals_created") == 8_800
    assert (total("deals_won"), total("deals_lost")) == (4_238, 2_473)
    assert total("won_amount") == 10_005_534 * DOLLAR
    assert total("open_deals") == 2_089
    by_stage = {
        bucket.member.lower(): value.sum
        for bucket, value in figures.items()
        if (bucket.metric, bucket.grain, bucket.dimension) == ("open_deals", "all", "stage")
        and value.sum
    }
    assert by_stage == {"engaging": 1_589, "prospecting": 500}
    for region, dollars in (("Central", 3_346_293), ("West", 3_568_647), ("East", 3_090_594)):
        assert total("won_amount", "region", region) == dollars * DOLLAR
    assert (march("deals_won"), march("won_amount")) == (531, 1_134_672 * DOLLAR)
    assert march("deals_won") + march("deals_lost") == 647
    for outcome, mean, median in (("won", 51.78, 57), ("lost", 41.48, 14)):
        cycle = figures[Bucket("sales_cycle", "all", 0, "outcome", outcome)]
        assert round(cycle.sum / cycle.count / DAY_MS, 2) == mean
        sketched = quantile(cycle.sketch, 0.5)
        assert sketched is not None
        assert abs(sketched / DAY_MS - median) <= 0.01 * median + 1e-9


def check_clickhouse_facts(places: Places) -> None:
    """One row per event, and exact medians where facts are."""
    ((rows, distinct),) = places.clickhouse(
        "SELECT count(), uniqExact(_partition, _offset) FROM crm.fct_event "
        "WHERE tenant = {tenant:String}"
    )
    assert rows == distinct
    ((shown, identities),) = places.clickhouse(
        "SELECT count(), uniqExact(source, event_id) FROM crm_report.v_event "
        "WHERE tenant = {tenant:String}"
    )
    assert shown == identities == EVENTS
    medians = places.clickhouse(
        "SELECT outcome, round(quantileExact(0.5)(seconds) / 86400, 2), "
        "round(avg(seconds) / 86400, 2) FROM crm_report.v_sales_cycle "
        "WHERE tenant = {tenant:String} GROUP BY outcome ORDER BY outcome"
    )
    assert medians == [("lost", 14, 41.48), ("won", 57, 51.78)]
    assert places.clickhouse(
        "SELECT value FROM crm_report.v_metric WHERE tenant = {tenant:String} "
        "AND metric = 'won_amount' AND grain = 'all' AND dimension = ''"
    ) == [(10_005_534 * DOLLAR,)]


def check_stores(places: Places) -> Figures:
    """Wait until both stores have passed the journal's end; compare them, and what is known."""
    settle(places.settings)
    figures = places.in_valkey()
    assert places.in_clickhouse() == figures
    check_totals(figures)
    check_clickhouse_facts(places)
    return figures


@pytest.fixture(scope="module")
def calm(stack: RunningStack, settings: Settings) -> Figures:
    """The figures of an import that nothing disturbed; Valkey's, equal in ClickHouse."""
    finished(import_pipeline(stack, CALM))
    return check_stores(Places(settings, CALM))


def additive(figures: Figures) -> dict[Bucket, tuple[int, int, tuple[int, ...]]]:
    """Return what doesn't depend on how deals are spread over partitions.

    Where observations are taken back, minimum and maximum do: they are kept until a partition's
    bucket is empty.
    """
    return {at: (value.count, value.sum, value.sketch) for at, value in figures.items()}


def test_totals_are_equal_everywhere(settings: Settings, calm: Figures) -> None:
    """8,800 deals through Kafka: Faust tables, Valkey, ClickHouse and an offline fold agree."""
    logs = Logs(settings)
    assert logs.in_tables()[CALM] == calm
    assert logs.in_offline_fold()[CALM] == calm


@pytest.mark.parametrize("victim", ["worker", "sink", "live", "ingest", "clickhouse", "kafka"])
def test_killed_process_changes_no_figure(
    stack: RunningStack, settings: Settings, calm: Figures, victim: str
) -> None:
    """SIGKILL in the middle of the import: restarted, and every figure is what it would be."""
    tenant = f"killed-{victim}"
    before, restarts = journal_length(settings), stack.process(victim).restarts
    importing = import_pipeline(stack, tenant)
    until(lambda: journal_length(settings) > before + 5_000, "the import to be half way")
    stack.kill(victim)
    stack.wait_healthy(victim)
    assert stack.process(victim).restarts > restarts
    finished(importing)
    assert additive(check_stores(Places(settings, tenant))) == additive(calm)


def test_import_repeated_changes_nothing(
    stack: RunningStack, settings: Settings, calm: Figures
) -> None:
    """The same events again are duplicates, whatever was killed meanwhile."""
    finished(import_pipeline(stack, CALM))
    assert check_stores(Places(settings, CALM)) == calm


def test_tables_have_the_same_figures_for_every_tenant(settings: Settings, calm: Figures) -> None:
    """After all of the above: whatever was killed during a tenant's import."""
    for tenant, figures in Logs(settings).in_tables().items():
        assert additive(figures) == additive(calm), tenant


@pytest.mark.usefixtures("calm")
def test_no_derived_record_is_doubled_or_missing(settings: Settings) -> None:
    """After all of the above: effects are numbered densely, no metric value repeats."""
    assert not Logs(settings).repeats()
