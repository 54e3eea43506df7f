"""Ingest knows the topics it has read by their ids."""

import pytest

from schemas.errors import CorruptLog
from streams.runtime.sources import origin, recognise

DEALS, LEADS = "crm.deal.v1", "crm.lead.v1"


def test_topics_are_adopted_once_and_stay() -> None:
    """What is seen for the first time is kept; the same ids again change nothing."""
    now = {DEALS: "a", LEADS: "b"}
    kept = recognise({}, now, ())
    assert kept == {DEALS: ["a"], LEADS: ["b"]} == recognise(kept, now, ())


def test_topic_created_again_is_refused_and_the_way_out_is_named() -> None:
    """Its records would be taken for repeats; accepting another topic doesn't help."""
    with pytest.raises(CorruptLog, match=r"created again.*--accept crm\.deal\.v1"):
        recognise({DEALS: ["a"]}, {DEALS: "z"}, [LEADS])


def test_accepted_topic_is_another_source() -> None:
    """Its offsets count anew, so no record of it is a repeat; the other topics stay."""
    kept = recognise({DEALS: ["a"], LEADS: ["b"]}, {DEALS: "z", LEADS: "b"}, [DEALS])
    assert kept == {DEALS: ["a", "z"], LEADS: ["b"]}
    assert [origin(topic, ids) for topic, ids in kept.items()] == ["crm.deal.v1@2", LEADS]
