"""Access taken back."""

import pytest

from gateway.protocol.revocations import Revocation, Revocations
from tests.gateway.protocol.people import START, claims

HOUR_MS = 3_600_000
ANNA = claims("anna")


def revoked(*each: Revocation) -> Revocations:
    """Return revocations with some added."""
    kept = Revocations(lifetime_ms=HOUR_MS)
    for one in each:
        kept.add(one)
    return kept


@pytest.mark.parametrize(
    ("revocation", "meant"),
    [
        (Revocation("acme", "anna", "", START.utc_ms), True),
        (Revocation("acme", "anna", ANNA.token_id, START.utc_ms), True),
        (Revocation("acme", "", "", START.utc_ms), True),
        (Revocation("acme", "", ANNA.token_id, START.utc_ms), True),
        (Revocation("acme", "anna", "", START.utc_ms - 1), False),
        (Revocation("acme", "anna", "another", START.utc_ms), False),
        (Revocation("acme", "ben", "", START.utc_ms), False),
        (Revocation("other", "anna", "", START.utc_ms), False),
        (Revocation("other", "", "", START.utc_ms), False),
    ],
)
def test_a_revocation_means_exactly_its_tokens(
    revocation: Revocation,
    meant: bool,  # noqa: FBT001 - a column
) -> None:
    """One token, one user or one tenant, issued up to a time; a later token is good again."""
    assert revocation.covers(ANNA) == meant
    assert revoked(revocation).cover(ANNA) == meant


def test_the_latest_of_several_counts() -> None:
    """An older revocation that arrives late takes nothing back."""
    later = Revocation("acme", "anna", "", START.utc_ms)
    earlier = Revocation("acme", "anna", "", START.utc_ms - 5)
    assert revoked(later, earlier).cover(ANNA)
    assert revoked(earlier, later).cover(ANNA)


def test_what_cannot_be_tried_is_forgotten() -> None:
    """Once every token it meant has ended, a revocation has no work left."""
    kept = revoked(
        Revocation("acme", "anna", "", START.utc_ms),
        Revocation("acme", "ben", "", START.utc_ms + 1),
    )
    kept.expire(START.utc_ms + HOUR_MS)
    assert kept.size == 2
    kept.expire(START.utc_ms + HOUR_MS + 1)
    assert kept.size == 1
    assert not kept.cover(ANNA)
