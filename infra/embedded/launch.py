"""Between fork and exec: tie a process to the life of its parent, then become the program.

Run as `python -I -S launch.py SIGNAL PARENT PROGRAM ARGUMENT…`. It is a program of its own and not
a function called after `fork()` because a supervisor that has threads (librdkafka's, for one) may
not run Python code there: a lock held by another thread would never be released.

The kernel sends SIGNAL when the *thread* that forked ends, so parents fork in their main thread.
It holds across exec, for a JVM as for anything else. Other kernels than Linux have no such thing;
there the next start ends what was left behind (`leftovers.py`).
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
NOT_FOUND = 127  # the shell's exit code for a program that can't be run


def die_with_parent(signal_number: int, parent: int) -> None:
    """Ask the kernel for a signal when the parent ends; exit if it has ended already."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        sys.exit(f"prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        # It ended between our fork and the call above: no signal will ever come.
        sys.exit("the parent has ended")


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and replace it by the program."""
    signal_number, parent, *command = arguments
    die_with_parent(int(signal_number), int(parent))
    try:
        os.execvp(command[0], command)  # noqa: S606 - the whole point
    except OSError as error:
        sys.stderr.write(f"can't run {command[0]}: {error.strerror}\n")
        sys.exit(NOT_FOUND)


if __name__ == "__main__":
    main(sys.argv[1:])
