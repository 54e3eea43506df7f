"""A worker or ingest in a process of its own, with faults on request.

Run as `python -m tests.integration.worker_process KIND JSON`: KIND is `worker` or `ingest`, JSON
holds `config` (fields of the configuration) and `faults`. Faults are patched in from outside; the
production code knows nothing of them.
"""

import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from schemas.codec import decode_entry, encode_entry
from schemas.journal import Entry
from streams.app import IngestConfig, WorkerConfig, run_ingest, run_worker
from streams.domain.fold import fold
from streams.domain.selection import Altered
from streams.runtime.consumer import PositionedThread
from streams.runtime.lane import Lane
from streams.runtime.transactions import Transactions


def _die(point: str, after_s: float = 0.0) -> None:
    def end() -> None:
        time.sleep(after_s)
        os.write(2, f"killed at {point}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)

    if after_s:
        threading.Thread(target=end).start()
    else:
        end()


def kill_at(point: str, *, batch: int = 3, after_s: float = 0.0) -> None:
    """Kill the process at one point.

    Args:
        point: `fence` (while lanes open), `opened`, `produced` (records handed to the client),
            `sent` (they are in the log, not committed), `commit` (while it is being committed) or
            `committed` (it is, and the state in memory doesn't know yet).
        batch: Number of the transaction, of all lanes together.
        after_s: How long after the point.
    """
    opened, written, committed = Lane._open, Transactions.begin_and_write, Transactions.commit  # noqa: SLF001
    counter = itertools.count(1)

    def open_(lane: Lane) -> None:
        if point == "fence":
            _die(point, after_s)
        opened(lane)
        if point == "opened":
            _die(point, after_s)

    def begin_and_write(transactions: Transactions, effects: Any) -> None:
        written(transactions, effects)
        if point in {"produced", "sent"} and next(counter) == batch:
            if point == "sent":
                transactions._producer.flush(10)  # noqa: SLF001
            _die(point)

    def commit(transactions: Transactions) -> None:
        if point == "commit" and next(counter) == batch:
            _die(point, after_s)
        committed(transactions)
        if point == "committed" and next(counter) == batch:
            _die(point)

    setattr(Lane, "_open", open_)  # noqa: B010 - a method is replaced on purpose
    setattr(Transactions, "begin_and_write", begin_and_write)  # noqa: B010
    setattr(Transactions, "commit", commit)  # noqa: B010


def stop_with_open_transaction(trigger: str) -> None:
    """Freeze the process (SIGSTOP) with records of an open transaction in the log.

    Args:
        trigger: File that asks for it; removed when the process is about to freeze.
    """
    written = Transactions.begin_and_write

    def begin_and_write(transactions: Transactions, effects: Any) -> None:
        written(transactions, effects)
        path = Path(trigger)
        if path.exists():
            transactions._producer.flush(10)  # noqa: SLF001
            path.unlink()
            os.kill(os.getpid(), signal.SIGSTOP)

    setattr(Transactions, "begin_and_write", begin_and_write)  # noqa: B010


def crash_consumer_thread(trigger: str) -> None:
    """Let the consumer thread crash as an unexpected error in it does.

    Args:
        trigger: File that asks for it.
    """
    fetch, path = PositionedThread._fetch_records, Path(trigger)  # noqa: SLF001

    async def fetch_records(thread: PositionedThread, *args: Any, **options: Any) -> Any:
        if path.exists():  # noqa: ASYNC240 - quick, and a test
            await thread.crash(ValueError("injected"))
        return await fetch(thread, *args, **options)

    setattr(PositionedThread, "_fetch_records", fetch_records)  # noqa: B010


def blind_to(event_type: str) -> None:
    """Fold as a version that knows no event of this type: it is remembered and changes nothing.

    Args:
        event_type: CloudEvents `type`.
    """

    def forget(entry: Entry) -> Entry:
        return entry._replace(type="unknown") if entry.type == event_type else entry

    def fold_otherwise(state: Any, records: Any, **where: Any) -> Any:
        changed = [
            Altered(each.offset, encode_entry(forget(decode_entry(each.value)))) for each in records
        ]
        return fold(state, changed, **where)

    CHANGED["fold"] = fold_otherwise


CHANGED: dict[str, Any] = {}
"""Arguments of `run_worker` that a fault has changed."""

FAULTS: dict[str, Callable[..., None]] = {
    "kill_at": kill_at,
    "stop_with_open_transaction": stop_with_open_transaction,
    "crash_consumer_thread": crash_consumer_thread,
    "blind_to": blind_to,
}


def main(kind: str, text: str) -> int:
    """Inject the faults and run."""
    structlog.configure(
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    given = json.loads(text)
    for name, arguments in given.get("faults", {}).items():
        FAULTS[name](**arguments)
    if kind == "worker":
        return run_worker(WorkerConfig(**given["config"]), **CHANGED)
    return run_ingest(IngestConfig(**given["config"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
