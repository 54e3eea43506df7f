"""What a reconciliation found, in words and numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.verification.comparing import CLICKHOUSE, FOLD, TABLE, VALKEY
from infra.verification.sums import Sum
from schemas.codec import decode_partial
from schemas.derived.metric import MetricKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from infra.verification.comparing import Differing, Total
    from infra.verification.tally import Group
    from infra.verification.tracing import Behind, EntryRef


VIEWS = (FOLD, TABLE, CLICKHOUSE, VALKEY)
FACT_VIEWS = (FOLD, CLICKHOUSE)


class Finding(NamedTuple):
    """One bucket or row that differs.

    Args:
        view: `table`, `ClickHouse` or `Valkey`.
        what: `metric`, or the scope of the facts.
        tenant: Tenant id.
        partition: Of the journal.
        name: The bucket's key without its tenant, or the type and number of the row.
        stored: What the view has; None: nothing.
        folded: What the fold says; None: nothing.
        entries: Journal entries behind it, the newest ones.
        entries_total: How many there are.
    """

    view: str
    what: str
    tenant: str
    partition: int
    name: str
    stored: str | None
    folded: str | None
    entries: Sequence[EntryRef]
    entries_total: int

    def lines(self) -> Iterator[str]:
        """Yield what a person reads: the difference, then its entries."""
        yield (
            f"{self.view}: {self.tenant} {self.name} partition {self.partition}: "
            f"stored {self.stored or 'nothing'}, folded {self.folded or 'nothing'}"
        )
        for entry in self.entries:
            identity = f" id {entry.id}" if entry.id else ""
            yield f"    entry {self.partition}:{entry.offset} {entry.type}{identity}"
        hidden = self.entries_total - len(self.entries)
        if hidden > 0:
            yield f"    and {hidden:,} before them"

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {**self._asdict(), "entries": [entry._asdict() for entry in self.entries]}


class TenantFacts(NamedTuple):
    """Facts of a tenant that are reported together."""

    tenant: str
    scope: str


@dataclass(slots=True)
class Result:
    """One reconciliation.

    Args:
        generation: Whose.
        cuts: Partition → journal offset below which everything was compared.
        sums: View → total → parts and hashes.
        facts: View (`fold` or `ClickHouse`) → (tenant, scope) → rows and hashes.
        findings: What differs.
        folded: Entries folded for it.
        begun_at: Partition → offset of the snapshot the fold began with; 0: none.
    """

    generation: int
    cuts: Mapping[int, int]
    sums: dict[str, dict[Total, Sum]] = field(default_factory=dict)
    facts: dict[str, dict[TenantFacts, Sum]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    folded: int = 0
    begun_at: dict[int, int] = field(default_factory=dict)

    @property
    def agree(self) -> bool:
        """Whether all views say the same."""
        return not self.findings

    @property
    def parts(self) -> int:
        """Metric bucket parts that the fold knows."""
        return sum(each.rows for each in self.sums.get(FOLD, {}).values())

    @property
    def rows(self) -> int:
        """Facts that the fold knows."""
        return sum(each.rows for each in self.facts.get(FOLD, {}).values())

    def hash(self) -> str:
        """Return the hash of everything the fold has."""
        total = Sum()
        for each in (*self.sums.get(FOLD, {}).values(), *self.facts.get(FOLD, {}).values()):
            total = total.plus(*each)
        return f"{total.hash:016x}"

    def add_sums(self, view: str, more: Mapping[Total, Sum]) -> None:
        """Add one partition's."""
        sums = self.sums.setdefault(view, {})
        for total, each in more.items():
            sums[total] = sums.get(total, Sum()).plus(*each)

    def add_fact(self, view: str, group: Group, each: Sum) -> None:
        """Add one partition's group."""
        sums = self.facts.setdefault(view, {})
        key = TenantFacts(group.tenant, group.scope)
        sums[key] = sums.get(key, Sum()).plus(*each)

    def table(self) -> list[dict[str, Any]]:
        """Return one row per tenant and kind of thing: count, and a hash for each view."""
        shown: dict[tuple[str, str], dict[str, Sum]] = {}
        for view, sums in self.sums.items():
            for total, each in sums.items():
                what = (total.tenant, f"metrics by {total.grain}")
                known = shown.setdefault(what, dict.fromkeys(VIEWS, Sum()))
                known[view] = known[view].plus(*each)
        for view, facts in self.facts.items():
            for (tenant, scope), each in facts.items():
                shown.setdefault((tenant, scope), dict.fromkeys(FACT_VIEWS, Sum()))[view] = each
        return [
            {
                "tenant": tenant,
                "what": what,
                **{
                    view: {"rows": each.rows, "hash": f"{each.hash:016x}"}
                    for view, each in views.items()
                },
                "agree": len(set(views.values())) == 1,
            }
            for (tenant, what), views in sorted(shown.items())
        ]


def of_part(each: Differing, partition: int, behind: Behind) -> Finding:
    """Return the finding about a metric bucket."""
    key = MetricKey.parse(each.key.decode())
    return Finding(
        each.view,
        "metric",
        key.tenant,
        partition,
        f"{key.metric} {key.grain} {key.bucket_ms} {key.dimension or 'total'} {key.member}".strip(),
        _short(each.stored),
        _short(each.folded),
        behind.entries,
        behind.total,
    )


def of_row(
    view: str, group: Group, partition: int, name: str, entry: EntryRef, *, difference: str
) -> Finding:
    """Return the finding about one row of facts.

    Args:
        view: Which view.
        group: Of the row.
        partition: Of the journal.
        name: What tells it from the others of its group.
        entry: Behind it.
        difference: `missing`, `extra` or `changed`.
    """
    stored = {"missing": None, "extra": "a row", "changed": "another row"}[difference]
    folded = None if difference == "extra" else "a row"
    return Finding(
        view, group.scope, group.tenant, partition, f"{group.kind} {name}", stored, folded,
        [entry], 1,
    )  # fmt: skip


def _short(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    value = decode_partial(raw)
    return f"count {value.count} sum {value.sum} at offset {value.offset}"
