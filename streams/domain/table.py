"""The fold's tables: a one-byte key prefix each, one changelog for all."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from schemas.derived.metric import MetricPartial
from schemas.state import rows

Row = TypeVar("Row")

HEAD_KEY = b"!head"


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """One table.

    Args:
        name: As in `app.tables[name]`.
        prefix: First byte of its changelog keys; never reused for another table.
        row: Class of a row; a missing row starts as `row()`.
        reference: Read far more often than written (agents, settings): rows stay decoded.
    """

    name: str
    prefix: bytes
    row: type[Row]
    reference: bool = False


SUBJECTS = Table("subjects", b"s", rows.Subject)
DEALS = Table("deals", b"d", rows.Deal)
LEADS = Table("leads", b"l", rows.Lead)
TASKS = Table("tasks", b"k", rows.Task)
CONVERSATIONS = Table("conversations", b"c", rows.Conversation)
MESSAGES = Table("messages", b"g", rows.Message)
AGENTS = Table("agents", b"a", rows.Agent, reference=True)
SETTINGS = Table("settings", b"e", rows.TenantSettings, reference=True)

METRICS = Table("metrics", b"m", MetricPartial)
HOURS = Table("hours", b"h", MetricPartial)
TIMERS = Table("timers", b"t", rows.Timer)

ENTITIES: tuple[Table[Any], ...] = (
    SUBJECTS,
    DEALS,
    LEADS,
    TASKS,
    CONVERSATIONS,
    MESSAGES,
    AGENTS,
    SETTINGS,
)
"""Tables whose rows the domain modules change."""

TABLES: tuple[Table[Any], ...] = (*ENTITIES, METRICS, HOURS, TIMERS)
"""All of them; metric buckets of the hours that still change are apart, because they are closed."""
