"""Progress of long commands, on standard error: bars on a terminal, else a line now and then."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from infra.commands.output import note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    Report = Callable[[str, int, int], None]

PLAIN_S = 10.0
"""How often a stage says where it is when no terminal can show bars."""


@contextmanager
def bars() -> Iterator[Report]:
    """Show the progress of each stage while the block runs; gives a function (stage, done, total).

    A bar has the rate and the time that is left at it.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    with _moving(console) as report:
        yield report


@contextmanager
def _moving(console: Console) -> Iterator[Report]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Records per second, over the last half minute."""

        def render(self, task: Task) -> Text:
            """Return the rate; nothing before it is known."""
            return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="progress.data.speed")

    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console) as progress:
        tasks = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=max(total, 1))
            progress.update(tasks[stage], completed=done if total else 1, total=max(total, 1))

        yield report


def _lines() -> Report:
    """Return a function that says where a stage is, at most every ten seconds each."""
    began: dict[str, tuple[float, int]] = {}
    said: dict[str, float] = {}

    def report(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        since, at_first = began.setdefault(stage, (now, done))
        if now - said.setdefault(stage, now) < PLAIN_S:
            return
        said[stage] = now
        rate = (done - at_first) / (now - since)
        left = f", {(total - done) / rate:,.0f} s left" if rate > 0 and total > done else ""
        note(f"{stage}: {done:,}/{total:,}, {rate:,.0f}/s{left}")

    return report
