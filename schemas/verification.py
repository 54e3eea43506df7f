"""`ops.verification.v1`: what reconciliations found."""

from typing import NamedTuple

EQUAL, DIFFERENT, UNAVAILABLE = "equal", "different", "unavailable"
OUTCOMES = (EQUAL, DIFFERENT, UNAVAILABLE)
EVERYBODY = "*"
"""The scope of a reconciliation of all tenants."""


class Verification(NamedTuple):
    """One reconciliation (Avro single-object; Kafka key: its scope).

    Args:
        scope: Tenant id, or `*`.
        generation: Whose tables, rows, values and fold were compared.
        outcome: `equal`, `different` or `unavailable`.
        started_ms: Start, UTC ms.
        ended_ms: End, UTC ms.
        cuts: Journal offset, by partition, below which everything was compared.
        folded: Entries folded for it; those before a snapshot's offset needed no fold.
        parts: Metric bucket parts compared with each view.
        facts: Rows of events, effects and closed hours compared.
        hash: Of all parts and facts as the fold has them, 16 hexadecimal digits; order-independent.
        differences: How many buckets and rows differ.
        findings: JSON text of the first of them, each with the journal entries behind it.
        problem: Of outcome `unavailable`: what didn't answer.
    """

    scope: str
    generation: int
    outcome: str
    started_ms: int
    ended_ms: int
    cuts: list[int]
    folded: int = 0
    parts: int = 0
    facts: int = 0
    hash: str = ""
    differences: int = 0
    findings: list[str] = []  # noqa: RUF012 - a named tuple's default; nobody changes it
    problem: str = ""
