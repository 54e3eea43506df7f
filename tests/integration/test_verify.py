"""Reconciliation and time travel on a running stack: what was tampered with is found and named."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from infra.commands.connect import clickhouse
from infra.commands.log_reader import read
from infra.commands.metrics_as_of import known_then
from infra.commands.settling import settle
from infra.embedded.ports import free_port
from infra.embedded.running import RunningStack
from infra.offline.journal import Journal
from infra.offline.reaching import quiet
from infra.settings import Settings, load
from infra.verification.comparing import CLICKHOUSE, TABLE, VALKEY, Scope
from infra.verification.findings import Finding
from infra.verification.service import Service
from infra.verification.tally import EFFECTS, EVENTS
from infra.verification.verifying import reconcile
from schemas.codec import decode_partial, decode_verification, encode_partial
from schemas.topics import VERIFICATION
from schemas.verification import DIFFERENT, EQUAL, UNAVAILABLE
from sinks.live.read import read_hash
from sinks.mapping.valkey import hash_key
from tests.integration.running import wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

CACHE = Path.home() / ".cache" / "daybook"
DEALS = 2


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a running stack."""
    with RunningStack.start(tmp_path_factory.mktemp("verify"), cache=CACHE) as running:
        yield load(data=running.directory.root)


def daybook(settings: Settings, *arguments: str, given: str | None = None) -> str:
    """Run a command against the stack and return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments],
        env={**os.environ, "DAYBOOK_DATA": str(settings.data)},
        input=given, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def win_deals(settings: Settings, tenant: str, *numbers: int) -> None:
    """Publish one won deal per number and wait until every view has it."""
    events = [
        {
            "specversion": "1.0", "id": f"e-{number}", "source": "test",
            "type": "crm.deal.won.v1", "tenantid": tenant, "time": "2026-01-01T00:00:00Z",
            "data": {"deal_id": f"d-{number}", "amount_minor": 250, "currency": "USD"},
        }
        for number in numbers
    ]  # fmt: skip
    daybook(settings, "emit", "-", given="\n".join(map(json.dumps, events)))
    wait_for(lambda: found_in_journal(settings, tenant) >= len(numbers), "ingest has them")
    settle(settings)


def found_in_journal(settings: Settings, tenant: str) -> int:
    """Return how many events of a tenant the journal holds."""
    return sum((record.key or b"").startswith(f"{tenant}|".encode()) for record in
               read(settings, "journal.v1"))  # fmt: skip


def has_bucket(settings: Settings, tenant: str, metric: str) -> bool:
    """Tell whether Valkey holds the all-time bucket of a metric."""
    with redis.Redis.from_url(settings.valkey_url) as client:
        return bool(read_hash(client, hash_key(1, tenant, metric, "all", "")))


def change_valkey(settings: Settings, tenant: str) -> None:
    """Alter one field."""
    with redis.Redis.from_url(settings.valkey_url) as client:
        key = hash_key(1, tenant, "won_amount", "all", "")
        field, value = next(iter(read_hash(client, key).items()))
        client.hset(key, field, encode_partial(decode_partial(value)._replace(sum=2)))


def change_clickhouse(settings: Settings, tenant: str) -> None:
    """Add a row that looks newer than the newest of one bucket."""
    run_sql(
        settings,
        tenant,
        "INSERT INTO crm.agg_metric SELECT * REPLACE (sum + 1 AS sum, _offset + 1 AS _offset) "
        "FROM crm.agg_metric FINAL WHERE tenant = {tenant:String} AND metric = 'won_amount' "
        "AND grain = 'all' AND dimension = ''",
    )


def delete_from(table: str) -> Callable[[Settings, str], None]:
    """Return a function that deletes a tenant's rows of its last deal."""
    where = {"crm.fct_effect": "entity = 'd-2'", "crm.fct_event": "deal_id = 'd-2'"}[table]

    def delete(settings: Settings, tenant: str) -> None:
        run_sql(
            settings,
            tenant,
            f"ALTER TABLE {table} DELETE WHERE tenant = {{tenant:String}} AND {where} "
            "SETTINGS mutations_sync = 2",
        )

    return delete


def run_sql(settings: Settings, tenant: str, sql: str) -> None:
    """Run a statement about a tenant."""
    with clickhouse(settings) as client:
        client.command(sql, parameters={"tenant": tenant})


def verified(settings: Settings, tenant: str) -> list[Finding]:
    """Reconcile one tenant and return what differs."""
    return reconcile(settings, Scope(tenant), quiet).result.findings


@pytest.mark.parametrize(
    ("tamper", "view", "what", "behind"),
    [
        (change_valkey, VALKEY, "metric", None),
        (change_clickhouse, CLICKHOUSE, "metric", None),
        (delete_from("crm.fct_effect"), CLICKHOUSE, EFFECTS, {"e-2"}),
        (delete_from("crm.fct_event"), CLICKHOUSE, EVENTS, {"e-2"}),
    ],
    ids=["valkey-field", "clickhouse-row", "deleted-fact", "deleted-event"],
)
def test_what_was_tampered_with_is_named_with_its_entries(
    settings: Settings,
    tamper: Callable[[Settings, str], None],
    view: str,
    what: str,
    behind: set[str] | None,
) -> None:
    """Equal before; afterwards that bucket or row differs, in that view only."""
    tenant = f"{view.lower()}-{what}"
    win_deals(settings, tenant, 1, DEALS)
    assert verified(settings, tenant) == []
    tamper(settings, tenant)
    found = verified(settings, tenant)
    assert {(each.view, each.what, each.tenant) for each in found} == {(view, what, tenant)}
    named = {entry.id for each in found for entry in each.entries}
    if behind is None:
        assert all(each.name.startswith("won_amount all 0 total") for each in found)
        assert named
        assert named <= {"e-1", "e-2"}
    else:
        assert named == behind
        assert all(each.stored is None for each in found)


def test_a_run_under_traffic_is_equal_and_the_next_goes_on_from_it(settings: Settings) -> None:
    """Every view agrees while events keep coming; the second run folds what is new only."""
    with subprocess.Popen(
        [sys.executable, "-m", "infra.cli", "simulate", "--rate", "50", "--seed", "7"],
        env={**os.environ, "DAYBOOK_DATA": str(settings.data)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as traffic:  # fmt: skip
        try:
            # Its first events are reference data, of which no bucket is made.
            wait_for(
                lambda: has_bucket(settings, "nordlicht", "leads_created"), "leads are counted"
            )
            first = reconcile(settings, Scope("nordlicht"), quiet)
            second = reconcile(settings, Scope("nordlicht"), quiet)
        finally:
            traffic.send_signal(signal.SIGINT)
        assert traffic.wait(60) == 130
    for each in (first, second):
        assert each.result.findings == []
        assert each.result.parts > 0
        assert each.result.rows > 0
        assert each.result.sums[TABLE] == each.result.sums[VALKEY]
    assert second.result.begun_at == first.result.cuts
    assert second.result.rows >= first.result.rows


def test_what_was_known_then_is_shown_by_offset_and_by_time(settings: Settings) -> None:
    """Before the first deal nothing, between the two one, at the end both."""
    tenant = "as-of"
    points = []
    for number in (1, 2):
        with Journal(settings) as journal:
            ends = {partition: end for partition, (_, end) in journal.bounds().items()}
        points.append(",".join(f"{partition}:{end}" for partition, end in ends.items()))
        win_deals(settings, tenant, number)
    amounts = []
    for point in (*points, "2100-01-01"):
        known = known_then(settings, point, tenant, {"deals_won"}, ("all", ""), quiet)
        buckets = known.buckets.get(tenant, {}).get("deals_won", {})
        amounts.append(buckets[0, ""].sum if buckets else 0)
    assert amounts == [0, 1, 2]


def test_the_service_records_and_shows_each_outcome(settings: Settings) -> None:
    """Equal, different, unavailable: each is a record, a metric, and no reason to end."""
    tenant, port = "served", free_port()
    win_deals(settings, tenant, 1, DEALS)
    served = settings.model_copy(update={"metrics_port": port})
    service = Service(served, Scope(tenant), 3_600.0)
    service.listen()
    assert service.once().outcome == EQUAL
    change_valkey(settings, tenant)
    different = service.once()
    assert (different.outcome, different.differences) == (DIFFERENT, 1)
    assert json.loads(different.findings[0])["entries"]
    away = served.model_copy(update={"clickhouse_url": "http://x:y@127.0.0.1:9"})
    assert Service(away, Scope(tenant), 3_600.0).once().outcome == UNAVAILABLE
    records = [decode_verification(each.value or b"") for each in read(settings, VERIFICATION)]
    outcomes = [each.outcome for each in records if each.scope == tenant]
    assert outcomes == [EQUAL, DIFFERENT, UNAVAILABLE]
    shown = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    assert 'daybook_verify_runs_total{outcome="different"} 1.0' in shown
    assert "daybook_verify_differences 1.0" in shown
