"""What the journal would have come to, had some definitions been otherwise: folded offline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.commands.zones import DEFAULT, zones
from infra.comparison.buckets import Choice, compare, summed
from infra.comparison.courses import Courses
from infra.comparison.effects import EffectBags
from infra.comparison.outcome import Outcome
from infra.offline.journal import Journal
from infra.offline.reaching import quiet
from schemas.errors import CorruptLog
from schemas.topics import JOURNAL
from streams.domain.whatif import Name, WhatIf, definitions_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.commands.definition_files import Definition
    from infra.comparison.courses import Parts
    from infra.offline.points import Bounds, Point
    from infra.offline.reaching import Report
    from infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked.

    Args:
        definitions: What they say instead.
        start: From where on; None: from the beginning.
        tenant: Fold this tenant only; empty: all.
        zones: Tenant → time zone, for people.
    """

    definitions: Sequence[Definition]
    start: Point | None
    tenant: str
    zones: Mapping[str, str]


def what_if(settings: Settings, plan: Plan, report: Report = quiet) -> Outcome:
    """Fold the journal as it is now in both courses, partition after partition.

    Nothing is written. Both courses are folded by this version's code, so what differs is what the
    definitions change, and nothing else.

    Raises:
        ConfigurationError: the start isn't a point of the journal.
        CorruptLog: the journal doesn't begin at offset 0.
        Unavailable: the broker stopped answering.
    """
    whatif = WhatIf({_name(each): each.event for each in plan.definitions})
    bags = EffectBags()
    before: Parts = []
    after: Parts = []
    injected: set[Name] = set()
    with Journal(settings) as journal:
        bounds = journal.bounds()
        starts = dict.fromkeys(bounds, 0)
        if plan.start is not None:
            starts = journal.cuts_at(plan.start, "--from")
        for partition, bound in bounds.items():
            it = _Partition(journal, partition, bound, starts[partition], report)
            courses = Courses(partition, whatif, bags, tenant=plan.tenant)
            injected.update(it.run(whatif, courses))
            went, would = courses.parts()
            before += went
            after += would
    sums = summed(before), summed(after)
    return Outcome(
        f"What if {', '.join(each.name for each in plan.definitions)} were otherwise",
        "as it went",
        "what if",
        _about(plan, injected, starts, bounds),
        {partition: end for partition, (_, end) in bounds.items()},
        compare(*sums, Choice(plan.tenant)),
        sums,
        _zones(plan),
        bags.changes(),
    )


class _Partition:
    """One partition of the journal, read twice: for its definitions, and to be folded."""

    def __init__(
        self, journal: Journal, partition: int, bound: Bounds, start: int, report: Report
    ) -> None:
        first, self._end = bound
        if first:
            raise CorruptLog(f"{JOURNAL} partition {partition} begins at {first}, not at 0")
        self._journal, self._partition, self._report = journal, partition, report
        self._start = min(start, self._end)

    def run(self, whatif: WhatIf, courses: Courses) -> list[Name]:
        """Fold both courses to the end; return the definitions that had to be injected."""
        names = whatif.missing(self._held(0, self._start), self._held(self._start, self._end))
        stage = f"folding partition {self._partition}"
        for batch in self._journal.batches(self._partition, 0, self._start):
            courses.together(batch)
            self._report(stage, batch[-1].offset + 1, self._end)
        parted = False
        for batch in self._journal.batches(self._partition, self._start, self._end):
            if parted:
                courses.apart(batch)
            else:
                courses.part(names, batch)
                parted = True
            self._report(stage, batch[-1].offset + 1, self._end)
        return names if parted else []

    def _held(self, start: int, end: int) -> set[Name]:
        found: set[Name] = set()
        stage = f"definitions in partition {self._partition}"
        for batch in self._journal.batches(self._partition, start, end):
            found |= definitions_in(batch)
            self._report(stage, batch[-1].offset + 1, self._end)
        return found


def _about(
    plan: Plan, injected: set[Name], starts: Mapping[int, int], bounds: Mapping[int, Bounds]
) -> list[tuple[str, str]]:
    entries = sum(end for _, end in bounds.values())
    about = [("journal", f"{entries:,} entries in partitions 0 to {max(bounds)}")]
    if plan.start is not None:
        about.append(("from", ", ".join(f"{p}:{at}" for p, at in sorted(starts.items()))))
    for each in plan.definitions:
        how = "from the start on" if _name(each) in injected else "wherever the journal applies it"
        about.append((each.name, f"otherwise {how}"))
    return about


def _zones(plan: Plan) -> dict[str, tuple[str, str]]:
    """Return each tenant's zone as it is and as it would be."""
    found = {tenant: (zone, zone) for tenant, zone in plan.zones.items()}
    for tenant, zone in zones({_name(each): each for each in plan.definitions}).items():
        found[tenant] = (plan.zones.get(tenant, DEFAULT), zone)
    return found


def _name(definition: Definition) -> Name:
    return Name(definition.tenant, definition.event.kind, definition.event.id)
