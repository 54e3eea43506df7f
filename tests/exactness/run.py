"""One torture: start everything, do harm while events flow, heal, wait, compare."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.embedded.directory import adopt
from infra.embedded.spawn import tied
from infra.settings import Settings, load
from tests.exactness.comparison import Comparison
from tests.exactness.controls import DIRECTORY, Controls
from tests.exactness.drain import Stuck, closed, diagnosis, drained, in_thread
from tests.exactness.engines import Engines
from tests.exactness.faults import DISK_FULL, ENGINES, PROCESSES, Fault, sigkills
from tests.exactness.fleet import Fleet
from tests.exactness.injector import Injector
from tests.exactness.verdict import Verdict
from tests.exactness.workload import Workload

APP = "torture"
PARTITIONS = 4
PROGRESS_S = 10.0
FED = 1.1
"""Events are over a little before the faults are."""
AHEAD_S = 10.0
"""Faults of the first seconds meet processes that start, before there are events."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run.

    Args:
        seed: Of workload and faults.
        events: How many records upstream publishes.
        duration_s: How long faults go on; events are spread over nine tenths of it.
        plan: The faults.
        data: Directory for the engines' data; made.
        cache: The user's cache folder.
        processes: Which of ours run.
    """

    seed: int
    events: int
    duration_s: float
    plan: Sequence[Fault]
    data: Path
    cache: Path
    processes: tuple[str, ...] = PROCESSES

    @property
    def fills_disks(self) -> bool:
        """Whether a disk becomes full."""
        return any(fault.kind == DISK_FULL for fault in self.plan)


class Torture:
    """One run.

    Args:
        order: What to run.
        say: Told of everything worth a line.
    """

    def __init__(self, order: Order, say: Callable[[str], None]) -> None:
        self._order = order
        self._say = say
        self._began = time.monotonic()
        self._told_s = 0.0
        self._now_ms = time.time_ns() // 1_000_000
        self._workload = Workload(order.seed, order.events, self._now_ms)
        self._progress = order.data / "feeder.json"

    def run(self) -> dict[str, Any]:
        """Run it.

        Returns:
            The report, JSON-ready; `equal` says how it ended.
        """
        order = self._order
        adopt(order.data)
        controls = Controls(order.data / "controls")
        engines = Engines(order.data, order.cache, controls, small_disks=order.fills_disks)
        with engines:
            if order.fills_disks and not engines.can_fill_disks:
                raise RuntimeError("this machine can't mount a small disk; leave out disk-full")
            endpoints = engines.stack.endpoints
            env = {
                "DAYBOOK_KAFKA": endpoints.kafka or "",
                "DAYBOOK_VALKEY_URL": endpoints.valkey or "",
                "DAYBOOK_CLICKHOUSE_URL": endpoints.clickhouse or "",
                "DAYBOOK_APP": APP,
                "DAYBOOK_PARTITIONS": str(PARTITIONS),
                "DAYBOOK_LOG_FORMAT": "json",
                "DAYBOOK_STALL_AFTER_S": "20",
                DIRECTORY: str(order.data / "controls"),
            }
            settings = load(kafka=endpoints.kafka, valkey_url=endpoints.valkey,
                            clickhouse_url=endpoints.clickhouse, app=APP, partitions=PARTITIONS,
                            data=order.data)  # fmt: skip
            for command in (("topics", "create"), ("migrate",)):
                daybook(command, env)
            fleet = Fleet(order.processes, order.data / "logs", env)
            try:
                return self._with(fleet, engines, controls, settings)
            finally:
                fleet.kill_all()

    def _with(
        self, fleet: Fleet, engines: Engines, controls: Controls, settings: Settings
    ) -> dict[str, Any]:
        injector = Injector(self._order.plan, fleet, engines, controls, self.say)
        feeder = self._feed(settings)

        try:
            while injector.busy or feeder.poll() is None:
                fleet.tend()
                injector.turn(self._reach_s())
                self._tell(fleet)
                time.sleep(0.02)
            if feeder.returncode:
                raise RuntimeError(f"upstream ended with {feeder.returncode}")
        finally:
            feeder.kill()
        self.say("healing")
        injector.heal()
        for name in ENGINES:
            engines.stack.wait_healthy(name, timeout_s=180)
        verdict = self._settle(fleet, settings)
        return self._report(fleet, injector, verdict)

    def _feed(self, settings: Settings) -> "subprocess.Popen[bytes]":
        order = self._order
        rate = order.events * FED / order.duration_s if order.duration_s else 0
        words = (settings.kafka, order.seed, order.events, self._now_ms, rate, self._progress)
        argv = [sys.executable, "-m", "tests.exactness.feeder", *map(str, words)]
        with (order.data / "logs" / "feeder.log").open("ab") as log:
            return subprocess.Popen(
                tied(argv, when_parent_ends=signal.SIGKILL), stdout=log, stderr=log
            )

    def _settle(self, fleet: Fleet, settings: Settings) -> Verdict:
        """Wait until all has arrived, stop everything, compare."""

        def meanwhile() -> None:
            fleet.tend()
            self._tell(fleet)

        try:
            self.say("waiting until everything has arrived")
            in_thread(lambda: drained(settings), meanwhile)
            fleet.stop("ingest", "worker")
            self.say("waiting until the stores stand at the end of the logs")
            in_thread(lambda: closed(settings), meanwhile)
        except Stuck as stuck:
            self.say(f"STUCK: {stuck}")
            for line in diagnosis(settings, fleet):
                self.say(line)
            raise
        fleet.stop("sink", "live")
        self.say("comparing everything with an offline fold")
        return Comparison(settings, self._workload).run()

    def _report(self, fleet: Fleet, injector: Injector, verdict: Verdict) -> dict[str, Any]:
        members = fleet.members.values()
        unexpected = fleet.unexpected()
        return {
            "seed": self._order.seed,
            "events": self._order.events,
            "seconds": round(time.monotonic() - self._began),
            "sigkills_planned": sigkills(self._order.plan),
            "faults": dict(sorted(injector.done.items())),
            "plan": [asdict_of(fault) for fault in self._order.plan],
            "processes": {
                member.name: {
                    "starts": member.record.starts,
                    "codes": {str(code): n for code, n in sorted(member.record.codes.items())},
                }
                for member in members
            },
            "zombies": dict(sorted(injector.zombies.items())),
            "condemned": fleet.condemned,
            "unexpected_ends": unexpected,
            "compared": dict(sorted(verdict.compared.items())),
            "differences": verdict.differences,
            "equal": not verdict.differences and not unexpected,
        }

    def _fed(self) -> tuple[int, int]:
        """Return how many records upstream has published, and how many are acknowledged."""
        if not self._progress.exists():
            return 0, 0
        published, acknowledged = json.loads(self._progress.read_text())
        return published, acknowledged

    def _reach_s(self) -> float:
        """Return up to which fault the acknowledged records are enough."""
        order = self._order
        return FED * order.duration_s * min(1.0, self._fed()[1] / max(1, order.events)) + AHEAD_S

    def _tell(self, fleet: Fleet) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s > PROGRESS_S:
            self._told_s = now_s
            published, acknowledged = self._fed()
            running = " ".join(
                f"{name}{'' if member.runs else '!'}" for name, member in fleet.members.items()
            )
            self.say(f"published {published}, acknowledged {acknowledged}; {running}")

    def say(self, line: str) -> None:
        """Say a line with the time of the run before it."""
        self._say(f"[{time.monotonic() - self._began:6.1f}] {line}")


def asdict_of(fault: Fault) -> dict[str, Any]:
    """Return a fault for JSON."""
    return {name: value for name, value in fault._asdict().items() if value}


def daybook(command: Sequence[str], env: dict[str, str]) -> None:
    """Run a command of ours to its end."""
    argv = [sys.executable, "-m", "infra.cli", *command]
    subprocess.run(argv, env=os.environ | env, check=True, stdout=subprocess.DEVNULL)
