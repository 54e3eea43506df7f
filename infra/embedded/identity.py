"""Which process a pid is: a number alone may belong to somebody else by now."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

_STAT_STATE = 0  # fields of /proc/PID/stat after the command in parentheses: proc(5)
_STAT_STARTTIME = 19


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process beyond doubt.

    Args:
        pid: Its number.
        started: When it was started, as text only good for comparing: `boot id/clock ticks`.
        command: Its arguments, joined by spaces. Not compared: `launch.py` becomes another program
            under the same pid and start time.
    """

    pid: int
    started: str
    command: str = field(compare=False)


def identify(pid: int) -> ProcessIdentity | None:
    """Return who has this pid, or `None` if nobody has or it has ended (a zombie)."""
    if sys.platform == "linux":
        return _identify_by_proc(pid)
    return _identify_by_ps(pid)


def is_running(identity: ProcessIdentity) -> bool:
    """Tell whether this very process still runs."""
    return identify(identity.pid) == identity


def send(identity: ProcessIdentity, signal_number: int) -> bool:
    """Signal this very process.

    Returns:
        Whether it was there. Nobody else is ever hit.
    """
    if not is_running(identity):
        return False
    try:
        os.kill(identity.pid, signal_number)
    except ProcessLookupError:
        return False
    return True


def _identify_by_proc(pid: int) -> ProcessIdentity | None:
    folder = Path("/proc") / str(pid)
    try:
        fields = folder.joinpath("stat").read_text().rpartition(")")[2].split()
        command = folder.joinpath("cmdline").read_bytes()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    if fields[_STAT_STATE] in "ZX" or not command:
        return None
    text = command.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    return ProcessIdentity(pid, f"{boot}/{fields[_STAT_STARTTIME]}", text)


def _identify_by_ps(pid: int) -> ProcessIdentity | None:
    answer = subprocess.run(
        ["/bin/ps", "-o", "state=,lstart=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    words = answer.stdout.split()
    # state, five words of a date, and the command
    if len(words) < 7 or words[0].startswith("Z"):  # noqa: PLR2004
        return None
    return ProcessIdentity(pid, " ".join(words[1:6]), " ".join(words[6:]))
