"""The journal as it would be, had a tenant decided otherwise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.codec import decode_entry, decode_event, encode_entry, encode_event
from schemas.definitions.applied import DefinitionApplied
from schemas.journal import DEFINITION, Entry
from streams.domain.fold import Record
from streams.domain.selection import Altered

ORIGIN = "what-if"
"""Origin, source and source topic of a definition that the journal doesn't hold."""
_TYPE = DefinitionApplied.TYPE.encode()


class Name(NamedTuple):
    """Which definition: its newest version is in effect."""

    tenant: str
    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Some definitions, otherwise.

    Args:
        definitions: Name → what it says instead, in every version from the chosen start on.
    """

    definitions: dict[Name, DefinitionApplied]

    def missing(self, before: Iterable[Name], after: Iterable[Name]) -> list[Name]:
        """Return the definitions that must be injected where the other course begins.

        Args:
            before: Those in effect at the start: the other version replaces them at once.
            after: Those that appear later: the other version takes effect when they do.

        Returns:
            In the order of `definitions`: those in effect, and those that never appear.
        """
        held, coming = set(before), set(after)
        return [name for name in self.definitions if name in held or name not in coming]

    def injected(self, names: Iterable[Name], *, at: int, time_ms: int) -> list[Record]:
        """Return the records that put definitions into effect where the other course begins.

        Args:
            names: Which.
            at: First journal offset of that course. The records carry the offset before it, so
                that the journal goes on densely after them.
            time_ms: Their event time.
        """
        return [
            Altered(at - 1, encode_entry(_entry(name, self.definitions[name], number, time_ms)))
            for number, name in enumerate(names)
        ]

    def applied_to(self, records: Sequence[Record]) -> list[Record]:
        """Return consecutive records, the definitions in them replaced; all else is as it was."""
        return [self._otherwise(record) for record in records]

    def _otherwise(self, record: Record) -> Record:
        entry = _definition(record)
        if entry is None:
            return record
        instead = self.definitions.get(_name(entry))
        if instead is None:
            return record
        return Altered(record.offset, encode_entry(entry._replace(data=encode_event(instead))))


def definitions_in(records: Iterable[Record]) -> set[Name]:
    """Return the names of the definitions that some records apply."""
    return {_name(entry) for record in records if (entry := _definition(record)) is not None}


def _definition(record: Record) -> Entry | None:
    # Nearly every entry is an event: looking for the type in its bytes spares decoding it.
    if _TYPE not in record.value:
        return None
    entry = decode_entry(record.value)
    return entry if entry.kind == DEFINITION else None


def _name(entry: Entry) -> Name:
    applied = decode_event(entry.data)
    if not isinstance(applied, DefinitionApplied):  # kind `definition`, so only a later version
        return Name(entry.tenant, entry.type, entry.id)
    return Name(entry.tenant, applied.kind, applied.id)


def _entry(name: Name, event: DefinitionApplied, number: int, time_ms: int) -> Entry:
    return Entry(
        DEFINITION,
        copy=False,
        id=f"{ORIGIN}/{number}",
        type=event.TYPE,
        source=ORIGIN,
        tenant=name.tenant,
        subject=event.derived_subject(),
        time_ms=time_ms,
        recorded_ms=time_ms,
        origin=ORIGIN,
        origin_topic=ORIGIN,
        origin_partition=0,
        origin_offset=number,
        data=encode_event(event),
    )
