"""What two folds of one journal partition say, compared as bags. Pure.

An effect counts as the same when it says the same about the same at the same event time, whichever
entry or tick brought it about: a notification that comes one tick later is no other notification.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.codec import decode_effect, decode_fact, decode_notify, decode_publication
from schemas.derived.effect import ACTION, FACT, PUBLICATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.domain.effects import Effects

EXAMPLES = 3
"""Effects shown of each kind, name and direction."""


class Said(NamedTuple):
    """An effect without its place in the log."""

    tenant: str
    kind: str
    name: str
    subject: str
    time_ms: int
    data: bytes


class EffectChange(NamedTuple):
    """Effects of one tenant, kind and name that only one of two folds has.

    Args:
        tenant: Tenant.
        kind: `fact`, `action`, …
        name: `lead_sla_breached`, …
        removed: How many only the fold compared with has.
        added: How many only the other one has.
        examples: Some of both, as plain data; `change` says which way.
    """

    tenant: str
    kind: str
    name: str
    removed: int
    added: int
    examples: list[dict[str, Any]]


@dataclass(slots=True)
class EffectBags:
    """The balance of two folds' effects; what both have cancels out at once."""

    balance: Counter[Said] = field(default_factory=Counter)

    def take(self, before: Effects, after: Effects) -> None:
        """Take in what two folds say of the same entries."""
        if before.effects == after.effects:
            return
        self._count(before.effects, -1)
        self._count(after.effects, 1)

    def _count(self, effects: Iterable[tuple[bytes, str, bytes]], sign: int) -> None:
        for _, _, raw in effects:
            effect = decode_effect(raw)
            said = Said(
                effect.tenant,
                effect.kind,
                effect.name,
                effect.subject,
                effect.time_ms,
                effect.data,
            )
            self.balance[said] += sign
            if not self.balance[said]:
                del self.balance[said]

    def changes(self) -> list[EffectChange]:
        """Return what remains, by tenant, kind and name; examples are the earliest."""
        groups: dict[tuple[str, str, str], list[Said]] = {}
        for said in sorted(self.balance):
            groups.setdefault((said.tenant, said.kind, said.name), []).append(said)
        return [self._change(*group, found) for group, found in sorted(groups.items())]

    def _change(self, tenant: str, kind: str, name: str, found: Sequence[Said]) -> EffectChange:
        numbers = [self.balance[said] for said in found]
        examples = []
        for change, sign in (("removed", -1), ("added", 1)):
            some = [said for said in found if self.balance[said] * sign > 0]
            some.sort(key=lambda said: said.time_ms)
            examples += [{"change": change, **_plain(said)} for said in some[:EXAMPLES]]
        return EffectChange(
            tenant,
            kind,
            name,
            -sum(number for number in numbers if number < 0),
            sum(number for number in numbers if number > 0),
            examples,
        )


def _plain(said: Said) -> dict[str, Any]:
    return {"subject": said.subject, "time_ms": said.time_ms, **_data(said)}


def _data(said: Said) -> dict[str, Any]:
    """Return the fields that say something; zeros and empty texts don't."""
    record: Any
    if said.kind == FACT:
        record = decode_fact(said.data)
    elif said.kind == ACTION and said.name == "notify":
        record = decode_notify(said.data)
    elif said.kind == PUBLICATION:
        record = decode_publication(said.data)
    else:
        return {}
    return {name: value for name, value in record._asdict().items() if value and name != "name"}
