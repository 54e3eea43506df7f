"""Records to rows: which columns, which records give none."""

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import (
    encode_effect,
    encode_entry,
    encode_event,
    encode_fact,
    encode_notify,
    encode_partial,
    encode_publication,
)
from schemas.derived.effect import Effect, Fact, Notify, Publication
from schemas.derived.metric import MetricKey, MetricPartial, published_key
from schemas.errors import CorruptLog
from schemas.events import CATALOGUE, Event
from schemas.journal import Entry, tick
from schemas.topics import EFFECT, JOURNAL, METRIC
from sinks.clickhouse.arrow import stream
from sinks.mapping.records import (
    TIME_MAX_MS,
    TIME_MIN_MS,
    Row,
    clamp_ms,
    event_row,
    json_text,
    mapper,
    newest,
)
from sinks.mapping.tables import EFFECT_TABLE, EVENT_TABLE, METRIC_TABLE, TABLES, Table


def named(table: Table, row: Row | None) -> dict[str, object]:
    """Return a row by column names."""
    assert row is not None
    return dict(zip((column.name for column in table.columns), row, strict=True))


def event(name: str, **data: object) -> Event:
    """Return a valid event."""
    return CATALOGUE[f"crm.{name}.v1"].model_validate_json(orjson.dumps(data))


def entry(given: Event, subject: str, **changes: Any) -> bytes:
    """Return a journal entry."""
    made = Entry(
        "event",
        copy=False,
        id="e1",
        type=given.TYPE,
        source="crm",
        tenant="acme",
        subject=subject,
        time_ms=1_000,
        recorded_ms=2_000,
        data=encode_event(given),
    )
    return encode_entry(made._replace(**changes))


def test_event_row_names_what_the_event_is_about() -> None:
    """Ids, money and channel become columns; the whole event is kept as JSON."""
    won = event(
        "deal.won", deal_id="d1", amount_minor=700, currency="EUR", owner_id="ada", surprise=[1]
    )
    row = named(EVENT_TABLE, event_row(entry(won, "contact/42"), 9))
    assert (row["tenant"], row["event_id"], row["event_type"]) == ("acme", "e1", "crm.deal.won.v1")
    assert (row["ts"], row["recorded"], row["_offset"]) == (1_000, 2_000, 9)
    assert (row["contact_id"], row["deal_id"], row["agent_id"]) == ("42", "d1", "ada")
    assert (row["amount_minor"], row["currency"]) == (700, "EUR")
    props = orjson.loads(str(row["props"]))
    assert props["surprise"] == [1]
    assert props["deal_id"] == "d1"


def test_lead_without_contact_is_its_own_contact() -> None:
    """A lead's id stands in as contact id: the subject says so."""
    row = named(EVENT_TABLE, event_row(entry(event("lead.created", lead_id="l1"), "contact/l1"), 0))
    assert row["contact_id"] == "l1"


def test_changed_amount_is_the_new_one() -> None:
    """`deal.amount_changed` has no `amount_minor`; its money is what the deal is worth now."""
    changed = event("deal.amount_changed", deal_id="d", from_minor=5, to_minor=9, currency="EUR")
    row = named(EVENT_TABLE, event_row(entry(changed, "deal/d"), 0))
    assert (row["amount_minor"], row["contact_id"]) == (9, "")


def test_ticks_definitions_and_copies_give_no_row() -> None:
    """The copy in the home partition of its subject alone counts as the event."""
    made = event("agent.created", agent_id="ada")
    assert event_row(encode_entry(tick(5)), 0) is None
    assert event_row(entry(made, "agent/ada", copy=True), 0) is None
    assert event_row(entry(made, "agent/ada", kind="definition"), 0) is None


def test_journal_value_that_is_no_entry_is_corrupt() -> None:
    """What we didn't write is never skipped."""
    for value in (None, b"", b"{}"):
        with pytest.raises(CorruptLog):
            event_row(value, 0)


def effect(kind: str, name: str, data: bytes, generation: int = 1) -> bytes:
    """Return an effect."""
    return encode_effect(Effect(kind, name, "id", 4, generation, "acme", "deal/d", 50, 7, 2, data))


def test_fact_is_flattened() -> None:
    """Every field of a fact is a column, so reports need no JSON."""
    fact = Fact("deal_won", "d", 10, 50, 40, 700, "EUR", 1, "s", "won", "ada", "t", "r", late=True)
    mapped = mapper(EFFECT, 1)(b"key", effect("fact", "deal_won", encode_fact(fact)), 33)
    row = named(EFFECT_TABLE, mapped)
    assert (row["seq"], row["cause_offset"], row["effect_index"], row["_offset"]) == (4, 7, 2, 33)
    assert (row["entity"], row["duration_ms"], row["outcome"], row["late"]) == (
        "d",
        40,
        "won",
        True,
    )
    assert (row["agent_id"], row["team"], row["region"]) == ("ada", "t", "r")
    assert row["body"] == ""


def test_other_effects_keep_their_data_as_json() -> None:
    """Notifications and publications are readable; what we don't know is kept byte for byte."""
    notify = encode_notify(Notify(["ada"], "Late", "text", "contact/1", "lead_sla_breached"))
    publication = encode_publication(Publication("tasks:#ada", '{"id": 1}'))
    bodies = [
        orjson.loads(str(named(EFFECT_TABLE, mapper(EFFECT, 1)(b"", value, 0))["body"]))
        for value in (
            effect("action", "notify", notify),
            effect("publication", "task", publication),
            effect("run", "step", b"\x00later"),
        )
    ]
    assert bodies[0]["to"] == ["ada"]
    assert bodies[1] == {"channel": "tasks:#ada", "json": '{"id": 1}'}
    assert base64.b64decode(bodies[2]["data"]) == b"\x00later"


def test_metric_row_keeps_the_accumulator() -> None:
    """A partial becomes a row as it is; its version is the journal offset it stands at."""
    key = MetricKey("acme", "won_amount", "day", 86_400_000, "agent", "a|b")
    value = encode_partial(MetricPartial(1, 77, 2, 30, 10, 20, [1, 2]))
    row = named(METRIC_TABLE, mapper(METRIC, 1)(published_key(1, key.text().encode()), value, 5))
    assert (row["bucket"], row["member"], row["_offset"]) == (86_400_000, "a|b", 77)
    assert (row["count"], row["sum"], row["min"], row["max"]) == (2, 30, 10, 20)
    assert row["sketch"] == [1, 2]


def test_tombstones_give_no_row() -> None:
    """An hour bucket that was closed stays in ClickHouse: it keeps history."""
    assert mapper(METRIC, 1)(b"1|a|b|hour|0||", None, 0) is None


def test_another_generations_records_give_no_row() -> None:
    """A replay writes beside the live fold; each sink takes its own."""
    fact = effect("fact", "x", encode_fact(Fact("x", "d")), generation=2)
    partial = encode_partial(MetricPartial(2, 1, 1, 1, 1, 1, []))
    assert mapper(EFFECT, 1)(b"", fact, 0) is None
    assert mapper(METRIC, 1)(b"2|a|b|day|0||", partial, 0) is None


def test_every_row_has_the_columns_of_its_table() -> None:
    """Tables and mapping agree on the number of values; keys name existing columns."""
    won = event("deal.won", deal_id="d", amount_minor=1, currency="EUR")
    records = {
        JOURNAL: (b"", entry(won, "deal/d")),
        EFFECT: (b"", effect("fact", "x", encode_fact(Fact("x", "d")))),
        METRIC: (b"1|a|b|day|0||", encode_partial(MetricPartial(1, 1, 1, 1, 1, 1, []))),
    }
    for topic, (key, value) in records.items():
        row = mapper(topic, 1)(key, value, 3)
        assert row is not None
        assert len(row) == len(TABLES[topic].columns)
        assert TABLES[topic].columns[-1].name == "_offset"


@given(st.integers(-(2**62), 2**62))
def test_any_time_fits_into_the_table(time_ms: int) -> None:
    """A nonsense year is moved to the nearest one ClickHouse can hold; others stay."""
    held = clamp_ms(time_ms)
    assert TIME_MIN_MS <= held <= TIME_MAX_MS
    assert held == time_ms or not TIME_MIN_MS <= time_ms <= TIME_MAX_MS


def test_numbers_beyond_64_bits_survive_as_json() -> None:
    """Unknown fields may hold any JSON number."""
    assert json_text({"n": 2**80}) == '{"n":1208925819614629174706176}'


@given(st.lists(st.tuples(st.integers(0, 3), st.integers())))
def test_newest_keeps_the_last_row_of_each_key(rows: list[tuple[int, int]]) -> None:
    """The result says for each key what a dictionary would."""
    assert {key: value for key, value in newest(list(rows), (0,))} == dict(rows)  # noqa: C416


OWN = st.one_of(
    st.integers(-(2**53), 2**53), st.text("abc"), st.booleans(), st.none(), st.lists(st.text("a"))
)


@given(
    st.dictionaries(
        st.sampled_from(["deal_id", "agent_id", "channel", "currency", "amount_minor", "owner_id"]),
        OWN,
    )
)
def test_upstreams_own_fields_never_stop_the_sink(extra: dict[str, object]) -> None:
    """Fields that a type doesn't name may hold anything; the row is one that can be inserted."""
    given_event = event("contact.subscription_changed", contact_id="c1", category="news",
                        state="subscribed", **extra | {"channel": "email"})  # fmt: skip
    assert stream(EVENT_TABLE, [event_row(entry(given_event, "contact/c1"), 0) or ()])
