"""One process of ours under torture: `python -m tests.exactness.process worker|ingest|sink|live`.

It is `daybook …`, configured by the environment, with three handles patched in from outside; the
production code knows nothing of them. Its wall clock can be off, it can be told to kill or freeze
itself in the middle of its next write, and SIGUSR1 makes it print the stacks of its threads.
"""

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.exactness.controls import DIRECTORY, Controls


def shift_clock(controls: Controls) -> None:
    """Let the wall clock of worker and ingest be off as the harness says."""
    import streams.app as composed
    from streams.runtime import telemetry

    wall_ms = telemetry.wall_ms
    setattr(composed, "wall_ms", lambda: wall_ms() + controls.clock_ms())  # noqa: B010 - on purpose


def strike(controls: Controls, process: str, flush: Callable[[], object]) -> None:
    """Do what the trigger says, if it is armed.

    Args:
        controls: Where triggers are.
        process: Whose.
        flush: Brings what was handed over into the log, before the process is frozen.
    """
    trigger = controls.fire(process)
    if trigger is None:
        return
    os.write(2, f"{trigger.signal} while writing\n".encode())
    if trigger.signal == "SIGSTOP":
        flush()
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        threading.Timer(trigger.after_s, os.kill, (os.getpid(), signal.SIGKILL)).start()


def wrap(owner: Any, name: str, strikes: Callable[[Any], None], *, after: bool) -> None:
    """Replace a function by one that also strikes, before or after it.

    Args:
        owner: Class or module.
        name: Of its function.
        strikes: Given the first argument.
        after: Whether it strikes once the function has returned.
    """
    original = getattr(owner, name)

    def wrapped(first: Any, *args: Any, **options: Any) -> Any:
        if not after:
            strikes(first)
        result = original(first, *args, **options)
        if after:
            strikes(first)
        return result

    setattr(owner, name, wrapped)


def patch_writes(kind: str, controls: Controls, process: str) -> None:
    """Patch where a process of this kind writes."""
    if kind == "worker":
        from streams.runtime.transactions import Transactions

        def in_transaction(transactions: Transactions) -> None:
            strike(controls, process, lambda: transactions._producer.flush(10))  # noqa: SLF001

        wrap(Transactions, "begin_and_write", in_transaction, after=True)
    elif kind == "ingest":
        from streams.runtime.intake import Intake

        wrap(Intake, "_produce", lambda _: strike(controls, process, int), after=True)
    elif kind == "sink":
        from sinks.clickhouse import writer

        wrap(writer, "insert", lambda _: strike(controls, process, int), after=False)
    else:
        from sinks.live.store import Store

        wrap(Store, "flush", lambda _: strike(controls, process, int), after=False)


def main() -> None:
    """Patch and run."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    kind, process = sys.argv[1], os.environ["DAYBOOK_INSTANCE"]
    controls = Controls(Path(os.environ[DIRECTORY]))
    if kind in {"worker", "ingest"}:
        shift_clock(controls)
    patch_writes(kind, controls, process)
    from infra.cli import main as daybook

    daybook()


if __name__ == "__main__":
    main()
