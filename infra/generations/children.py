"""The processes of a generation that isn't live, run beside the live ones by a command."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from infra.embedded.spawn import tied
from infra.generations.running import Name
from schemas.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from infra.settings import Settings
    from schemas.generation import Generation

ALL: tuple[Name, ...] = get_args(Name)
STOP_S = 30.0
PAUSE_S = 1.0
STARTS_MOST = 5
"""Starts of one process within `STEADY_S` of each other, after which something is wrong with it."""
STEADY_S = 60.0
GIVEN_UP = 410
CONFIGURATION = 2


@dataclass(slots=True)
class _Child:
    """One process and its restarts."""

    name: Name
    log: Path
    starts: list[float] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None


class Children:
    """Starts worker, sink and live of one generation, and ends them at the end of the block.

    They end with this process, however it ends, and go on where they stopped when they are started
    again. Their output goes to files below `<data>/replay`. Use in the main thread: the kernel ties
    a process to the thread that made it.

    Args:
        settings: Handed on to them.
        generation: Which one they work for.
        names: Which of them; a part of the data needs no sink.
    """

    def __init__(
        self, settings: Settings, generation: Generation, names: Sequence[Name] = ALL
    ) -> None:
        self._settings, self._generation = settings, generation
        folder = settings.data.resolve() / "replay" / f"g{generation.number}"
        folder.mkdir(parents=True, exist_ok=True)
        self._children = [_Child(name, folder / f"{name}.log") for name in names]

    def __enter__(self) -> Self:
        """Start them."""
        try:
            for child in self._children:
                self._start(child)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End them, in order."""
        self.stop()

    def check(self) -> None:
        """Start those again that have ended; call it while waiting for them.

        Raises:
            Refused: one keeps ending, or the generation was given up by another command.
        """
        for child in self._children:
            process = child.process
            if process is None or process.poll() is None:
                continue
            if process.returncode == 0:
                number = self._generation.number
                raise Refused(GIVEN_UP, f"generation {number} was given up by another command")
            recent = [at for at in child.starts if time.monotonic() - at < STEADY_S]
            if process.returncode == CONFIGURATION or len(recent) >= STARTS_MOST:
                raise Refused(
                    GIVEN_UP,
                    f"the {child.name} of generation {self._generation.number} keeps ending "
                    f"(exit {process.returncode}): {_last_line(child.log)} (log: {child.log})",
                )
            if time.monotonic() - child.starts[-1] >= PAUSE_S:
                self._start(child)

    def stop(self) -> None:
        """End them: SIGTERM, later SIGKILL; returns when they have ended."""
        running = [each.process for each in self._children if each.process is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, child: _Child) -> None:
        number = str(self._generation.number)
        argv = (sys.executable, "-m", "infra.generations.child", child.name, number)
        with child.log.open("ab") as output:
            child.process = subprocess.Popen(
                tied(argv, when_parent_ends=signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=os.environ | self._environment(),
                start_new_session=True,  # Ctrl-C reaches the command, which ends them in order
            )
        child.starts.append(time.monotonic())

    def _environment(self) -> dict[str, str]:
        """Return the settings as the children read them."""
        settings = self._settings
        return {
            "DAYBOOK_KAFKA": settings.kafka,
            "DAYBOOK_VALKEY_URL": settings.valkey_url,
            "DAYBOOK_CLICKHOUSE_URL": settings.clickhouse_url,
            "DAYBOOK_APP": settings.app,
            "DAYBOOK_PARTITIONS": str(settings.partitions),
            "DAYBOOK_GENERATION": "",
        }


def _last_line(log: Path) -> str:
    """Return the last thing a process said."""
    lines = log.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
