"""Records of every topic, decoded for people: what can't be read is shown, not hidden."""

import pytest

from infra.commands.decoding import HEAD_KEY, decode
from infra.commands.log_reader import LogRecord
from infra.commands.tail import line
from schemas import codec
from schemas.cloudevents import read, to_entry, write_binary
from schemas.derived.effect import FACT, Effect, Fact
from schemas.derived.metric import MetricKey, MetricPartial, published_key
from schemas.events import DealWon
from schemas.generation import Registry
from schemas.journal import tick
from schemas.state.rows import Head
from schemas.topics import EFFECT, GENERATION, JOURNAL, METRIC

NOW_MS = 1_767_225_600_000
WON = DealWon(deal_id="d-1", amount_minor=250, currency="EUR")
HEADERS, VALUE = write_binary(WON, id="e-1", source="test", tenant="acme", time_ms=NOW_MS)
KEY = MetricKey("acme", "deals_won", "day", NOW_MS, "agent", "a|da")
METRIC_KEY = published_key(1, KEY.text().encode())


def _record(topic: str, value: bytes | None, key: bytes | None = None) -> LogRecord:
    return LogRecord(topic, 2, 7, NOW_MS, key, value, ())


def _upstream() -> LogRecord:
    return _record("crm.deal.v1", VALUE)._replace(headers=tuple(HEADERS))


def _entry() -> LogRecord:
    received = read(HEADERS, VALUE, now_ms=NOW_MS)
    entry = to_entry(received, recorded_ms=NOW_MS, topic="crm.deal.v1", partition=1, offset=3)
    return _record(JOURNAL, codec.encode_entry(entry))


def _effect() -> LogRecord:
    fact = codec.encode_fact(Fact("deal_won", "d-1", amount_minor=250))
    effect = Effect(FACT, "deal_won", "id", 4, 1, "acme", "deal/d-1", NOW_MS, 9, 0, fact)
    return _record(EFFECT, codec.encode_effect(effect))


def _metric() -> LogRecord:
    partial = codec.encode_partial(MetricPartial(1, 40, 3, 3, 1, 1, []))
    return _record(METRIC, partial, METRIC_KEY)


@pytest.mark.parametrize("make", [_upstream, _entry], ids=["upstream", "journal"])
def test_an_event_is_shown_the_same_before_and_in_the_journal(make: object) -> None:
    """Tenant, subject, time and data are those of the event, in either topic."""
    shown = decode(make())  # type: ignore[operator]  # a function of this module
    assert (shown["tenant"], shown["id"], shown["type"]) == ("acme", "e-1", "crm.deal.won.v1")
    assert (shown["subject"], shown["time"]) == ("deal/d-1", "2026-01-01T00:00:00.000Z")
    assert shown["data"] == {"deal_id": "d-1", "amount_minor": 250, "currency": "EUR"}


def test_a_journal_entry_says_where_it_came_from() -> None:
    """Source coordinates are shown as one text, and its own as numbers."""
    shown = decode(_entry())
    assert (shown["from"], shown["partition"], shown["offset"]) == ("crm.deal.v1:1:3", 2, 7)


def test_a_tick_is_only_its_time() -> None:
    """Ticks have kind and time, nothing else."""
    shown = decode(_record(JOURNAL, codec.encode_entry(tick(NOW_MS))))
    assert (shown["kind"], shown["time"]) == ("tick", "2026-01-01T00:00:00.000Z")
    assert line(shown).endswith("tick")


def test_an_effect_is_shown_with_its_fact() -> None:
    """The fact inside is decoded too."""
    shown = decode(_effect())
    assert (shown["name"], shown["seq"], shown["cause_offset"]) == ("deal_won", 4, 9)
    assert shown["data"]["amount_minor"] == 250


def test_a_metric_is_shown_with_its_key() -> None:
    """The key's parts and the numbers; a member may hold the separator."""
    shown = decode(_metric())
    assert (shown["metric"], shown["member"], shown["count"]) == ("deals_won", "a|da", 3)
    assert shown["journal_offset"] == 40


def test_a_change_of_a_generation_is_shown() -> None:
    """What became of a generation can be read in its topic."""
    record = Registry("daybook").start(at_ms=NOW_MS, note="new rule")
    shown = decode(_record(GENERATION, codec.encode_generation(record), record.key))
    assert (shown["number"], shown["state"], shown["note"]) == (2, "building", "new rule")
    assert shown["time"] == "2026-01-01T00:00:00.000Z"


def test_a_closed_hour_is_shown_as_closed() -> None:
    """A tombstone of the metric topic is the closing of a bucket."""
    assert decode(_metric()._replace(value=None))["closed"] is True


def test_the_state_topic_shows_how_far_the_worker_is() -> None:
    """Heads are decoded; other rows show table and key."""
    head = codec.encode_row(Head(applied=41, now_ms=NOW_MS, seq=5, sources={"crm.deal.v1:1": 3}))
    assert decode(_record("daybook-state", head, HEAD_KEY))["applied"] == 41
    row = decode(_record("daybook-state", b"xyz", b"dacme|d-1"))
    assert (row["row"], row["key"], row["bytes"]) == ("d", "acme|d-1", 3)


@pytest.mark.parametrize("topic", ["crm.deal.v1", JOURNAL, METRIC, EFFECT])
def test_what_can_not_be_read_is_shown_as_a_problem(topic: str) -> None:
    """Garbage in any topic keeps its coordinates and says what is wrong."""
    shown = decode(_record(topic, b"garbage", METRIC_KEY))
    assert shown["problem"]
    assert line(shown).startswith("2:7  ! ")


@pytest.mark.parametrize(
    "key",
    [
        None,
        b"stray",
        b"1|a|b|day|soon||",
        b"1|a|b|day|" + b"9" * 30 + b"||",
        b"a|b|day|0||",
        b"\xff",
    ],
    ids=["none", "parts", "bucket", "time", "generation", "bytes"],
)
def test_a_stray_key_is_shown_as_a_problem(key: bytes | None) -> None:
    """A record of the metric topic whose key is none of ours doesn't end `tail`."""
    shown = decode(_metric()._replace(key=key))
    assert "key" in shown["problem"]
    assert line(shown).startswith("2:7  ! ")


@pytest.mark.parametrize("make", [_upstream, _entry, _effect, _metric])
def test_a_record_fits_one_line(make: object) -> None:
    """The form for people is one line that begins with partition and offset."""
    text = line(decode(make()))  # type: ignore[operator]  # a function of this module
    assert text.startswith("2:7  ")
    assert "acme" in text
    assert len(text.splitlines()) == 1
