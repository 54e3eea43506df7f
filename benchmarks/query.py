"""Reports over a large tenant, asked as BI tools ask: the real views, over HTTP.

The rows are made by ClickHouse itself from `numbers()`: a year of one tenant's events, and the
metric buckets such a year leaves in four partitions. They arrive in ten inserts and are merged in
the background as ever; nothing is optimised by hand.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from clickhouse_connect.driver.client import Client

from benchmarks.engines import Engines
from benchmarks.figures import Latency, Section
from benchmarks.rounds import say
from benchmarks.scale import Scale
from infra.commands.connect import clickhouse

TENANT = "large"
INSERTS = 10
DAYS = 365
FIRST_DAY = "2026-01-01"
AGENTS, CONTACTS = 50, 20_000
TYPES = (
    "crm.activity.page_viewed.v1",
    "crm.activity.call_ended.v1",
    "crm.message.sent.v1",
    "crm.message.delivered.v1",
    "crm.message.opened.v1",
    "crm.conversation.replied.v1",
    "crm.task.completed.v1",
    "crm.lead.created.v1",
    "crm.deal.created.v1",
    "crm.deal.won.v1",
)
METRICS = ("deals_created", "deals_won", "deals_lost", "won_amount", "leads_created", "calls",
           "messages_sent", "messages_opened", "tasks_completed", "open_deals")  # fmt: skip
MERGED_S = 120.0
POLL_S = 0.2
SEED = 5


@dataclass(frozen=True, slots=True)
class Report:
    """One report.

    Args:
        name: For people.
        sql: With `{tenant:String}` and the parameters of `ask`.
        scans: Whether it reads every event of the tenant: no index can help it.
    """

    name: str
    sql: str
    scans: bool = False


REPORTS = (
    Report(
        "current figures (`v_metric`, grain `all`)",
        "SELECT metric, value, unit FROM crm_report.v_metric WHERE tenant = {tenant:String} "
        "AND grain = 'all' AND dimension = '' ORDER BY metric",
    ),
    Report(
        "one month by agent (`v_metric`, days)",
        "SELECT member, sum(value) FROM crm_report.v_metric WHERE tenant = {tenant:String} "
        "AND metric = 'won_amount' AND grain = 'day' AND dimension = 'agent' "
        "AND bucket >= {since:DateTime} AND bucket < {until:DateTime} GROUP BY member",
    ),
    Report(
        "a year by day (`v_metric`, days)",
        "SELECT bucket, value FROM crm_report.v_metric WHERE tenant = {tenant:String} "
        "AND metric = 'deals_won' AND grain = 'day' AND dimension = '' ORDER BY bucket",
    ),
    Report(
        "one month of one type by agent (`v_event`)",
        "SELECT agent_id, count(), sum(amount_minor) FROM crm_report.v_event "
        "WHERE tenant = {tenant:String} AND type = 'crm.deal.won.v1' "
        "AND ts >= {since:DateTime} AND ts < {until:DateTime} GROUP BY agent_id",
    ),
    Report(
        "a contact's timeline (`v_event`)",
        "SELECT ts, type, amount_minor FROM crm_report.v_event WHERE tenant = {tenant:String} "
        "AND contact_id = {contact:String} ORDER BY ts DESC LIMIT 50",
    ),
    Report(
        "every event of the year by type (`v_event`, a full scan)",
        "SELECT type, count() FROM crm_report.v_event WHERE tenant = {tenant:String} GROUP BY type",
        scans=True,
    ),
)


def _insert_events(client: Client, rows: int) -> None:
    """Insert a year of events, evenly."""
    types = ", ".join(f"'{name}'" for name in TYPES)
    per = rows // INSERTS
    for number in range(INSERTS):
        client.command(f"""
            INSERT INTO crm.fct_event (gen, tenant, event_id, event_type, ts, recorded, subject,
              contact_id, deal_id, agent_id, campaign_id, channel, amount_minor, currency, origin,
              source, actor, correlation, causation, depth, props, _partition, _offset)
            WITH {number * per} + number AS n, cityHash64(n) AS h,
              toDateTime64('{FIRST_DAY} 00:00:00', 3, 'UTC')
                + toIntervalMillisecond(intDiv(n * {DAYS * 86_400_000}, {rows})) AS at,
              concat('contact-', toString(h % {CONTACTS})) AS contact
            SELECT (SELECT argMax(gen, v) FROM crm.ops_generation), '{TENANT}', toString(h),
              [{types}][h % {len(TYPES)} + 1], at, at, concat('contact/', contact), contact,
              concat('deal-', toString(intDiv(h, 7) % 1000000)),
              concat('agent-', toString(intDiv(h, 11) % {AGENTS})), '', 'email', h % 100000, 'USD',
              'live', 'benchmarks', '', '', '', 0, '{{"n":1}}', h % 4, n
            FROM numbers({per})
        """)  # noqa: S608 - our own numbers and names


def _insert_metrics(client: Client) -> None:
    """Insert the buckets of a year: each metric by day and of all time, in total and by agent."""
    metrics = ", ".join(f"'{name}'" for name in METRICS)
    members = AGENTS + 1
    for grain, buckets in (("day", DAYS), ("all", 1)):
        first = FIRST_DAY if grain == "day" else "1970-01-01"
        client.command(f"""
            INSERT INTO crm.agg_metric (gen, tenant, metric, grain, bucket, dimension, member,
              count, sum, min, max, sketch, _partition, _offset)
            WITH number % {members} AS who, intDiv(number, {members}) AS rest
            SELECT (SELECT argMax(gen, v) FROM crm.ops_generation), '{TENANT}',
              [{metrics}][rest % {len(METRICS)} + 1], '{grain}',
              toDateTime64('{first} 00:00:00', 3, 'UTC')
                + toIntervalDay(intDiv(rest, {len(METRICS) * 4})),
              if(who = 0, '', 'agent'), if(who = 0, '', concat('agent-', toString(who - 1))),
              10, number % 100000, 1, 1000, [], intDiv(rest, {len(METRICS)}) % 4, number
            FROM numbers({members * len(METRICS) * 4 * buckets})
        """)  # noqa: S608 - our own numbers and names


def fill(client: Client, rows: int) -> None:
    """Make the tenant, and wait until background merges have nothing to do.

    Args:
        client: May write to `crm`.
        rows: Events.
    """
    _insert_events(client, rows)
    _insert_metrics(client)
    deadline = time.monotonic() + MERGED_S
    while client.command("SELECT count() FROM system.merges") and time.monotonic() < deadline:
        time.sleep(POLL_S)


def asker(client: Client, report: Report) -> Callable[[Random], float]:
    """Return a function that asks once, with other parameters each time, and returns ms."""

    def ask(chance: Random) -> float:
        month = chance.randrange(1, 12)
        parameters = {
            "tenant": TENANT,
            "since": f"2026-{month:02d}-01 00:00:00",
            "until": f"2026-{month + 1:02d}-01 00:00:00",
            "contact": f"contact-{chance.randrange(CONTACTS)}",
        }
        began = time.perf_counter()
        rows = client.query(report.sql, parameters=parameters).result_rows
        taken_ms = (time.perf_counter() - began) * 1000
        if not rows:
            raise RuntimeError(f"{report.name}: no rows")
        return taken_ms

    return ask


def ask_all(client: Client, rounds: int) -> tuple[Latency, ...]:
    """Ask every report in turn, round by round."""
    chance = Random(SEED)  # noqa: S311 - parameters of reports
    askers = {report.name: asker(client, report) for report in REPORTS}
    for ask in askers.values():
        ask(chance)
    taken: dict[str, list[float]] = {name: [] for name in askers}
    for _ in range(rounds):
        for name, ask in askers.items():
            taken[name].append(ask(chance))
    return tuple(Latency.of(name, values) for name, values in taken.items())


def measure(engines: Engines, scale: Scale, _start_ms: int) -> Section:
    """Measure reports.

    Args:
        engines: ClickHouse is emptied before and after.
        scale: How much.
    """
    engines.empty_clickhouse()
    with clickhouse(engines.settings) as client:
        fill(client, scale.facts)
        found = ask_all(client, scale.report_rounds)
        buckets = client.command("SELECT count() FROM crm.agg_metric")
    engines.empty_clickhouse()
    for latency in found:
        say(f"  {latency.where}: p95 {latency.p95:.0f} ms")
    indexed = [
        latency.p95 for latency, report in zip(found, REPORTS, strict=True) if not report.scans
    ]
    return Section(
        name="query",
        title="Reports",
        unit="reports",
        notes=(
            (
                f"{scale.facts:,} events of one tenant in a year, and {int(str(buckets)):,} metric "
                f"buckets. Each report is asked {scale.report_rounds} times over HTTP, in turn "
                "with the others, with another month or contact each time; caches are as they are."
            ),
        ),
        latencies=found,
        measures={"p95_ms": max(indexed)},
    )
