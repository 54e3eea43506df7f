"""Reconciliation on a schedule: one long-running process with `/health` and `/metrics`."""

from __future__ import annotations

import signal
import time
from collections import deque
from typing import TYPE_CHECKING

import structlog

from infra.commands.group import one_line
from infra.verification.recording import now_ms, of_result, publish, unavailable
from infra.verification.verifying import reconcile
from schemas.errors import ConfigurationError, Unavailable
from schemas.verification import DIFFERENT, EQUAL
from sinks.health import Health, serve
from sinks.telemetry import Spec, Telemetry

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType
    from typing import NoReturn

    from infra.settings import Settings
    from infra.verification.comparing import Scope
    from schemas.verification import Verification

RUNS = Spec("daybook_verify_runs", "counter", "Reconciliations, by outcome.", ("outcome",))
DIFFERENCES = Spec(
    "daybook_verify_differences",
    "gauge",
    "Buckets and rows that differed in the last reconciliation that could be made.",
)
PARTS = Spec("daybook_verify_parts", "gauge", "Metric bucket parts compared in it.")
FACTS = Spec("daybook_verify_facts", "gauge", "Rows of facts compared in it.")
FOLDED = Spec("daybook_verify_folded_entries", "gauge", "Journal entries folded for it.")
SECONDS = Spec("daybook_verify_seconds", "gauge", "How long it took, s.")
LAST_EQUAL = Spec(
    "daybook_verify_last_equal_timestamp_seconds",
    "gauge",
    "When everything was last found equal, s since the epoch; 0: not yet.",
)
CATALOGUE = (RUNS, DIFFERENCES, PARTS, FACTS, FOLDED, SECONDS, LAST_EQUAL)

KEPT = 2
"""Rounds of snapshots of this process that stay; older ones of its own are removed."""

log = structlog.get_logger(__name__)


class Service:
    """Reconciles, waits, and reconciles again.

    A service that doesn't answer is reported as `unavailable` and asked again at the next time;
    only a log that isn't what its writers guarantee ends the process.

    Args:
        settings: Where everything is.
        scope: What is reconciled.
        every_s: From the start of one to the start of the next, s.
    """

    def __init__(self, settings: Settings, scope: Scope, every_s: float) -> None:
        self._settings, self._scope, self._every_s = settings, scope, every_s
        self._telemetry = Telemetry(CATALOGUE)
        self._last: Verification | None = None
        self._snapshots: deque[list[Path]] = deque()

    def run(self) -> NoReturn:
        """Go on until a signal ends the process; nothing half-written stays behind.

        Raises:
            SystemExit: SIGTERM or SIGINT came.
            CorruptLog: a log isn't what its writers guarantee.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        self.listen()
        while True:
            began = time.monotonic()
            self.once()
            time.sleep(max(0.0, self._every_s - (time.monotonic() - began)))

    def listen(self) -> None:
        """Serve `/health` and `/metrics`, if a port is set.

        Raises:
            OSError: the port is taken.
        """
        serve(
            self._settings.metrics_host,
            self._settings.metrics_port,
            self._telemetry.registry,
            self.health,
        )

    def once(self) -> Verification:
        """Reconcile, record, count; what isn't there is an outcome, not a failure."""
        started_ms = now_ms()
        try:
            result, snapshots = reconcile(self._settings, self._scope, lambda *_: None)
        except (Unavailable, ConfigurationError) as problem:
            generation = self._settings.generation or 0
            record = unavailable(self._scope.tenant, generation, started_ms, one_line(problem))
        else:
            record = of_result(self._scope.tenant, result, started_ms)
            self._forget(list(snapshots))
        self._count(record)
        self._last = record
        self._publish(record)
        log.info(
            "reconciled", outcome=record.outcome, scope=record.scope, parts=record.parts,
            facts=record.facts, folded=record.folded, differences=record.differences,
            problem=record.problem, ms=record.ended_ms - record.started_ms,
        )  # fmt: skip
        return record

    def health(self) -> Health:
        """Return what the last reconciliation found; the process is well whatever that was.

        A restart mends no difference: that is what the metrics and their alert are for.
        """
        if self._last is None:
            return Health(healthy=True, detail={"state": "starting"})
        last = self._last
        detail = {
            "state": "running",
            "outcome": last.outcome,
            "ended_ms": last.ended_ms,
            "differences": last.differences,
            "problem": last.problem,
        }
        return Health(healthy=True, detail=detail)

    def _count(self, record: Verification) -> None:
        self._telemetry.count(RUNS, outcome=record.outcome)
        if record.outcome not in {EQUAL, DIFFERENT}:
            return
        seconds = (record.ended_ms - record.started_ms) / 1000
        for spec, value in (
            (DIFFERENCES, record.differences), (PARTS, record.parts), (FACTS, record.facts),
            (FOLDED, record.folded), (SECONDS, seconds),
        ):  # fmt: skip
            self._telemetry.set(spec, value)
        if record.outcome == EQUAL:
            self._telemetry.set(LAST_EQUAL, record.ended_ms / 1000)

    def _publish(self, record: Verification) -> None:
        try:
            publish(self._settings, record)
        except (Unavailable, ConfigurationError) as problem:
            log.warning("not recorded", problem=one_line(problem))

    def _forget(self, written: list[Path]) -> None:
        """Remove the snapshots of earlier rounds; others' stay for `daybook snapshots prune`."""
        self._snapshots.append(written)
        while len(self._snapshots) > KEPT:
            for path in self._snapshots.popleft():
                path.unlink(missing_ok=True)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    log.info("stopped", signal=signal.Signals(number).name)
    raise SystemExit(0)
