"""The stretch of time that is measured: wall clock, and the CPU of every process involved."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figures import Run

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_UTIME = 11  # fields of /proc/PID/stat after the command in parentheses: proc(5)
_STIME = 12


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all its threads so far, user and system, s.

    In steps of 10 ms.

    Raises:
        OSError: It has ended (or this isn't Linux).
    """
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf8")
    fields = text.rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS_PER_S


def peak_mib(pid: int) -> float:
    """Return the most memory a process has held resident so far, MiB.

    Raises:
        OSError: It has ended (or this isn't Linux).
    """
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf8")
    line = next(line for line in text.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


class Window:
    """Opens when made.

    Args:
        pids: Name → pid of each process whose CPU counts.
        weigh: Names of those whose memory counts too.
    """

    def __init__(self, pids: Mapping[str, int], *, weigh: Sequence[str] = ()) -> None:
        self._pids = dict(pids)
        self._weigh = weigh
        self._cpu = self._read()
        self._began = time.perf_counter()

    def close(self, count: int) -> Run:
        """Return what happened since it was opened.

        Args:
            count: What was done meanwhile.
        """
        seconds = time.perf_counter() - self._began
        used = self._read()
        cpu_s = {name: used[name] - self._cpu[name] for name in used}
        return Run(count, seconds, cpu_s, {n: peak_mib(self._pids[n]) for n in self._weigh})

    def _read(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) for name, pid in self._pids.items()}


class OwnWindow:
    """A window over this process alone, to the nanosecond. Opens when made."""

    def __init__(self) -> None:
        self._began, self._cpu = time.perf_counter(), time.process_time()

    def close(self, count: int) -> Run:
        """Return what happened since it was opened; `count` was done meanwhile."""
        cpu_s = time.process_time() - self._cpu
        return Run(count, time.perf_counter() - self._began, {"process": cpu_s})
