"""`python -m infra.generations.child worker|sink|live N`: a process of a replay, started by it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from infra.generations.registry import read
from infra.generations.running import run_for_replay
from infra.logging import configure
from infra.settings import load
from schemas.errors import ConfigurationError, DaybookError

if TYPE_CHECKING:
    from infra.generations.running import Name

USAGE = 2


def main(arguments: list[str]) -> int:
    """Run the process; its settings are those of the command that started it.

    Returns:
        0 after a signal, 2 for a wrong setting, 1 when an engine didn't answer at the start.
    """
    process: Name
    match arguments:
        case ["worker" | "sink" | "live" as process, number] if number.isdigit():
            settings = load()
        case _:
            sys.stderr.write("usage: python -m infra.generations.child worker|sink|live N\n")
            return USAGE
    configure(settings.log_format, settings.log_level)
    try:
        return run_for_replay(process, settings, read(settings).get(int(number)))
    except DaybookError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE if isinstance(error, ConfigurationError) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
