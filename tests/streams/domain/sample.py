"""A fixed journal that touches every module."""

from schemas.events import CATALOGUE
from tests.streams.journal_builder import Journal


def sample() -> Journal:
    """Return the example of every event type, twice (the second time late), among ticks."""
    journal = Journal().settings(first_contact_within="PT1M", hour_retention="P1D")
    for round_, day in ((1, 2), (2, 1)):
        for number, (_, event) in enumerate(sorted(CATALOGUE.items())):
            journal.event(
                event.model_validate(event.EXAMPLE), f"2026-03-0{day}T10:{number % 60:02d}:00"
            )
            journal.tick(f"2026-03-0{round_ + 1}T11:{number % 60:02d}:00")
    return journal.tick("2026-05-01")
