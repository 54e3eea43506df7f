"""Laws of tasks."""

from schemas.events.agent import AgentCreated
from schemas.events.event import Event
from schemas.events.task import (
    TaskAssigned,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskOverdue,
    TaskRescheduled,
    TaskStarted,
)
from streams.domain.table import TASKS
from tests.streams.journal_builder import Journal, ms

DUE = "2026-03-02T15:00:00Z"


def task(due: str | None = DUE, assignee: str = "ann") -> Event:
    """Return the creation of task `k`."""
    return TaskCreated.model_validate(
        {"task_id": "k", "due_at": due, "assignee_id": assignee, "title": "Call Acme"}
    )


def given(origin: str = "live") -> Journal:
    """Return a journal with agent `ann` of team `east` and the task."""
    journal = Journal().event(AgentCreated(agent_id="ann", team_id="east"), "2026-01-01")
    return journal.event(task(), "2026-03-01", origin=origin)


def test_task_is_overdue_on_the_first_tick_after_its_due_time() -> None:
    """Not at the due time itself, but on the first tick after it, wherever that is."""
    journal = given().tick("2026-03-02T15:00:00")
    assert journal.fold().total("tasks_overdue") == 0
    folded = journal.tick("2026-03-02T15:00:00.250").fold()
    assert folded.total("tasks_overdue", "team", "east") == 1
    (fact,) = folded.facts("task_overdue")
    assert fact.ended_ms == ms(DUE) + 1


def test_overdue_task_is_published_to_its_assignee() -> None:
    """The assignee's channel gets one publication that says which task and since when."""
    folded = given().tick("2026-03-03T00:00").tick("2026-03-04T00:00").fold()
    ((channel, data),) = folded.publications()
    assert channel == "tasks:#ann"
    assert data == {
        "event": "task_overdue", "task_id": "k", "title": "Call Acme", "due_ms": ms(DUE),
        "about": "task/k",
    }  # fmt: skip


def test_overdue_fires_once_after_an_outage() -> None:
    """A week without ticks: one overdue, counted on the day it was due."""
    folded = given().tick("2026-03-09T00:00").tick("2026-03-09T00:00:01").fold()
    assert folded.day("tasks_overdue", "2026-03-02") == 1
    assert len(folded.facts("task_overdue")) == 1


def test_rescheduling_undoes_overdue() -> None:
    """The day it was counted on is taken back, the assignee is told, the new due time counts."""
    later = TaskRescheduled.model_validate({"task_id": "k", "due_at": "2026-03-05T09:00:00Z"})
    journal = given().tick("2026-03-03").event(later, "2026-03-03T10:00")
    folded = journal.tick("2026-03-04").fold()
    assert folded.day("tasks_overdue", "2026-03-02") == 0
    assert folded.publications()[-1][1]["event"] == "task_rescheduled"
    again = journal.tick("2026-03-06").fold()
    assert again.day("tasks_overdue", "2026-03-05") == 1
    assert again.total("tasks_overdue") == 1


def test_completed_or_cancelled_task_never_becomes_overdue() -> None:
    """Whoever is done has nothing due."""
    for done in (TaskCompleted(task_id="k"), TaskCancelled(task_id="k")):
        folded = given().event(done, "2026-03-02").tick("2026-03-09").fold()
        assert folded.total("tasks_overdue") == 0


def test_completion_counts_once() -> None:
    """The second completion, and a cancellation after it, change nothing."""
    journal = given()
    for at in ("2026-03-02", "2026-03-03"):
        journal.event(TaskCompleted(task_id="k", outcome="reached"), at)
    folded = journal.event(TaskCancelled(task_id="k"), "2026-03-04").fold()
    assert folded.total("tasks_completed", "agent", "ann") == 1
    assert folded.facts("task_completed")[0].outcome == "reached"


def test_rescheduling_a_completed_task_starts_nothing() -> None:
    """It stays completed."""
    later = TaskRescheduled.model_validate({"task_id": "k", "due_at": "2026-03-05T09:00:00Z"})
    journal = given().event(TaskCompleted(task_id="k"), "2026-03-02").event(later, "2026-03-02")
    folded = journal.tick("2026-03-09").fold()
    assert folded.total("tasks_overdue") == 0
    assert folded.counts()["rescheduled_after_close"] == 1


def test_rescheduling_without_a_time_means_no_due_time() -> None:
    """A task may stop being due at all."""
    folded = given().event(TaskRescheduled(task_id="k"), "2026-03-02").tick("2026-03-09").fold()
    assert folded.total("tasks_overdue") == 0


def test_imported_task_starts_nothing() -> None:
    """An import counts in history; what was due long ago doesn't ring now."""
    folded = given(origin="import").tick("2026-03-09").fold()
    assert folded.total("tasks_created") == 1
    assert folded.total("tasks_overdue") == 0
    assert not folded.publications()


def test_upstreams_overdue_is_not_counted_again() -> None:
    """Upstream and our timer say the same thing: once."""
    journal = given().event(TaskOverdue(task_id="k"), "2026-03-02T15:00:01").tick("2026-03-09")
    assert journal.fold().total("tasks_overdue") == 1


def test_overdue_is_taken_back_from_whom_it_was_counted_for() -> None:
    """Reassigned while overdue, then rescheduled: nobody keeps half of it."""
    later = TaskRescheduled.model_validate({"task_id": "k", "due_at": "2026-03-05T09:00:00Z"})
    journal = given().tick("2026-03-03")
    journal.event(TaskAssigned(task_id="k", assignee_id="bo"), "2026-03-03")
    folded = journal.event(later, "2026-03-03T10:00").fold()
    assert folded.total("tasks_overdue", "agent", "ann") == 0
    assert folded.total("tasks_overdue", "agent", "bo") == 0


def test_what_is_over_stays_over() -> None:
    """A start or upstream's overdue after completion change nothing; overdue twice is once."""
    journal = given().event(TaskOverdue(task_id="k"), "2026-03-02T16:00")
    journal.event(TaskOverdue(task_id="k"), "2026-03-02T17:00")
    journal.event(TaskCompleted(task_id="k"), "2026-03-02T18:00")
    journal.event(TaskStarted(task_id="k"), "2026-03-02T19:00")
    folded = journal.event(TaskOverdue(task_id="k"), "2026-03-02T20:00").fold()
    assert folded.total("tasks_overdue") == 1
    assert folded.state.find(TASKS, b"acme|k") is not None


def test_new_assignee_is_the_one_told() -> None:
    """Publication and count follow the assignment, a start changes neither."""
    journal = given().event(TaskAssigned(task_id="k", assignee_id="bo"), "2026-03-01T10:00")
    folded = journal.event(TaskStarted(task_id="k"), "2026-03-01T11:00").tick("2026-03-09").fold()
    assert folded.publications()[0][0] == "tasks:#bo"
    assert folded.total("tasks_overdue", "agent", "bo") == 1


def test_task_without_assignee_has_no_channel() -> None:
    """It is counted, and nobody is told."""
    created = TaskCreated.model_validate({"task_id": "k", "due_at": DUE})
    folded = Journal().event(created, "2026-03-01").tick("2026-03-09").fold()
    assert folded.total("tasks_overdue") == 1
    assert not folded.publications()


def test_creation_told_late_still_counts_and_is_watched() -> None:
    """Started first: the creation counts and sets the due time; completed first: it only counts."""
    journal = Journal().event(TaskStarted(task_id="k"), "2026-03-01").event(task(), "2026-03-01")
    folded = journal.tick("2026-03-09").fold()
    assert (folded.total("tasks_created"), folded.total("tasks_overdue")) == (1, 1)
    journal = Journal().event(TaskCompleted(task_id="k"), "2026-03-01").event(task(), "2026-03-01")
    folded = journal.tick("2026-03-09").fold()
    assert (folded.total("tasks_created"), folded.total("tasks_overdue")) == (1, 0)


def test_second_creation_changes_nothing() -> None:
    """The first one stands."""
    folded = given().event(task(None, "bo"), "2026-03-01T12:00").fold()
    assert folded.total("tasks_created") == 1
    assert folded.counts()["repeated_creation"] == 1
