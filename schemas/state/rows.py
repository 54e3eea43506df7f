"""One class per table of the fold; what a row holds between entries.

Rows are replaced, not shared: the fold decodes a working copy, changes it, and encodes it once per
batch.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Head:
    """Where one journal partition stands; one row per partition, written in every transaction.

    Args:
        applied: Journal offset of the last entry applied; -1 before the first.
        now_ms: Fold time: highest tick applied, UTC ms.
        seq: Sequence number of the next effect.
        sources: `topic:partition` → highest source offset applied in this journal partition.
    """

    applied: int = -1
    now_ms: int = 0
    seq: int = 0
    sources: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Timer:
    """A wake-up. Key `module|tenant|entity`, so setting it again replaces it.

    Args:
        due_ms: Fires on the first tick at or after this fold time, UTC ms.
        subject: Of the entry that set it; effects of the firing carry it.
    """

    due_ms: int
    subject: str


@dataclass(slots=True)
class Subject:
    """Remembers the last 64 event identities of one subject, so that a repeat changes nothing.

    Args:
        seen: Up to 64 times 8 bytes, oldest first: BLAKE2b-64 of `source` NUL `id`.
    """

    seen: bytes = b""


@dataclass(slots=True)
class Deal:
    """One deal. Key `tenant|deal_id`.

    `owner`, `team` and `region` are what the deal was last counted under, so that taking it out of
    a stage, or a win back, changes exactly the buckets that were changed before; likewise
    `cycle_started_ms`, the start of the sales cycle that was counted.
    """

    stage: str = ""
    stage_since_ms: int = 0
    created_ms: int = 0
    engaged_ms: int = 0
    closed_ms: int = 0
    cycle_started_ms: int = 0
    outcome: str = ""
    amount_minor: int = 0
    currency: str = ""
    owner: str = ""
    team: str = ""
    region: str = ""
    product: str = ""
    lead_source: str = ""
    campaign: str = ""


@dataclass(slots=True)
class Lead:
    """One lead. Key `tenant|lead_id`.

    `converted_*` are whom the conversion was counted for, so that reopening takes it from them.
    """

    created_ms: int = 0
    status: str = ""
    status_since_ms: int = 0
    owner: str = ""
    team: str = ""
    region: str = ""
    lead_source: str = ""
    campaign: str = ""
    contacted_ms: int = 0
    qualified_ms: int = 0
    converted_ms: int = 0
    converted_owner: str = ""
    converted_team: str = ""
    converted_region: str = ""
    converted_campaign: str = ""
    converted_lead_source: str = ""
    disqualified_ms: int = 0


@dataclass(slots=True)
class Task:
    """One task. Key `tenant|task_id`.

    `overdue_*` are when and for whom it was counted as overdue, so that rescheduling takes it back
    there.
    """

    created_ms: int = 0
    status: str = ""
    due_ms: int = 0
    assignee: str = ""
    team: str = ""
    kind: str = ""
    title: str = ""
    overdue_ms: int = 0
    overdue_assignee: str = ""
    overdue_team: str = ""
    live: bool = True


@dataclass(slots=True)
class Conversation:
    """One conversation. Key `tenant|conversation_id`."""

    channel: str = ""
    agent: str = ""
    waiting_since_ms: int = 0
    replied_ms: int = 0


@dataclass(slots=True)
class Message:
    """One outbound message. Key `tenant|message_id`. Earliest time of each state; 0 = not yet."""

    channel: str = ""
    campaign: str = ""
    sent_ms: int = 0
    delivered_ms: int = 0
    opened_ms: int = 0
    clicked_ms: int = 0
    bounced_ms: int = 0


@dataclass(slots=True)
class Agent:
    """Reference data, in every partition. Key `tenant|agent_id`."""

    name: str = ""
    team: str = ""
    manager: str = ""
    region: str = ""


@dataclass(slots=True)
class TenantSettings:
    """Definition `settings/default` of a tenant as the fold needs it. Key `tenant`.

    `hours_closed_ms` is no setting: the end of the newest hour whose buckets were closed in this
    partition, UTC ms. Nothing counts in an hour before it, whatever the retention becomes.
    """

    timezone: str = "UTC"
    currency: str = "USD"
    first_contact_within_ms: int = 0
    hour_retention_ms: int = 35 * 86_400_000
    hours_closed_ms: int = 0
