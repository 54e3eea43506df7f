"""Keys, topics, settings and failures: the small parts of the contract."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.definitions.settings import Settings
from schemas.derived.metric import MetricKey, MetricPartial, merge_partials
from schemas.errors import (
    REASONS,
    ConfigurationError,
    CorruptLog,
    DaybookError,
    InvalidEvent,
    Refused,
    Unavailable,
)
from schemas.journal import journal_key
from schemas.topics import MAX_EVENT_BYTES, NOUNS, catalogue
from tests.schemas.strategies import TEXT

SMALL = st.integers(-(10**6), 10**6)
PARTIALS = st.lists(SMALL, max_size=4).map(
    lambda seen: MetricPartial(
        1, 5, len(seen), sum(seen), min(seen, default=0), max(seen, default=0),
        [number for value in sorted(set(seen)) for number in (value, seen.count(value))],
    )
)  # fmt: skip


@given(TEXT)
def test_a_metric_key_survives_text(member: str) -> None:
    """The member is upstream's: it may hold the separator."""
    key = MetricKey("acme", "deals_won", "day", 1_767_225_600_000, "agent", member)
    assert MetricKey.parse(key.text()) == key


@given(st.lists(PARTIALS, max_size=5), st.integers(0, 5))
def test_partials_add_up_however_they_are_grouped(found: list[MetricPartial], cut: int) -> None:
    """A reader may add partitions in any order, and sums of sums."""
    whole = merge_partials(found)
    parts = [merge_partials(found[:cut]), merge_partials(found[cut:])]
    assert merge_partials(parts)[2:] == whole[2:] == merge_partials(reversed(found))[2:]
    assert whole.count == sum(partial.count for partial in found)


def test_nothing_adds_up_to_nothing() -> None:
    """Offset -1: there was no partial at all."""
    assert merge_partials([]) == MetricPartial(0, -1, 0, 0, 0, 0, [])


def test_an_entrys_key_is_its_tenant_and_subject() -> None:
    """All of one subject are in one partition; tenants never mix."""
    assert journal_key("acme", "contact/42") == b"acme|contact/42"


def test_topics_fit_what_goes_through_them() -> None:
    """The journal keeps everything; an event above the limit still arrives, to be refused."""
    topics = {topic.name: topic for topic in catalogue("daybook", 4)}
    assert {f"crm.{noun}.v1" for noun in NOUNS} < set(topics)
    assert topics["journal.v1"].config["retention.ms"] == "-1"
    assert topics["daybook-state"].config["cleanup.policy"] == "compact"
    same = ("journal.v1", "daybook-state", "derived.metric.v1", "derived.effect.v1")
    assert {topics[name].partitions for name in same} == {4}
    assert topics["derived.push.v1"].config["retention.ms"] == "3600000"
    assert int(topics["crm.lead.v1"].config["max.message.bytes"]) > MAX_EVENT_BYTES
    assert int(topics["dlq.v1"].config["max.message.bytes"]) > int(
        topics["crm.lead.v1"].config["max.message.bytes"]
    )


@pytest.mark.parametrize(
    "spec", [{"timezone": "Mars/Olympus"}, {"currency": "eur"}, {"hour_retention": "PT1H"}]
)
def test_wrong_settings_are_refused(spec: dict[str, str]) -> None:
    """A zone must exist: it decides where a day begins."""
    with pytest.raises(ValidationError):
        Settings.model_validate(spec)


def test_failures_say_what_which_and_what_to_do() -> None:
    """One tree, so that a shell can catch what is ours; each keeps its parts for programs."""
    invalid = InvalidEvent("missing_field", "data.deal_id", "Field required")
    assert str(invalid) == "missing_field at data.deal_id: Field required"
    assert invalid.reason in REASONS
    assert str(InvalidEvent("too_large")) == "too_large at (event): "
    late = Unavailable("kafka", 2.5)
    assert (late.service, late.retry_after_s) == ("kafka", 2.5)
    assert "retry in 2.5 s" in str(late)
    refused = Refused(3, "no such channel")
    assert (refused.code, str(refused)) == (3, "no such channel")
    wrong = ConfigurationError("DAYBOOK_KAFKA", "is empty")
    assert (wrong.setting, str(wrong)) == ("DAYBOOK_KAFKA", "DAYBOOK_KAFKA: is empty")
    assert issubclass(CorruptLog, DaybookError)
