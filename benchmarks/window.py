"""The stretch of time that is measured: wall clock, and the CPU of every process involved."""

import os
import time
from collections.abc import Mapping
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


class Window:
    """Opens when made.

    Args:
        pids: Name → pid of each process whose CPU counts.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._cpu = self._read()
        self._began = time.perf_counter()

    def close(self, count: int) -> Run:
        """Return what happened since it was opened.

        Args:
            count: What was done meanwhile.
        """
        seconds = time.perf_counter() - self._began
        used = self._read()
        return Run(count, seconds, {name: used[name] - self._cpu[name] for name in used})

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
