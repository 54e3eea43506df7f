"""Who is there, by leases."""

from gateway.protocol.channels import Address
from gateway.protocol.presence import Change, Count, Leases, Seat

ROOM = Address("acme", "chat:lobby")
ANNA, ANNA_TOO, BEN = Seat("anna", "c1"), Seat("anna", "c2"), Seat("ben", "c3")
LEASE_MS, GRACE_MS = 60_000, 15_000


def leases() -> Leases:
    """Return leases of a minute with a grace of fifteen seconds."""
    return Leases(LEASE_MS, GRACE_MS)


def test_a_person_joins_once() -> None:
    """A second tab and a renewal are no second arrival."""
    kept = leases()
    assert kept.renew(ROOM, ANNA, 0) == [Change(ROOM, ANNA, joined=True)]
    assert kept.renew(ROOM, ANNA_TOO, 10) == []
    assert kept.renew(ROOM, ANNA, 20) == []
    assert set(kept.present(ROOM, 20)) == {ANNA, ANNA_TOO}
    assert kept.count(ROOM, 20) == Count(clients=2, users=1)


def test_a_person_leaves_with_the_last_connection() -> None:
    """And only when the grace is over."""
    kept = leases()
    kept.renew(ROOM, ANNA, 0)
    kept.renew(ROOM, ANNA_TOO, 0)
    kept.release(ROOM, ANNA, 1000)
    assert kept.sweep(1000 + GRACE_MS) == []
    kept.release(ROOM, ANNA_TOO, 20_000)
    assert kept.count(ROOM, 20_000) == Count(0, 0)
    assert kept.sweep(20_000 + GRACE_MS - 1) == []
    assert kept.sweep(20_000 + GRACE_MS) == [Change(ROOM, ANNA_TOO, joined=False)]
    assert kept.sweep(10**9) == []


def test_who_is_back_within_the_grace_never_left() -> None:
    """A reload of the page is seen by nobody."""
    kept = leases()
    kept.renew(ROOM, ANNA, 0)
    kept.release(ROOM, ANNA, 1000)
    assert kept.renew(ROOM, ANNA_TOO, 2000) == []
    assert kept.sweep(1000 + GRACE_MS) == []


def test_a_node_that_died_renews_nothing() -> None:
    """Its people are no longer present when the lease ends, and leave after the grace."""
    kept = leases()
    kept.renew(ROOM, ANNA, 0)
    kept.renew(ROOM, BEN, 0)
    kept.renew(ROOM, BEN, 50_000)
    assert set(kept.present(ROOM, LEASE_MS)) == {BEN}
    assert kept.sweep(LEASE_MS + GRACE_MS - 1) == []
    assert kept.sweep(LEASE_MS + GRACE_MS) == [Change(ROOM, ANNA, joined=False)]


def test_of_several_leases_the_last_to_end_counts() -> None:
    """The grace begins when nobody holds a lease any more."""
    kept = leases()
    kept.renew(ROOM, ANNA, 10_000)
    kept.renew(ROOM, ANNA_TOO, 0)
    assert kept.sweep(10_000 + LEASE_MS + GRACE_MS - 1) == []
    assert kept.sweep(10_000 + LEASE_MS + GRACE_MS) == [Change(ROOM, ANNA, joined=False)]


def test_giving_back_what_one_has_not_changes_nothing() -> None:
    """A close that is reported twice, or of a channel nobody is in."""
    kept = leases()
    kept.release(ROOM, ANNA, 0)
    kept.renew(ROOM, BEN, 0)
    kept.release(ROOM, Seat("ben", "other"), 10)
    assert set(kept.present(ROOM, 10)) == {BEN}


def test_rooms_are_on_their_own() -> None:
    """Leaving one room leaves the other."""
    kept = leases()
    other = Address("other", "chat:lobby")
    kept.renew(ROOM, ANNA, 0)
    kept.renew(other, ANNA, 0)
    kept.release(ROOM, ANNA, 0)
    assert kept.sweep(GRACE_MS) == [Change(ROOM, ANNA, joined=False)]
    assert kept.count(other, GRACE_MS) == Count(1, 1)
