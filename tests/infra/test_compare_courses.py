"""Laws of folding a partition as it went and as it would have gone."""

from hypothesis import given, settings

from infra.comparison.buckets import Choice, Compared, compare, summed
from infra.comparison.courses import Courses
from infra.comparison.effects import EffectBags, EffectChange
from schemas.definitions.applied import DefinitionApplied
from schemas.derived.metric import MetricKey
from schemas.events.lead import LeadContacted, LeadCreated
from streams.domain.whatif import Name, WhatIf, definitions_in
from tests.streams.drawn_journals import journals
from tests.streams.journal_builder import Journal, ms

SETTINGS = Name("acme", "settings", "default")
BATCH = 5


def otherwise(journal: Journal, spec: str, start: int = 0) -> tuple[Compared, list[EffectChange]]:
    """Compare a journal with the one in which acme's settings say `spec` from `start` on."""
    applied = DefinitionApplied(kind="settings", id="default", spec=spec)
    whatif, bags, records = WhatIf({SETTINGS: applied}), EffectBags(), journal.records
    courses = Courses(0, whatif, bags)
    if start:
        courses.together(records[:start])
    names = whatif.missing(definitions_in(records[:start]), definitions_in(records[start:]))
    for at in range(start, len(records), BATCH):
        batch = records[at : at + BATCH]
        if at == start:
            courses.part(names, batch)
        else:
            courses.apart(batch)
    before, after = courses.parts()
    return compare(summed(before), summed(after), Choice()), bags.changes()


def lead(journal: Journal, name: str, created: str, contacted: str | None = None) -> None:
    """Append a lead's creation and first contact."""
    journal.event(LeadCreated(lead_id=name, owner_id="ann"), created)
    if contacted:
        journal.event(LeadContacted(lead_id=name), contacted)


def with_sla(hours: int) -> Journal:
    """Return leads contacted after 1, 3 and 5 hours, and one never, under an SLA."""
    journal = Journal().settings(first_contact_within=f"PT{hours}H")
    for number, after in enumerate((1, 3, 5, 0)):
        contacted = f"2026-03-02T{10 + after}:00" if after else None
        journal.event(LeadCreated(lead_id=f"l{number}", owner_id="ann"), "2026-03-02T10:00")
        if contacted:
            journal.tick(f"2026-03-02T{9 + after}:59")
            journal.event(LeadContacted(lead_id=f"l{number}"), contacted)
    return journal.tick("2026-03-02T20:00")


@given(journals(), journals())
@settings(max_examples=25)
def test_the_same_definitions_change_nothing(journal: Journal, later: Journal) -> None:
    """A course that says what was said differs in no bucket and no effect."""
    same = Journal().settings(timezone="Europe/Berlin")
    for record in [*journal.records, *later.records]:
        if not definitions_in([record]):
            same.records.append(record._replace(offset=len(same.records)))
    compared, changes = otherwise(same, '{"timezone": "Europe/Berlin"}')
    assert (compared.differences, changes) == ([], [])


def test_another_zone_moves_exactly_the_days_that_lie_otherwise() -> None:
    """23:30 UTC is the next day in Berlin, noon is not; effects and all-time values stay."""
    journal = Journal().settings(timezone="UTC")
    lead(journal, "night", "2026-03-02T23:30")
    lead(journal, "noon", "2026-03-04T12:00")
    compared, changes = otherwise(journal, '{"timezone": "Europe/Berlin"}')
    totals = {
        (found.key.bucket_ms, found.before.sum, found.after.sum)
        for found in compared.differences
        if not found.key.dimension
    }
    assert totals == {
        (ms("2026-03-02T00:00"), 1, 0),
        (ms("2026-03-02T23:00"), 0, 1),
        (ms("2026-03-04T00:00"), 1, 0),
        (ms("2026-03-03T23:00"), 0, 1),
    }
    assert {found.key.grain for found in compared.differences} == {"day"}
    assert changes == []


def test_another_sla_changes_exactly_the_breaches() -> None:
    """Four hours instead of two: the lead contacted after three is no breach any more."""
    compared, changes = otherwise(with_sla(2), '{"first_contact_within": "PT4H"}')
    assert {found.key.metric for found in compared.differences} == {"leads_sla_breached"}
    all_time = MetricKey("acme", "leads_sla_breached", "all", 0, "", "")
    (found,) = (each for each in compared.differences if each.key == all_time)
    assert (found.before.sum, found.after.sum) == (3, 2)
    # Those that remain are said of another due time, so they are removed and added.
    counted = {(change.name, change.removed, change.added) for change in changes}
    assert counted == {("notify", 3, 2), ("lead_sla_breached", 3, 2)}


def test_a_definition_the_journal_does_not_hold_is_injected() -> None:
    """Leads without any SLA, had there been one."""
    journal = Journal().tick("2026-03-02T09:00")
    lead(journal, "never", "2026-03-02T10:00")
    journal.tick("2026-03-02T20:00")
    compared, changes = otherwise(journal, '{"first_contact_within": "PT4H"}')
    assert {found.key.metric for found in compared.differences} == {"leads_sla_breached"}
    assert [(change.name, change.added) for change in changes if change.kind == "fact"] == [
        ("lead_sla_breached", 1)
    ]


def test_what_lies_before_the_start_stays() -> None:
    """Another zone from the third record on moves the later lead only."""
    journal = Journal().settings(timezone="UTC")
    lead(journal, "early", "2026-03-02T23:30")
    lead(journal, "late", "2026-03-05T23:30")
    compared, _ = otherwise(journal, '{"timezone": "Europe/Berlin"}', start=2)
    assert {found.key.bucket_ms for found in compared.differences} == {
        ms("2026-03-05T00:00"),
        ms("2026-03-05T23:00"),
    }


def test_hours_closed_in_one_course_keep_their_last_value() -> None:
    """A shorter retention closes hours earlier and changes none that was counted in time."""
    journal = Journal().settings(hour_retention="P30D").tick("2026-03-02T10:00")
    lead(journal, "l", "2026-03-02T10:20")
    journal.tick("2026-03-12T00:00")
    compared, changes = otherwise(journal, '{"hour_retention": "P2D"}')
    assert (compared.differences, changes) == ([], [])


def test_examples_name_both_directions() -> None:
    """People want to see what would be said and what wouldn't."""
    _, changes = otherwise(with_sla(2), '{"first_contact_within": "PT6H"}')
    (breach,) = (change for change in changes if change.kind == "fact")
    assert {example["change"] for example in breach.examples} == {"removed", "added"}
    assert {example["entity"] for example in breach.examples} == {"l1", "l2", "l3"}
