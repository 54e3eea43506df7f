"""Rings: complete above their floor, and honest about it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protocol.channels import Address
from gateway.protocol.history import (
    OVERHEAD_BYTES,
    Histories,
    HistoryLimits,
    Position,
    Publication,
    Recovery,
)
from schemas.errors import Refused

EPOCH = "log-1"
CHAT = Address("acme", "chat:lobby")
OTHER = Address("acme", "chat:board")


def histories(*, start: int = 0, **limits: int) -> Histories:
    """Return empty histories of one partition that is read from an offset on."""
    return Histories(EPOCH, [start], HistoryLimits(**limits))


def publication(
    offset: int, address: Address = CHAT, *, at_ms: int = 0, data: bytes = b"{}"
) -> Publication:
    """Return a publication of an offset."""
    return Publication(address, offset, data, at_ms)


def filled(*offsets: int, address: Address = CHAT, **limits: int) -> Histories:
    """Return histories in which a channel was published to at some offsets."""
    kept = histories(**limits)
    for offset in offsets:
        assert kept.append(publication(offset, address))
    return kept


def missed(kept: Histories, offset: int, *, epoch: str = EPOCH) -> list[int] | None:
    """Return the offsets a client that comes back gets, or None when it isn't recovered."""
    recovery = kept.recover(CHAT, Position(epoch, offset))
    if recovery.recovered:
        return [each.offset for each in recovery.publications]
    assert recovery.publications == []
    return None


def test_a_client_gets_what_it_missed() -> None:
    """Everything behind its offset, in order, offsets having gaps."""
    kept = filled(3, 7, 8, 20)
    assert missed(kept, 3) == [7, 8, 20]
    assert missed(kept, 5) == [7, 8, 20]
    assert missed(kept, 0) == [3, 7, 8, 20]


def test_a_client_that_missed_nothing_is_recovered() -> None:
    """At the last publication, and behind it, nothing is missing."""
    kept = filled(3, 7)
    kept.advance(0, 50)
    assert missed(kept, 7) == []
    assert missed(kept, 50) == []


def test_another_epoch_is_not_recovered() -> None:
    """Offsets of another log say nothing about this one."""
    assert missed(filled(3, 7), 3, epoch="log-0") is None


def test_no_epoch_is_taken_for_ours() -> None:
    """A client that has only an offset is recovered by it."""
    assert missed(filled(3, 7), 3, epoch="") == [7]


def test_what_was_evicted_is_not_recovered_in_part() -> None:
    """A client below the ring's floor gets nothing rather than the end of it."""
    kept = filled(3, 7, 8, 20, publications=2)
    assert missed(kept, 3) is None
    assert missed(kept, 7) == [8, 20]


def test_what_came_before_the_start_is_unknown() -> None:
    """A gateway that began to read later can't say that nothing was missed."""
    kept = histories(start=100)
    assert missed(kept, 99) is None
    assert missed(kept, 100) == []


def test_old_publications_are_evicted() -> None:
    """By the age of the next one, and by the clock when there is no next one."""
    kept = histories(age_ms=1000)
    for offset, at_ms in ((1, 0), (2, 900), (3, 1500)):
        kept.append(publication(offset, at_ms=at_ms))
    assert missed(kept, 0) is None
    assert missed(kept, 1) == [2, 3]
    kept.expire(2501)
    assert kept.size == 0
    assert missed(kept, 2) is None
    assert missed(kept, 3) == []


def test_memory_is_bounded() -> None:
    """The channel that was quiet for longest gives way, and the sum is kept right."""
    each = OVERHEAD_BYTES + 2
    kept = histories(total_bytes=4 * each)
    for offset, address in enumerate((CHAT, CHAT, OTHER, OTHER, OTHER, CHAT), start=1):
        kept.append(publication(offset, address))
        assert kept.total_bytes == kept.size * each <= 4 * each
    assert missed(kept, 0) is None
    assert missed(kept, 5) == [6]
    kept.expire(10**9)
    assert kept.total_bytes == 0


def test_a_quiet_channel_is_remembered_without_its_publications() -> None:
    """A client that has the last publication learns that nothing is missing, however long ago."""
    kept = histories(age_ms=1000)
    kept.append(publication(1))
    kept.append(publication(2, OTHER, at_ms=10_000))
    assert missed(kept, 1) == []
    kept.append(publication(3, at_ms=10_001))
    assert missed(kept, 1) == [3]
    assert missed(kept, 0) is None


@pytest.mark.parametrize("age_ms", [10, 10**6])
def test_channels_are_bounded(age_ms: int) -> None:
    """A forgotten channel is answered for by its partition: never recovered wrongly."""
    kept = histories(channels=2, age_ms=age_ms)
    for offset, name in enumerate(("chat:lobby", "chat:b", "chat:c", "chat:d"), start=1):
        kept.append(publication(offset, Address("acme", name), at_ms=offset * 100))
    assert missed(kept, 0) is None
    assert missed(kept, 1) is None  # nothing is missing, but that is no longer known
    assert missed(kept, 2) == []
    assert kept.size <= 2


def test_a_record_read_twice_is_kept_once() -> None:
    """After a reconnect to Kafka the same records come again; nobody gets them twice."""
    kept = filled(3, 7)
    assert not kept.append(publication(7))
    assert not kept.append(publication(5, OTHER))
    assert missed(kept, 0) == [3, 7]


def test_a_client_may_be_ahead() -> None:
    """Another gateway had read more: the client keeps its place and misses nothing."""
    kept = filled(3)
    assert kept.recover(CHAT, Position(EPOCH, 9)) == Recovery(True, Position(EPOCH, 9), [])
    assert missed(filled(3, ahead=5), 9) is None


def test_a_recovery_too_large_is_refused() -> None:
    """Reading anew is less than a flood of what was missed."""
    kept = histories(recovery_bytes=30)
    for offset in (1, 2, 3):
        kept.append(publication(offset, data=b'"0123456789"'))
    assert missed(kept, 0) is None
    assert missed(kept, 1) == [2, 3]


def test_a_new_subscriber_stands_behind_everything_read() -> None:
    """Also in a channel nobody published to."""
    kept = filled(3, 7)
    assert kept.position(OTHER) == Position(EPOCH, 7)
    kept.advance(0, 12)
    kept.advance(0, 11)
    assert kept.position(OTHER) == Position(EPOCH, 12)


def test_partitions_are_read_on_their_own() -> None:
    """A channel stands where its partition stands; tenants don't share channels."""
    kept = Histories(EPOCH, [10, 20, 30, 40], HistoryLimits())
    spread = {kept.position(Address("acme", f"chat:{n}")).offset for n in range(40)}
    assert spread == {10, 20, 30, 40}
    kept.append(publication(1000))
    assert kept.page(Address("other", "chat:lobby"), None, -1).publications == []


@pytest.mark.parametrize(
    ("since", "limit", "reverse", "offsets"),
    [
        (None, -1, False, [1, 2, 3, 4, 5]),
        (None, 2, False, [1, 2]),
        (None, 2, True, [5, 4]),
        (None, 0, False, []),
        (2, 2, False, [3, 4]),
        (2, -1, True, [1]),
        (4, 2, True, [3, 2]),
        (9, -1, True, [5, 4, 3, 2, 1]),
        (5, -1, False, []),
    ],
)
def test_pages_go_both_ways(
    since: int | None,
    limit: int,
    reverse: bool,  # noqa: FBT001 - a column
    offsets: list[int],
) -> None:
    """A position is exclusive in both directions."""
    position = None if since is None else Position(EPOCH, since)
    page = filled(1, 2, 3, 4, 5).page(CHAT, position, limit, reverse=reverse)
    assert [each.offset for each in page.publications] == offsets
    assert page.position == Position(EPOCH, 5)


@pytest.mark.parametrize(
    ("position", "reverse"),
    [(Position("log-0", 4), False), (Position("log-0", 4), True), (Position(EPOCH, 2), False)],
)
def test_a_page_that_cannot_be_whole_is_refused(
    position: Position,
    reverse: bool,  # noqa: FBT001 - a column
) -> None:
    """A gap in what is read forward is an error, not a shorter page."""
    with pytest.raises(Refused) as refused:
        filled(1, 2, 3, 4, 5, publications=2).page(CHAT, position, -1, reverse=reverse)
    assert refused.value.code == 112


def test_reading_back_ends_where_memory_ends() -> None:
    """In reverse the beginning of what is kept is the end."""
    page = filled(1, 2, 3, publications=2).page(CHAT, Position(EPOCH, 3), -1, reverse=True)
    assert [each.offset for each in page.publications] == [2]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from([CHAT, OTHER]), st.integers(1, 4), st.integers(0, 400)),
        max_size=30,
    ),
    st.integers(0, 60),
)
def test_recovery_is_all_or_nothing(published: list[tuple[Address, int, int]], since: int) -> None:
    """Whatever was evicted: a recovered client has exactly what was published behind its offset."""
    kept = histories(publications=4, age_ms=1000, total_bytes=5 * OVERHEAD_BYTES, channels=1)
    offset = at_ms = 0
    model = []
    for address, step, pause_ms in published:
        offset, at_ms = offset + step, at_ms + pause_ms
        kept.append(publication(offset, address, at_ms=at_ms, data=b"1"))
        model += [offset] if address == CHAT else []
    got = missed(kept, since)
    assert got is None or got == [each for each in model if each > since]
