"""The supervisor as a program: `python -m infra.embedded --data DIR --cache DIR`.

It prints nothing but a fatal error, on stderr; what happens is in `DIR/logs/supervisor.log` and
`DIR/status.json`. Exit codes: 0 stopped as asked, 1 a process gave up during the start, 2 wrong
usage.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from infra.embedded.directory import DataDirectory, adopt
from infra.embedded.leftovers import end_all, ours
from infra.embedded.logs import cap, log_file
from infra.embedded.stack import compose
from infra.embedded.status import read_status
from infra.embedded.supervisor import Supervisor
from infra.logging import configure
from schemas.errors import DaybookError


def main(arguments: list[str]) -> int:
    """Run the supervisor of one data directory to its end and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.embedded", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data directory")
    parser.add_argument("--cache", type=Path, required=True, help="the user's cache folder")
    parser.add_argument("--fresh", action="store_true", help="delete the data first")
    parser.add_argument("--only", help="comma-separated names of processes; default: all")
    options = parser.parse_args(arguments)
    only = options.only.split(",") if options.only else None
    try:
        directory = adopt(options.data)
        with directory.locked():
            return _supervise(directory, cache=options.cache, fresh=options.fresh, only=only)
    except DaybookError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _supervise(
    directory: DataDirectory, *, cache: Path, fresh: bool, only: list[str] | None
) -> int:
    previous = read_status(directory.status)
    _log_to(log_file(directory.logs, "supervisor"))
    if previous is not None:
        end_all(ours(previous))
    if fresh:
        directory.wipe()
        _log_to(log_file(directory.logs, "supervisor"))
    for hold in directory.holds.iterdir():
        hold.unlink()
    stack = compose(directory, cache=cache, only=only)

    async def run() -> int:
        return await Supervisor(directory, stack.specs, stack.endpoints, stack.metrics).run()

    return asyncio.run(run())


def _log_to(path: Path) -> None:
    cap(path)
    configure("json", "info", path.open("a", buffering=1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
