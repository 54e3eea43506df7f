"""Buckets and gates."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protocol.limits import Bucket, Gate, GateLimits, Rate

PER_S = 4


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    """Ten at once, then one per quarter of a second."""
    bucket = Bucket(Rate(PER_S, 10), 100.0)
    assert [bucket.take(1, 100.0) for _ in range(11)] == [True] * 10 + [False]
    assert bucket.take(1, 100.25)
    assert not bucket.take(1, 100.25)


def test_a_pause_fills_a_bucket_and_no_more() -> None:
    """After an hour there is one burst, not an hour's worth."""
    bucket = Bucket(Rate(PER_S, 10), 0.0)
    assert bucket.take(10, 0.0)
    assert not bucket.take(11, 3600.0)
    assert bucket.take(10, 3600.0)


def test_a_refusal_takes_nothing() -> None:
    """Asking for too much doesn't cost what is there."""
    bucket = Bucket(Rate(PER_S, 10), 0.0)
    assert not bucket.take(11, 0.0)
    assert bucket.take(10, 0.0)


def test_a_clock_that_steps_back_gives_nothing() -> None:
    """The same second isn't counted twice."""
    bucket = Bucket(Rate(PER_S, 10), 100.0)
    assert bucket.take(10, 100.0)
    assert not bucket.take(1, 50.0)
    assert not bucket.take(1, 100.0)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 8)), max_size=15))
def test_nobody_gets_more_than_burst_and_rate(asked: list[tuple[int, int]]) -> None:
    """However the asking is spread, the sum is bounded."""
    bucket, at_s, taken = Bucket(Rate(PER_S, 10), 0.0), 0.0, 0
    for amount, quarters in asked:
        at_s += quarters / 4
        taken += amount if bucket.take(amount, at_s) else 0
        assert taken <= 10 + at_s * PER_S


def test_a_user_has_so_many_connections() -> None:
    """The next one gets in when one has left; other users and tenants don't count."""
    gate = Gate(GateLimits(user=2, tenant=10))
    assert [gate.enter_user("acme", "anna") for _ in range(3)] == [True, True, False]
    assert gate.enter_user("acme", "ben")
    assert gate.enter_user("other", "anna")
    gate.leave_user("acme", "anna")
    assert gate.enter_user("acme", "anna")


def test_a_tenant_has_so_many_connections() -> None:
    """Whoever they are of; a refused one is not counted anywhere."""
    gate = Gate(GateLimits(user=2, tenant=3))
    assert all(gate.enter_user("acme", user) for user in ("anna", "anna", "ben"))
    assert not gate.enter_user("acme", "cleo")
    gate.leave_user("acme", "anna")
    assert gate.enter_user("acme", "cleo")


def test_an_address_has_so_many_connections() -> None:
    """Also of those who haven't said who they are."""
    gate = Gate(GateLimits(address=1))
    assert gate.enter_address("192.0.2.1")
    assert not gate.enter_address("192.0.2.1")
    assert gate.enter_address("192.0.2.2")
    gate.leave_address("192.0.2.1")
    assert gate.enter_address("192.0.2.1")


@pytest.mark.parametrize("times", [1, 3])
def test_who_left_is_forgotten(times: int) -> None:
    """Memory is of those who are connected."""
    gate = Gate(GateLimits())
    for _ in range(times):
        gate.enter_user("acme", "anna")
        gate.enter_address("192.0.2.1")
    for _ in range(times):
        gate.leave_user("acme", "anna")
        gate.leave_address("192.0.2.1")
    assert gate.size == 0
