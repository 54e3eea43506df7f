"""Claiming lanes: whatever an earlier owner could still write is in what the claim reads."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from schemas.topics import JOURNAL
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.ledger import Ledger
from sinks.mapping.ledger import CLAIM, STATE, Fenced, LedgerRow, Pending
from sinks.mapping.statements import LaneKey

LANE = LaneKey(JOURNAL, 0, 1)
CLAIMED = LedgerRow(
    *LANE, epoch=1, owner="earlier", seq=1, kind=CLAIM, done_to=0, pending_from=0, pending_to=0,
    token="", n=0, crc=0, topic_id="id", next_seq=0,
)  # fmt: skip
DONE = CLAIMED._replace(seq=2, kind=STATE, done_to=100, pending_from=100, pending_to=100)
BEGUN = DONE._replace(seq=3, pending_to=150, token="earlier's", n=50, crc=7)


class Server(ClickHouse):
    """The ledger's table in memory.

    Args:
        held: Rows there are.
        meanwhile: Rows that another process writes just before our claim goes in.
    """

    def __init__(self, held: Sequence[LedgerRow], meanwhile: Sequence[LedgerRow]) -> None:
        self.held, self._meanwhile = [*held], meanwhile

    def rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """Return the whole table."""
        assert "ops_ledger" in sql
        return [*self.held]

    def run(
        self, sql: str, data: bytes | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Take in rows, after those of the other process."""
        assert "ops_ledger" in sql
        assert settings == {"async_insert": 0}
        self.held += self._meanwhile
        self.held += [LedgerRow(**json.loads(line)) for line in (data or b"").splitlines()]


def test_claim_sees_what_the_earlier_owner_began_just_before_it() -> None:
    """Claim, then read: the range begun in between is in doubt, and sent with its own token."""
    server = Server([CLAIMED, DONE], meanwhile=[BEGUN])
    stand = Ledger(server, "ours", {JOURNAL: "id"}).claim([LANE])[LANE]
    assert (stand.epoch, stand.owner, stand.done_to) == (2, "ours", 100)
    assert stand.pending == Pending(100, 150, "earlier's", 50, 7)


def test_higher_claim_that_came_in_between_wins() -> None:
    """Two that claim at once read both claims; only the higher goes on."""
    higher = CLAIMED._replace(epoch=2, owner="theirs")
    with pytest.raises(Fenced, match="theirs"):
        Ledger(Server([CLAIMED], meanwhile=[higher]), "ours", {JOURNAL: "id"}).claim([LANE])
