"""`daybook dev`: the whole stack on embedded engines, for development and the demo.

Exit codes: 0 fine, 1 negative answer (nothing runs, it did not start, something is unhealthy),
2 usage.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.group import NEGATIVE
from infra.commands.output import AsJson, note, say, say_json, say_table
from infra.embedded.jars import ensure_jars
from infra.embedded.running import RunningStack
from infra.embedded.stack import chosen_parts
from schemas.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from infra.embedded.status import StackStatus

_WATCH_S = 0.5
_LOG_LINES = 50

dev_app = typer.Typer(help="Run the whole stack here, on embedded engines.", no_args_is_help=True)

Data = Annotated[
    Path | None, typer.Option(help="Data directory; default: the setting `data`, .daybook.")
]
Cache = Annotated[
    Path | None, typer.Option(help="Where Kafka's jars are kept; default: ~/.cache/daybook.")
]


@dev_app.command()
def up(
    *,
    data: Data = None,
    cache: Cache = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the data first.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is up.")] = False,
    only: Annotated[
        str | None, typer.Option(help="Comma-separated names of processes; default: all.")
    ] = None,
) -> None:
    """Start the stack and stay until Ctrl-C; with --detach, until it is up.

    Example: daybook dev up --fresh --detach
    """
    # `kill` means the same as Ctrl-C: stop in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    where, jars_folder = _data(data), _cache(cache)
    parts = chosen_parts(only.split(",") if only else None)
    stack = None
    try:
        if "kafka" in parts:
            _fetch_jars(jars_folder)
        stack = RunningStack.start(
            where,
            cache=jars_folder,
            only=parts,
            fresh=fresh,
            detach=detach,
            on_status=StartReport(),
        )
        _say_endpoints(stack.status)
        if not detach:
            _wait_for_end(stack)
    except Unavailable as error:
        note(f"daybook: {error}")
        raise typer.Exit(NEGATIVE) from None
    except KeyboardInterrupt:
        if stack is None:
            note("stopped before it was up")
            raise typer.Exit(NEGATIVE) from None
        note("stopping")
        stack.stop()


def _wait_for_end(stack: RunningStack) -> None:
    """Wait until Ctrl-C.

    Raises:
        Unavailable: The supervisor ended by itself.
    """
    note("Ctrl-C stops it")
    while stack.is_supervised:
        time.sleep(_WATCH_S)
    log = stack.directory.logs / "supervisor.log"
    raise Unavailable("the supervisor", _WATCH_S, f"it ended, see {log}")


@dev_app.command()
def down(*, data: Data = None) -> None:
    """Stop the stack in order: applications first, engines last. Its data stay.

    Example: daybook dev down
    """
    where = _data(data)
    stack = RunningStack.find(where)
    if stack is None:
        RunningStack.sweep(where)
        note(f"no stack runs in {where}")
        raise typer.Exit(NEGATIVE)
    stack.stop()
    note(f"the stack in {where} is down")


@dev_app.command()
def status(*, data: Data = None, as_json: AsJson = False) -> None:
    """Show endpoints and processes; exits 1 unless all of them are healthy.

    Example: daybook dev status --json
    """
    where = _data(data)
    stack = RunningStack.find(where)
    if stack is None:
        if as_json:
            say_json({"endpoints": {}, "processes": [], "data": str(where.resolve())})
        else:
            note(f"no stack runs in {where}; start one with `daybook dev up`")
        raise typer.Exit(NEGATIVE)
    now = stack.status
    if as_json:
        say_json(now.public())
    else:
        say_table(
            ("process", "pid", "state", "restarts"),
            [(each.name, each.pid, each.phase.value, each.restarts) for each in now.processes],
        )
        _say_endpoints(now)
    if not now.is_healthy:
        raise typer.Exit(NEGATIVE)


@dev_app.command()
def logs(
    name: Annotated[str, typer.Argument(help="A process, or `supervisor`.")],
    *,
    data: Data = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option(min=0, help="How many of the last lines.")] = _LOG_LINES,
) -> None:
    """Show the end of a process's log.

    Example: daybook dev logs worker --follow
    """
    from infra.embedded import logs as log_files
    from infra.embedded.directory import DataDirectory

    folder = DataDirectory(_data(data).resolve()).logs
    path = log_files.log_file(folder, name)
    known = sorted(each.stem for each in folder.glob("*.log"))
    if name not in known:
        raise ConfigurationError("name", f"no log of {name} in {folder}: {', '.join(known)}")
    for line in log_files.tail(path, lines):
        say(line)
    if follow:
        try:
            for chunk in log_files.follow(path):
                typer.echo(chunk, nl=False)
        except KeyboardInterrupt:
            return


@dev_app.command()
def prepare(*, cache: Cache = None) -> None:
    """Fetch Kafka and make it start in half the time. Once per machine, 20 s.

    Example: daybook dev prepare
    """
    from infra.embedded.aot import ensure_aot_cache

    folder = _cache(cache)
    _fetch_jars(folder)
    note("preparing Kafka's classes")
    note(f"ready: {ensure_aot_cache(ensure_jars(folder))}")


class StartReport:
    """Says each process that came up, once, with the seconds it took; and each restart."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._said: set[str] = set()
        self._restarts: dict[str, int] = {}

    def __call__(self, status: StackStatus) -> None:
        """Take the newest status."""
        for process in status.processes:
            if process.healthy and process.name not in self._said:
                self._said.add(process.name)
                word = "done" if process.job else "up"
                note(f"{process.name:<12}{word:<5}{time.monotonic() - self._began_s:5.1f} s")
            if process.restarts > self._restarts.get(process.name, 0):
                self._restarts[process.name] = process.restarts
                note(f"{process.name:<12}ended and is tried again, see {process.name}.log")


def _fetch_jars(cache: Path) -> None:
    """Fetch what is missing of Kafka, with a progress bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("fetching Kafka, once"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("jars", total=None, visible=False)

        def show(there: int, total: int) -> None:
            progress.update(task, completed=there, total=total, visible=True)

        ensure_jars(cache, on_progress=show)


def _say_endpoints(status: StackStatus) -> None:
    for name, url in status.endpoints.model_dump(exclude_none=True).items():
        say(f"{name:<12}{url}")
    for process in status.processes:
        if process.metrics is not None:
            say(f"{'metrics':<12}{process.metrics} ({process.name})")
    say(f"{'data':<12}{status.data}")


def _data(given: Path | None) -> Path:
    if given is not None:
        return given
    from infra.settings import load

    return load().data


def _cache(given: Path | None) -> Path:
    return given if given is not None else Path.home() / ".cache" / "daybook"
