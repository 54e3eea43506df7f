"""The workload: the same from the same seed, and it knows what ingest must refuse."""

from collections import Counter

import pytest

from schemas.errors import InvalidEvent
from schemas.topics import DEFINITION
from streams.runtime.translation import Source, translate
from tests.exactness.workload import BEFORE_MS, Planned, Workload

NOW_MS = 1_790_000_000_000
EVENTS = 2_500


@pytest.fixture(scope="module")
def planned() -> list[Planned]:
    """A workload."""
    return list(Workload(5, EVENTS, NOW_MS).records())


def test_same_seed_gives_the_same_records(planned: list[Planned]) -> None:
    """What was published can be known again without reading it."""
    assert list(Workload(5, EVENTS, NOW_MS).records()) == planned
    assert list(Workload(6, EVENTS, NOW_MS).records()) != planned


def test_ingest_refuses_exactly_what_the_workload_spoiled(planned: list[Planned]) -> None:
    """Whatever its clock says: two hours off change nothing."""
    refused = 0
    for offset, (record, identity) in enumerate(planned):
        source = Source(record.topic, 0, offset, record.key, record.value, record.headers)
        for now_ms in (NOW_MS, NOW_MS - 7_200_000):
            if identity is None:
                with pytest.raises(InvalidEvent):
                    translate(source, now_ms=now_ms, partitions=4)
            else:
                assert translate(source, now_ms=now_ms, partitions=4)
        refused += identity is None
    assert refused > EVENTS / 200


def test_workload_holds_what_is_hard(planned: list[Planned]) -> None:
    """Repeats, late events, changed settings, popular subjects, several tenants."""
    identities = Counter(each.identity for each in planned if each.identity)
    assert sum(count > 1 for count in identities.values()) > EVENTS / 200
    assert sum(each.record.topic == DEFINITION for each in planned) > 3
    assert len({tenant for tenant, _, _ in identities}) == 3
    keys = Counter(each.record.key for each in planned if b"deal-" in (each.record.key or b""))
    ((_, most),) = keys.most_common(1)
    assert most > 20 * sorted(keys.values())[len(keys) // 2]
    times = [dict(each.record.headers)["ce_time"] for each in planned if each.identity]
    first = min(times).decode()
    assert first < "2026-08-20", f"nothing is late: {first}, {NOW_MS - BEFORE_MS}"
