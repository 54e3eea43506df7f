"""`app.tables` shows what is committed and can't be written."""

from dataclasses import dataclass
from typing import cast

import faust
import pytest

from schemas.codec import encode_row
from schemas.state.rows import Deal, Head
from streams.domain.effects import Effects
from streams.domain.state import State
from streams.runtime.views import LaneStore, LaneTable


@dataclass
class Owner:
    """A lane."""

    state: State


def lane(**deals: Deal) -> Owner:
    """Return a lane with committed deals."""
    state = State()
    rows: list[tuple[bytes, bytes | None]] = [
        (b"dacme|" + key.encode(), encode_row(deal)) for key, deal in deals.items()
    ]
    state.apply(Effects(Head(), rows=rows))
    return Owner(state)


class Worker(faust.App):
    """An app with two lanes."""

    def __init__(self) -> None:
        self.lanes = {0: lane(a=Deal(stage="won")), 1: lane(b=Deal(stage="lost"))}
        super().__init__("views", Table=LaneTable)


@pytest.fixture
def view() -> LaneStore:
    """The table `deals` of a worker with two lanes."""
    return cast("LaneStore", Worker().Table("deals").data)


def test_rows_of_all_lanes_are_seen(view: LaneStore) -> None:
    """A view looks through every lane of its worker, by text or bytes."""
    assert view["acme|a"].stage == "won"
    assert view[b"acme|b"].stage == "lost"
    assert sorted(view) == ["acme|a", "acme|b"]
    assert len(view) == 2
    assert "acme|c" not in view
    with pytest.raises(KeyError):
        view["acme|c"]


def test_views_refuse_writes(view: LaneStore) -> None:
    """Only the transaction writes: a write elsewhere would not be in the changelog."""
    with pytest.raises(TypeError, match="transaction only"):
        view["acme|a"] = Deal()
    with pytest.raises(TypeError, match="transaction only"):
        del view["acme|a"]
    assert view["acme|a"].stage == "won"


def test_table_refuses_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Faust table refuses before anything reaches its changelog topic."""
    sent: list[object] = []
    monkeypatch.setattr(LaneTable, "send_changelog", lambda *record: sent.append(record))
    table = Worker().Table("deals")
    with pytest.raises(TypeError, match="transaction only"):
        table["acme|a"] = Deal()
    with pytest.raises(TypeError, match="transaction only"):
        del table["acme|a"]
    assert table["acme|a"].stage == "won"
    assert table.get("acme|c") is None
    assert sent == []
