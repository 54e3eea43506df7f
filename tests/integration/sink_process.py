"""A sink or live process of its own, with faults on request.

Run as `python -m tests.integration.sink_process KIND JSON`: KIND is `sink` or `live`, JSON holds
`config` (fields of the configuration), `faults` and, on request, `session_ms`. Faults are patched
in from outside; the production code knows nothing of them.
"""

import functools
import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

import sinks.kafka
from sinks.clickhouse import insert as inserts
from sinks.clickhouse import writer
from sinks.clickhouse.assignment import Assignment
from sinks.clickhouse.ledger import Ledger
from sinks.clickhouse.run import SinkConfig, run_sink
from sinks.live.run import LiveConfig, run_live
from sinks.live.store import Store
from sinks.mapping.lanes import Policy
from sinks.mapping.ledger import CLAIM, LedgerRow


def at(point: str, signal_name: str, *, nth: int = 1, after_s: float = 0.0) -> None:
    """Send ourselves a signal at one point.

    Args:
        point: Sink: `before_claim`, `claim` (it is written, not read yet), `before_ledger`,
            `after_ledger`, `mid_insert`, `after_insert`, `revoked` (lanes were given back).
            Live: `before_flush`, `after_flush`, `clear` (keys are being deleted).
        signal_name: `SIGKILL`, or `SIGSTOP` for a process that stops and wakes up later.
        nth: Number of the passage.
        after_s: How long after the point.
    """
    counter = itertools.count(1)

    def passed(name: str) -> None:
        if name != point or next(counter) != nth:
            return
        if after_s:
            threading.Thread(target=_signal, args=(point, signal_name, after_s)).start()
        else:
            _signal(point, signal_name, 0.0)

    _patch_sink(passed)
    _patch_live(passed)


def _signal(point: str, name: str, after_s: float) -> None:
    time.sleep(after_s)
    os.write(2, f"{name} at {point}\n".encode())
    os.kill(os.getpid(), getattr(signal, name))


def _patch_sink(passed: Callable[[str], None]) -> None:
    write, insert, revoke = Ledger.write, inserts.insert, Assignment.revoked

    def write_rows(ledger: Ledger, rows: Sequence[LedgerRow]) -> None:
        rows = list(rows)
        claim = rows[0].kind == CLAIM
        if claim:
            passed("before_claim")
        elif any(row.token for row in rows):
            passed("before_ledger")
        write(ledger, rows)
        passed("claim" if claim else "after_ledger" if any(row.token for row in rows) else "")

    @functools.wraps(insert)
    def insert_batch(*args: Any) -> None:
        passed("mid_insert")
        insert(*args)
        passed("after_insert")

    def revoke_lanes(assignment: Assignment, *args: Any) -> None:
        revoke(assignment, *args)
        passed("revoked")

    setattr(Assignment, "revoked", revoke_lanes)  # noqa: B010
    setattr(Ledger, "write", write_rows)  # noqa: B010 - a method is replaced on purpose
    setattr(writer, "insert", insert_batch)  # noqa: B010


def _patch_live(passed: Callable[[str], None]) -> None:
    flush, delete = Store.flush, Store._delete_values  # noqa: SLF001

    def flush_feeds(store: Store, feeds: Any) -> Any:
        if any(feed.values for feed in feeds.values()):
            passed("before_flush")
        moved = flush(store, feeds)
        passed("after_flush")
        return moved

    def delete_values(store: Store) -> int:
        passed("clear")
        return delete(store)

    setattr(Store, "flush", flush_feeds)  # noqa: B010
    setattr(Store, "_delete_values", delete_values)  # noqa: B010


def main(kind: str, text: str) -> int:
    """Inject the faults and run."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    given = json.loads(text)
    sinks.kafka.SESSION_MS = given.get("session_ms", sinks.kafka.SESSION_MS)
    for arguments in given.get("faults", {}).values():
        at(**arguments)
    config = given["config"]
    if kind == "live":
        return run_live(LiveConfig(**config))
    return run_sink(SinkConfig(**config | {"policy": Policy(**config.pop("policy", {}))}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
