"""Codes: numbers and ranges are API."""

import pytest

from gateway.protocol import codes
from gateway.protocol.codes import CLOSES, FAILURES, UNSUBSCRIBES, Close


def test_error_codes_are_the_protocols() -> None:
    """Clients know 100 to 112, and retry what is temporary."""
    assert sorted(FAILURES) == list(range(100, 113))
    assert {code for code, each in FAILURES.items() if each.temporary} == {100, 111}


@pytest.mark.parametrize("close", CLOSES.values(), ids=lambda close: str(close.code))
def test_clients_come_back_after_some_closes_only(close: Close) -> None:
    """Reconnecting is for what another connection may mend."""
    lasting = {3500, 3501, 3502, 3503, 3504}
    assert close.reconnect == (close.code not in lasting)


def test_close_codes_are_the_documented_ones() -> None:
    """No code is used that clients don't expect."""
    assert set(CLOSES) == {
        3001, 3005, 3008, 3010, 3012, 3013, 3500, 3501, 3502, 3503, 3504,
    }  # fmt: skip


def test_only_what_may_work_again_is_subscribed_again() -> None:
    """A subscription that is no longer allowed isn't tried again."""
    assert {code: each.resubscribe for code, each in UNSUBSCRIBES.items()} == {
        2000: False, 2500: True, 2501: True,
    }  # fmt: skip


def test_a_refusal_carries_the_code() -> None:
    """What is raised inside is what the client reads."""
    refused = codes.PERMISSION_DENIED.refusal()
    assert (refused.code, refused.message) == (103, "permission denied")
