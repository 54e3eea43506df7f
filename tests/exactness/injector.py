"""Carries out a plan: does each fault when its time has come, and undoes what lasts."""

import contextlib
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence

from schemas.errors import Unavailable
from tests.exactness import faults
from tests.exactness.controls import Controls, Network, Trigger
from tests.exactness.engines import Engines
from tests.exactness.faults import ENGINES, Fault
from tests.exactness.fleet import Fleet


class Injector:
    """The hand that does the harm.

    Args:
        plan: In the order of times.
        fleet: Our processes.
        engines: The engines.
        controls: Steer clocks, network and processes.
        say: Told of each fault.
    """

    def __init__(
        self,
        plan: Sequence[Fault],
        fleet: Fleet,
        engines: Engines,
        controls: Controls,
        say: Callable[[str], None],
    ) -> None:
        self._left = list(plan)
        self._fleet, self._engines, self._controls = fleet, engines, controls
        self._say = say
        self._undo: list[tuple[float, Callable[[], None]]] = []
        self._began = time.monotonic()
        self.done: Counter[str] = Counter()
        self.zombies: Counter[str] = Counter()
        self._woken: list[tuple[str, int, float]] = []

    @property
    def busy(self) -> bool:
        """Whether faults are left, or last."""
        return bool(self._left or self._undo or self._woken)

    def turn(self, reach_s: float) -> None:
        """Do and undo what is due now.

        Args:
            reach_s: Faults up to here may be done: on a slow machine they wait for the events, so
                that they are always spread over all of them.
        """
        now_s = time.monotonic() - self._began
        while self._left and self._left[0].at_s <= min(now_s, reach_s):
            fault = self._left.pop(0)
            self._say(str(fault))
            self.done[f"{fault.kind} {fault.target}"] += 1
            self._do(fault, now_s)
        for due in [each for each in self._undo if each[0] <= now_s]:
            self._undo.remove(due)
            due[1]()
        self._look_at_zombies(now_s)

    def heal(self) -> None:
        """Undo everything that lasts."""
        for _, undo in self._undo:
            undo()
        self._undo.clear()
        self._controls.set_clock(0)
        self._controls.disarm()
        self._engines.heal()
        for member in self._fleet.members.values():
            member.kill_after_s.clear()
            if member.frozen:
                member.thaw()

    def _do(self, fault: Fault, now_s: float) -> None:
        if fault.target in ENGINES and fault.kind in {faults.KILL, faults.TERM}:
            self._end_engine(fault)
        elif fault.kind in _ON_MEMBER:
            self._on_member(fault, now_s)
        elif fault.kind == faults.SCALE:
            self._scale(int(fault.amount))
        elif fault.kind == faults.DISK_FULL:
            disk = self._engines.disks[fault.target]
            disk.fill()
            self._later(now_s, fault, disk.free)
        elif fault.kind == faults.CLOCK:
            self._controls.set_clock(fault.amount)
            self._later(now_s, fault, lambda: self._controls.set_clock(0))
        else:
            self._controls.set_network(Network(fault.amount, fault.kind == faults.STALL))
            self._later(now_s, fault, lambda: self._controls.set_network(Network()))

    def _later(self, now_s: float, fault: Fault, undo: Callable[[], None]) -> None:
        self._undo.append((now_s + fault.for_s, undo))

    def _end_engine(self, fault: Fault) -> None:
        number = signal.SIGKILL if fault.kind == faults.KILL else signal.SIGTERM
        # One that is down already, or slow to end, is no less disturbed.
        with contextlib.suppress(Unavailable):
            self._engines.stack.kill(fault.target, number, timeout_s=0)

    def _on_member(self, fault: Fault, now_s: float) -> None:
        member = self._fleet[fault.target]
        match fault.kind:
            case faults.KILL:
                member.kill()
            case faults.KILL_STARTING:
                member.kill()
                member.kill_after_s.append(fault.amount)
            case faults.KILL_WRITING:
                self._controls.arm(member.name, Trigger("SIGKILL", fault.amount))
            case faults.TERM:
                member.terminate()
            case faults.FREEZE:
                member.freeze()
                self._later(now_s, fault, lambda: self._wake(fault))
            case _:
                self._controls.arm(member.name, Trigger("SIGSTOP", 0))
                member.frozen = True
                self._later(now_s, fault, lambda: self._wake(fault))

    def _wake(self, fault: Fault) -> None:
        member = self._fleet[fault.target]
        self._controls.fire(member.name)  # it may not have written since it was armed
        if member.runs:
            pid = member.process.pid if member.process else 0
            self._woken.append((member.name, pid, time.monotonic() - self._began + ZOMBIE_S))
        member.thaw()

    def _look_at_zombies(self, now_s: float) -> None:
        """Count what woken processes do: stop, or find that nobody took over."""
        for each in list(self._woken):
            name, pid, until_s = each
            member = self._fleet[name]
            if member.process is None or member.process.pid != pid:
                self.zombies[f"{member.kind} stopped"] += 1
                self._woken.remove(each)
            elif now_s > until_s:
                self.zombies[f"{member.kind} went on"] += 1
                self._woken.remove(each)

    def _scale(self, workers: int) -> None:
        for number in range(MOST_WORKERS):
            name = f"worker-{number}"
            if number < workers:
                self._fleet.add(name)
            elif name in self._fleet.members:
                self._fleet[name].wanted = False
                self._fleet[name].terminate()


MOST_WORKERS = 3
ZOMBIE_S = 15.0
"""A woken process that is still there after so long had lost nothing, or joined again."""
_ON_MEMBER = frozenset({faults.KILL, faults.KILL_STARTING, faults.KILL_WRITING, faults.TERM,
                        faults.FREEZE, faults.FREEZE_WRITING})  # fmt: skip
