"""Boards: the latest value of each key, for fast and slow clients alike."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protocol.boards import Board, Laggard


def test_a_snapshot_holds_the_latest_values() -> None:
    """Whatever came before is gone."""
    board = Board()
    assert json.loads(board.snapshot()) == {}
    board.put("won_amount", b"1", 1)
    board.put("won_amount", b"2", 2)
    board.put('win "rate"', b'{"value":0.5}', 3)
    assert json.loads(board.snapshot()) == {"won_amount": 2, 'win "rate"': {"value": 0.5}}


def test_a_beat_tells_what_changed_once() -> None:
    """Three changes of a key between two beats are one update."""
    board = Board()
    for version in (1, 2, 3):
        assert board.put("a", str(version).encode(), version)
    board.put("b", b"0", 4)
    changed = board.beat()
    assert json.loads(board.update(changed)) == {"a": 3, "b": 0}
    assert board.beat() == frozenset()


def test_an_older_value_changes_nothing() -> None:
    """A snapshot that arrives behind the stream doesn't turn the figures back."""
    board = Board()
    board.put("a", b"5", 10)
    assert not board.put("a", b"4", 9)
    assert not board.put("a", b"4", 10)
    assert json.loads(board.snapshot()) == {"a": 5}


def test_an_equal_value_is_no_change() -> None:
    """Nobody is told what they know; the newer version counts all the same."""
    board = Board()
    board.put("a", b"5", 1)
    board.beat()
    assert not board.put("a", b"5", 5)
    assert not board.put("a", b"6", 4)
    assert board.beat() == frozenset()


def test_what_is_gone_is_told_and_then_left_out() -> None:
    """Those who have it learn of it, newcomers never hear of it."""
    board = Board()
    board.put("anna", b'"away"', 1)
    board.beat()
    board.put("anna", b"null", 2)
    assert board.update(board.beat()) == b'{"anna":null}'
    assert board.snapshot() == b"{}"
    assert board.update({"nobody"}) == b"{}"


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans(), st.booleans()),
        max_size=15,
    )
)
def test_slow_clients_end_where_fast_ones_do(steps: list[tuple[str, int, bool, bool]]) -> None:
    """Whenever a client could not be written to, settling brings it to the board's values."""
    board, laggard = Board(), Laggard()
    fast: dict[str, int] = {}
    slow: dict[str, int] = {}
    for version, (key, value, beat, writable) in enumerate(steps):
        board.put(key, str(value).encode(), version)
        if beat:
            changed = board.beat()
            fast |= json.loads(board.update(changed))
            laggard.owe(changed)
        if writable:
            slow |= json.loads(board.update(laggard.settle()))
    last = board.beat()
    fast |= json.loads(board.update(last))
    laggard.owe(last)
    slow |= json.loads(board.update(laggard.settle()))
    assert slow == fast == json.loads(board.snapshot())
