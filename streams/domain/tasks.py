"""Tasks: created, completed, and overdue on the first tick after `due_at`.

Source: docs/domain/tasks.md.
"""

import json
from datetime import datetime

from schemas.derived.effect import Fact, Publication
from schemas.events.task import (
    TaskAssigned,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskOverdue,
    TaskRescheduled,
    TaskStarted,
)
from schemas.state.rows import Task
from streams.domain.module import Module, on
from streams.domain.table import TASKS
from streams.domain.turn import Turn

DUE = "task_due"
"""Timer: a task whose due time has come."""

DONE = ("completed", "cancelled")


def created(turn: Turn, event: TaskCreated) -> None:
    """Count a new task and watch its due time.

    Imported tasks count, but become overdue only when upstream says so: an import starts nothing.
    """
    task = turn.row(TASKS, event.task_id)
    if task.created_ms:
        turn.count("repeated_creation")
        return
    task.created_ms = turn.time_ms
    task.status = task.status or "open"
    task.kind, task.title = event.kind or "", event.title or ""
    task.live = turn.origin == "live"
    _assign(turn, task, event.assignee_id)
    turn.fact(_fact("task_created", event.task_id, task, turn.time_ms))
    if task.status not in DONE:
        _set_due(turn, event.task_id, task, event.due_at)


def assigned(turn: Turn, event: TaskAssigned) -> None:
    """Change the assignee."""
    _assign(turn, turn.row(TASKS, event.task_id), event.assignee_id)


def started(turn: Turn, event: TaskStarted) -> None:
    """Note that somebody is at it; it is still due."""
    task = turn.row(TASKS, event.task_id)
    if task.status not in DONE:
        task.status = "started"


def completed(turn: Turn, event: TaskCompleted) -> None:
    """Count the completion once; a task that was overdue before stays counted as such."""
    task = turn.row(TASKS, event.task_id)
    if task.status in DONE:
        turn.count("repeated_outcome")
        return
    task.status = "completed"
    turn.cancel_timer(DUE, event.task_id)
    turn.fact(_fact("task_completed", event.task_id, task, turn.time_ms)._replace(
        outcome=event.outcome or ""
    ))  # fmt: skip


def cancelled(turn: Turn, event: TaskCancelled) -> None:
    """Stop watching it."""
    task = turn.row(TASKS, event.task_id)
    if task.status not in DONE:
        task.status = "cancelled"
        turn.cancel_timer(DUE, event.task_id)


def rescheduled(turn: Turn, event: TaskRescheduled) -> None:
    """Move the due time; a task that is overdue isn't any more, and never counted as such."""
    task = turn.row(TASKS, event.task_id)
    if task.status in DONE:
        turn.count("rescheduled_after_close")
        return
    if task.overdue_ms:
        fact = _fact("task_overdue", event.task_id, task, task.overdue_ms)
        turn.fact(fact._replace(value=-1, agent=task.overdue_assignee, team=task.overdue_team))
        task.overdue_ms = 0
        _publish(turn, "task_rescheduled", event.task_id, task, event.due_at)
    _set_due(turn, event.task_id, task, event.due_at)


def overdue(turn: Turn, event: TaskOverdue) -> None:
    """Accept upstream's word for it."""
    _become_overdue(turn, event.task_id, turn.time_ms)


def due(turn: Turn, task_id: str) -> None:
    """The due time has come."""
    _become_overdue(turn, task_id, turn.time_ms)


MODULE = Module(
    "tasks",
    (
        on(TaskCreated, created),
        on(TaskAssigned, assigned),
        on(TaskStarted, started),
        on(TaskCompleted, completed),
        on(TaskCancelled, cancelled),
        on(TaskRescheduled, rescheduled),
        on(TaskOverdue, overdue),
    ),
    {DUE: due},
)


def _become_overdue(turn: Turn, task_id: str, since_ms: int) -> None:
    task = turn.row(TASKS, task_id)
    if task.status in DONE or task.overdue_ms:
        return
    task.overdue_ms = since_ms
    task.overdue_assignee, task.overdue_team = task.assignee, task.team
    turn.cancel_timer(DUE, task_id)
    turn.fact(_fact("task_overdue", task_id, task, since_ms))
    _publish(turn, "task_overdue", task_id, task, None)


def _publish(turn: Turn, name: str, task_id: str, task: Task, due_at: datetime | None) -> None:
    if not task.assignee:
        return
    data = {
        "event": name,
        "task_id": task_id,
        "title": task.title,
        "due_ms": _ms(due_at) or task.due_ms,
        "about": turn.subject,
    }
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    turn.publish(name, Publication(f"tasks:#{task.assignee}", text))


def _set_due(turn: Turn, task_id: str, task: Task, due_at: datetime | None) -> None:
    task.due_ms = _ms(due_at)
    if task.due_ms and task.live:
        # A timer fires at or after its time, a task is overdue after it: one millisecond later.
        turn.set_timer(DUE, task_id, task.due_ms + 1)
    else:
        turn.cancel_timer(DUE, task_id)


def _assign(turn: Turn, task: Task, assignee: str | None) -> None:
    task.assignee = assignee or task.assignee
    task.team = turn.agent(task.assignee).team


def _ms(at: datetime | None) -> int:
    return 0 if at is None else round(at.timestamp() * 1000)


def _fact(name: str, task_id: str, task: Task, ended_ms: int) -> Fact:
    return Fact(name, task_id, ended_ms=ended_ms, stage=task.kind, agent=task.assignee,
                team=task.team)  # fmt: skip
