"""Who may see and do what."""

import pytest

from gateway.protocol.channels import CLASSES, parse
from gateway.protocol.permissions import (
    ANY,
    CALLS,
    OWN,
    ROLES,
    Grant,
    check_grant,
    may_call,
    may_subscribe,
)
from schemas.errors import Refused
from tests.gateway.protocol.people import claims

EVERYBODY = {"viewer", "agent", "manager", "admin", "operator"}
WORKING = {"agent", "manager", "admin"}


@pytest.mark.parametrize(
    ("channel", "roles"),
    [
        ("metrics:overview", EVERYBODY),
        ("notifications:#anna", EVERYBODY),
        ("notifications:#ben", set()),
        ("tasks:#anna", WORKING),
        ("tasks:#ben", {"manager", "admin"}),
        ("task:k-5", WORKING),
        ("presence:central", WORKING),
        ("chat:lobby", WORKING),
    ],
)
def test_a_role_permits_classes_and_what_is_ones_own(channel: str, roles: set[str]) -> None:
    """Anna in each role sees exactly what the table says."""
    permitted = {
        role for role in EVERYBODY if may_subscribe(claims("anna", role), parse(channel))
    }  # fmt: skip
    assert permitted == roles


def test_every_class_and_role_has_a_rule() -> None:
    """A class without a rule would fail when it is first asked for."""
    assert set(ANY) == set(CLASSES)
    assert set(OWN) == {name for name, each in CLASSES.items() if each.owned}
    assert set(ROLES) == EVERYBODY


@pytest.mark.parametrize(
    ("method", "roles"),
    [("chat.send", WORKING), ("notifications.ack", EVERYBODY), ("agent.status", WORKING)],
)
def test_a_role_permits_methods(method: str, roles: set[str]) -> None:
    """Who may not read a room may not speak in it either."""
    assert {role for role in EVERYBODY if may_call(claims("anna", role), method)} == roles


def test_every_method_is_tested_above() -> None:
    """The methods are the ones there are rules for."""
    assert set(CALLS) == {"chat.send", "notifications.ack", "agent.status"}


@pytest.mark.parametrize("role", ["", "root", "Admin"])
def test_an_unknown_role_permits_nothing(role: str) -> None:
    """Not even one's own channels."""
    somebody = claims("anna", role)
    assert not may_subscribe(somebody, parse("notifications:#anna"))
    assert not may_subscribe(somebody, parse("metrics:overview"))


def test_of_several_roles_the_widest_counts() -> None:
    """A viewer who is a manager too sees what managers see."""
    assert may_subscribe(claims("anna", "viewer", "manager"), parse("tasks:#ben"))


def test_an_id_that_looks_like_mine_is_not_mine() -> None:
    """Owners are compared as ids, not as text of a name."""
    assert not may_subscribe(claims("task", "agent"), parse("notifications:#tasks"))
    assert not may_subscribe(claims("anna", "agent"), parse("notifications:#Anna"))


@pytest.mark.parametrize(
    "grant",
    [
        Grant("other", "anna", "chat:board", 0),
        Grant("acme", "ben", "chat:board", 0),
        Grant("acme", "anna", "chat:lobby", 0),
    ],
)
def test_a_grant_is_for_one_person_and_one_channel(grant: Grant) -> None:
    """A grant that was passed on, or is for something else, opens nothing."""
    with pytest.raises(Refused) as refused:
        check_grant(grant, claims("anna", "viewer"), parse("chat:board"))
    assert refused.value.code == 103


def test_a_grant_stands_in_for_the_role() -> None:
    """Whoever signs tokens may let a viewer into a room."""
    check_grant(
        Grant("acme", "anna", "chat:board", 0), claims("anna", "viewer"), parse("chat:board")
    )
