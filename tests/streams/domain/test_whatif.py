"""Laws of the journal with other definitions in it."""

from schemas.codec import decode_entry, decode_event
from schemas.definitions.applied import DefinitionApplied
from schemas.events.lead import LeadCreated
from schemas.journal import Entry
from streams.domain.whatif import ORIGIN, Name, WhatIf, definitions_in
from tests.streams.journal_builder import Journal

SETTINGS = Name("acme", "settings", "default")


def applied(spec: str = '{"timezone": "Asia/Tokyo"}', kind: str = "settings") -> DefinitionApplied:
    """Return a definition."""
    return DefinitionApplied(kind=kind, id="default", spec=spec)


def entries(whatif: WhatIf, journal: Journal) -> list[Entry]:
    """Return the entries of the other course."""
    return [decode_entry(record.value) for record in whatif.applied_to(journal.records)]


def test_every_version_of_a_definition_is_replaced() -> None:
    """It takes effect where the journal's versions do, and says the same at each."""
    journal = Journal().settings(timezone="UTC").event(LeadCreated(lead_id="l"), "2026-03-02")
    journal.settings(timezone="Europe/Berlin").tick("2026-03-03")
    found = entries(WhatIf({SETTINGS: applied()}), journal)
    assert [decode_event(found[index].data) for index in (0, 2)] == [applied(), applied()]
    before = [decode_entry(record.value) for record in journal.records]
    assert [entry._replace(data=b"") for entry in found] == [
        entry._replace(data=b"") for entry in before
    ]


def test_all_else_is_the_same_bytes() -> None:
    """Events, ticks, other tenants' definitions and other definitions stay as they are."""
    journal = Journal("other").settings(timezone="UTC")
    journal.event(LeadCreated(lead_id="crm.definition.applied.v1"), "2026-03-02")
    journal.tick("2026-03-03")
    assert WhatIf({SETTINGS: applied()}).applied_to(journal.records) == journal.records


def test_a_definition_in_effect_is_replaced_where_the_course_begins() -> None:
    """So is one that the journal never holds; one that comes later waits for its own place."""
    never = Name("acme", "settings", "never")
    later = Name("acme", "settings", "later")
    whatif = WhatIf({SETTINGS: applied(), never: applied(), later: applied()})
    assert whatif.missing(before=[SETTINGS], after=[later]) == [SETTINGS, never]
    assert whatif.missing(before=[], after=[SETTINGS, later]) == [never]


def test_what_is_injected_says_where_it_comes_from() -> None:
    """It lies before the first record and can't be taken for one of ingest's."""
    (record,) = WhatIf({SETTINGS: applied()}).injected([SETTINGS], at=7, time_ms=5)
    entry = decode_entry(record.value)
    assert (record.offset, entry.origin, entry.origin_topic) == (6, ORIGIN, ORIGIN)
    assert (entry.tenant, entry.subject, entry.time_ms) == (
        "acme",
        "definition/settings/default",
        5,
    )
    assert decode_event(entry.data) == applied()


def test_definitions_are_found_by_name() -> None:
    """An event that merely mentions the type of a definition isn't one."""
    journal = Journal().event(LeadCreated(lead_id="crm.definition.applied.v1"), "2026-03-02")
    assert definitions_in(journal.records) == set()
    assert definitions_in(journal.settings(timezone="UTC").records) == {SETTINGS}
