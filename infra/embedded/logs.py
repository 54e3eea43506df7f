"""Log files of supervised processes: appended by the process itself, capped by the supervisor.

A process writes to its file and not to a pipe of the supervisor: its last words stay readable
however the supervisor ended, and a busy supervisor never holds it up.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

LOG_CAP_BYTES = 8 * 1024 * 1024
_FOLLOW_PAUSE_S = 0.2


def log_file(logs: Path, name: str) -> Path:
    """Return where the process of this name writes; the file before it ends in `.1`."""
    return logs / f"{name}.log"


def cap(path: Path, cap_bytes: int = LOG_CAP_BYTES) -> bool:
    """Keep a log file that may be open for appending within its cap.

    The file is copied to `.1` and emptied in place, since its writer holds it open. What the writer
    adds between the two steps is lost.

    Returns:
        Whether the file was over the cap.
    """
    if not path.exists() or path.stat().st_size < cap_bytes:
        return False
    shutil.copyfile(path, path.with_suffix(".log.1"))
    with path.open("r+b") as file:
        file.truncate()
    return True


def tail(path: Path, lines: int) -> list[str]:
    """Return the last lines of a log file, without line ends; none if there is no file."""
    if not path.exists():
        return []
    return path.read_text(errors="replace").splitlines()[-lines:]


def follow(path: Path) -> Iterator[str]:
    """Yield what is appended to a log file from now on, for ever.

    A file that shrank was emptied by `cap`: reading goes on from its start.
    """
    position = path.stat().st_size if path.exists() else 0
    while True:
        size = path.stat().st_size if path.exists() else 0
        if size < position:
            position = 0
        if size > position:
            with path.open("rb") as file:
                file.seek(position)
                chunk = file.read(size - position)
            position = size
            yield chunk.decode(errors="replace")
        else:
            time.sleep(_FOLLOW_PAUSE_S)
