"""`crm.task.*`: things to do."""

from typing import ClassVar

from schemas.events.event import PersonEvent
from schemas.events.fields import Identifier, Instant, Label, Line, Text


class TaskEvent(PersonEvent):
    """An event about one task; every type may repeat what is known of it."""

    SUBJECT = (("contact", "contact_id"), ("task", "task_id"))

    task_id: Identifier
    kind: Label | None = None
    priority: Label | None = None
    due_at: Instant | None = None
    assignee_id: Identifier | None = None
    related_to: Label | None = None
    outcome: Text | None = None


class TaskCreated(TaskEvent):
    """A task was set."""

    TYPE = "crm.task.created.v1"
    EXAMPLE: ClassVar = {
        "task_id": "k-5",
        "title": "Call Acme back",
        "kind": "call",
        "priority": "high",
        "due_at": "2026-03-02T15:00:00Z",
        "assignee_id": "a-7",
        "related_to": "deal/d-77",
    }

    title: Line | None = None


class TaskAssigned(TaskEvent):
    """A task got another assignee."""

    TYPE = "crm.task.assigned.v1"
    EXAMPLE: ClassVar = {"task_id": "k-5", "assignee_id": "a-8"}


class TaskStarted(TaskEvent):
    """Someone began."""

    TYPE = "crm.task.started.v1"
    EXAMPLE: ClassVar = {"task_id": "k-5", "assignee_id": "a-8"}


class TaskCompleted(TaskEvent):
    """A task was done."""

    TYPE = "crm.task.completed.v1"
    EXAMPLE: ClassVar = {"task_id": "k-5", "assignee_id": "a-8", "outcome": "reached"}


class TaskOverdue(TaskEvent):
    """Upstream says a task is overdue; Daybook also finds out by itself."""

    TYPE = "crm.task.overdue.v1"
    EXAMPLE: ClassVar = {"task_id": "k-5", "due_at": "2026-03-02T15:00:00Z"}


class TaskRescheduled(TaskEvent):
    """A task is due at another time; without `due_at` at none."""

    TYPE = "crm.task.rescheduled.v1"
    EXAMPLE: ClassVar = {"task_id": "k-5", "due_at": "2026-03-03T09:00:00Z"}


class TaskCancelled(TaskEvent):
    """A task need not be done any more."""

    TYPE = "crm.task.cancelled.v1"
    EXAMPLE: ClassVar = {"task_id": "k-5", "outcome": "deal lost"}
