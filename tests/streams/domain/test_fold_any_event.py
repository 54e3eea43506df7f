"""Whatever passes the door can be folded: no accepted event stops the worker."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from schemas.events import CATALOGUE
from tests.schemas.strategies import data_of
from tests.streams.journal_builder import Journal

if TYPE_CHECKING:
    from schemas.events.event import Event


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
@given(data=st.data())
@settings(max_examples=8)
def test_any_valid_event_can_be_folded_twice_and_ticked_over(
    kind: str, data: st.DataObject
) -> None:
    """Two different events of one type, a far tick after them, in any cut: no error."""
    event: type[Event] = CATALOGUE[kind]
    journal = Journal().settings(first_contact_within="PT1S", timezone="Pacific/Kiritimati")
    for at in ("2026-03-02T10:00", "1970-01-03T00:00"):
        journal.event(event.model_validate_json(to_json(data.draw(data_of(event)))), at)
    folded = journal.tick("2026-03-03").tick("2299-01-01").fold((2,))
    assert folded.state.head.applied == len(journal.records) - 1
