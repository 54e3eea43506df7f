"""The supervisor with real, cheap processes."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest

from infra.embedded.directory import adopt
from infra.embedded.identity import ProcessIdentity, identify, is_running
from infra.embedded.leftovers import end_all, ours, wait_gone
from infra.embedded.lifecycle import Phase
from infra.embedded.running import RunningStack
from infra.embedded.status import (
    Endpoints,
    ProcessStatus,
    StackStatus,
    read_status,
    write_status,
)
from schemas.errors import ConfigurationError

pytestmark = pytest.mark.integration

# Runs a supervisor over processes given as JSON. `alive` is a file whose absence is a missed probe.
DRIVER = """
import asyncio, json, sys
from pathlib import Path
from infra.embedded.directory import adopt
from infra.embedded.lifecycle import RestartPolicy
from infra.embedded.spec import ProcessSpec
from infra.embedded.status import Endpoints
from infra.embedded.supervisor import Supervisor

def probe(path):
    async def check():
        return Path(path).exists()
    return check

def spec(name, argv, alive=None, ready=None, restart={}, after=(), **rest):
    if alive:
        rest |= {"liveness": probe(alive), "liveness_period_s": 0.05}
    if ready:
        rest |= {"ready": probe(ready)}
    policy = RestartPolicy(**restart)
    return ProcessSpec(name, tuple(argv), restart=policy, after=tuple(after), **rest)

directory = adopt(Path(sys.argv[1]))
with directory.locked():
    specs = [spec(**each) for each in json.loads(sys.argv[2])]
    sys.exit(asyncio.run(Supervisor(directory, specs, Endpoints(kafka="k:1")).run()))
"""
SLEEP = ["/bin/sleep", "1000"]
# Appends its name to a file at SIGTERM, and ends; says when it is ready to do so.
NOTES_ITS_END = """
import signal, sys, pathlib
def end(*_):
    with open(sys.argv[1], "a") as file:
        file.write(sys.argv[2] + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path(sys.argv[3]).touch()
signal.pause()
"""
IGNORES_SIGTERM = """
import signal, sys, pathlib
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
signal.pause()
"""
NOTES_ITS_START = (
    "import sys, time; open(sys.argv[1], 'a').write(f'{time.time()}\\n'); sys.exit(70)"
)

T = TypeVar("T")
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return where the supervisor works."""
    return tmp_path / "data"


@pytest.fixture
def start(data: Path) -> Iterator[Start]:
    """Yield a function that runs a supervisor over processes; end it afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*specs: dict[str, Any]) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-c", DRIVER, str(data), json.dumps(specs)]
        started.append(subprocess.Popen(argv))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


def until(condition: Callable[[], T | None], timeout_s: float = 60.0) -> T:
    """Wait until a condition holds, and return what it returned."""
    deadline = time.monotonic() + timeout_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)
    return answer


def wait_ready(data: Path) -> StackStatus:
    """Wait until the supervisor says that everything was up, and who everybody is.

    A process that is just becoming another program has no identity for a moment.
    """

    def ready() -> StackStatus | None:
        status = read_status(data / "status.json")
        if status is None or not status.ready:
            return None
        return status if all(each.job or each.identity for each in status.processes) else None

    return until(ready)


def identities(status: StackStatus) -> list[ProcessIdentity]:
    """Return the processes of a status."""
    return [each.identity for each in status.processes if each.identity is not None]


def python(code: str, *arguments: object) -> list[str]:
    """Return a command that runs Python code."""
    return [sys.executable, "-S", "-c", code, *map(str, arguments)]


def test_sigkill_of_the_parent_leaves_nothing_behind(
    start: Start, data: Path, tmp_path: Path
) -> None:
    """Whatever the children do about signals, none outlives its supervisor."""
    deaf = {"name": "deaf", "argv": python(IGNORES_SIGTERM, tmp_path / "deaf")}
    supervisor = start(deaf | {"ready": str(tmp_path / "deaf")}, {"name": "sleep", "argv": SLEEP})
    children = identities(wait_ready(data))
    assert len(children) == 2
    supervisor.kill()
    assert wait_gone(children, 60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_in_reverse_order(
    start: Start, data: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """Each process ends before those it needs are asked to."""
    order = tmp_path / "order"
    names = ("engine", "application", "observer")
    specs = []
    for name, after in zip(names, ((), ("engine",), ("application",)), strict=True):
        ready = str(tmp_path / name)
        argv = python(NOTES_ITS_END, order, name, ready)
        specs.append({"name": name, "argv": argv, "ready": ready, "after": after})
    supervisor = start(*specs)
    children = identities(wait_ready(data))
    supervisor.send_signal(number)
    assert supervisor.wait(60) == 0
    assert order.read_text().split() == ["observer", "application", "engine"]
    assert wait_gone(children, 0)
    assert not (data / "status.json").exists()


def test_a_process_deaf_to_sigterm_is_killed_after_its_time_out(
    start: Start, data: Path, tmp_path: Path
) -> None:
    """A stop never takes longer than the time-out of a process."""
    ready = str(tmp_path / "deaf")
    argv = python(IGNORES_SIGTERM, ready)
    supervisor = start({"name": "deaf", "argv": argv, "ready": ready, "stop_timeout_s": 0.3})
    children = identities(wait_ready(data))
    supervisor.terminate()
    assert supervisor.wait(60) == 0
    assert wait_gone(children, 0)


def test_a_second_signal_kills_at_once(start: Start, data: Path, tmp_path: Path) -> None:
    """Who asks twice doesn't wait for time-outs."""
    ready = str(tmp_path / "deaf")
    argv = python(IGNORES_SIGTERM, ready)
    supervisor = start({"name": "deaf", "argv": argv, "ready": ready, "stop_timeout_s": 1000})
    wait_ready(data)
    supervisor.terminate()
    until(lambda: read_status(data / "status.json").processes[0].phase is Phase.STOPPING)  # type: ignore[union-attr]
    supervisor.terminate()
    assert supervisor.wait(60) == 0


def test_a_process_that_dies_is_restarted_with_growing_pauses(
    start: Start, data: Path, tmp_path: Path
) -> None:
    """No pause is shorter than the policy's, which doubles."""
    starts = tmp_path / "starts"
    policy = {"first_delay_s": 0.1, "healthy_after_s": 100}
    start({"name": "worker", "argv": python(NOTES_ITS_START, starts), "restart": policy})
    until(lambda: starts.exists() and len(starts.read_text().splitlines()) >= 4)
    times = [float(line) for line in starts.read_text().splitlines()]
    pauses = [after - before for before, after in pairwise(times)]
    # 10 ms for the clocks: one is monotonic, the other is not.
    assert all(pause >= least - 0.01 for pause, least in zip(pauses, (0.1, 0.2, 0.4), strict=False))
    until(lambda: read_status(data / "status.json").processes[0].restarts >= 3)  # type: ignore[union-attr]


def test_jobs_run_before_those_that_need_them(start: Start, data: Path, tmp_path: Path) -> None:
    """A job ends with code 0, then what needs it starts, and everything is ready."""
    made = tmp_path / "made"
    job = {"name": "topics", "argv": ["/bin/sh", "-c", f"touch {made}"], "one_shot": True}
    looks = {"name": "worker", "argv": ["/bin/sh", "-c", f"test -e {made} && exec sleep 1000"]}
    start(job, looks | {"after": ["topics"]})
    status = wait_ready(data)
    assert [(each.phase, each.restarts) for each in status.processes] == [
        (Phase.DONE, 0),
        (Phase.HEALTHY, 0),
    ]
    assert [row["name"] for row in status.public()["processes"]] == ["worker"]  # type: ignore[attr-defined]


def test_a_job_that_gives_up_stops_the_start(start: Start, data: Path) -> None:
    """The supervisor ends with code 1, starts nothing that needs the job, and leaves nothing."""
    policy = {"first_delay_s": 0.01, "give_up_after": 2}
    job = {"name": "topics", "argv": ["/bin/false"], "one_shot": True, "restart": policy}
    supervisor = start(
        {"name": "engine", "argv": SLEEP},
        job,
        {"name": "worker", "argv": SLEEP, "after": ["topics"]},
    )
    assert supervisor.wait(60) == 1
    status = read_status(data / "status.json")
    assert status is not None
    assert {each.name: each.phase for each in status.processes} == {
        "engine": Phase.STOPPED,
        "topics": Phase.FAILED,
        "worker": Phase.STOPPED,
    }
    assert not status.ready
    assert not (data / "logs" / "worker.log").exists()


def test_a_program_that_can_not_run_is_reported_in_its_log(start: Start, data: Path) -> None:
    """A wrong path is a failure like another, with a reason to read."""
    policy = {"first_delay_s": 0.01, "give_up_after": 1}
    engine = {"name": "engine", "argv": ["/no/such/engine"], "ready": "/no/such/answer"}
    supervisor = start(engine | {"restart": policy})
    assert supervisor.wait(60) == 1
    assert "can't run /no/such/engine" in (data / "logs" / "engine.log").read_text()


def test_missed_probes_restart_a_living_process(start: Start, data: Path, tmp_path: Path) -> None:
    """A process that lives but doesn't work is ended and started again."""
    alive = tmp_path / "alive"
    alive.touch()
    policy = {"first_delay_s": 0.01, "misses_to_restart": 3}
    start({"name": "worker", "argv": SLEEP, "alive": str(alive), "restart": policy})
    (before,) = identities(wait_ready(data))
    alive.unlink()
    assert wait_gone([before], 60)
    alive.touch()
    until(lambda: read_status(data / "status.json").processes[0].restarts)  # type: ignore[union-attr]


def test_the_status_file_is_private_and_names_the_processes(start: Start, data: Path) -> None:
    """Only its owner reads it, since endpoints hold passwords; pids are those that run."""
    start({"name": "sleep", "argv": SLEEP})
    status = wait_ready(data)
    assert stat.S_IMODE((data / "status.json").stat().st_mode) == 0o600
    (process,) = status.processes
    assert process.pid is not None
    assert identify(process.pid) == process.identity
    assert status.public() == {
        "endpoints": {"kafka": "k:1"},
        "processes": [{"name": "sleep", "pid": process.pid, "healthy": True, "restarts": 0}],
        "data": str(data),
    }


def test_a_held_process_stays_down_until_released(start: Start, data: Path) -> None:
    """An outage lasts as long as a test wants it to."""
    start({"name": "sleep", "argv": SLEEP, "restart": {"first_delay_s": 0.01}})
    wait_ready(data)
    stack = until(lambda: RunningStack.find(data))
    stack.hold("sleep")
    before = stack.kill("sleep")
    until(lambda: stack.process("sleep").phase is Phase.BACKING_OFF)
    stack.release("sleep")
    after = stack.wait_healthy("sleep")
    assert after.pid != before
    assert after.restarts == 1


def test_two_supervisors_on_one_directory_are_refused(tmp_path: Path) -> None:
    """The second says whose the directory is, exits with 2, and doesn't disturb the first."""
    cache = tmp_path / "cache"
    with RunningStack.start(tmp_path / "data", cache=cache, only=["valkey"]) as stack:
        before = stack.wait_healthy("valkey")
        with pytest.raises(ConfigurationError, match="in use by another"):
            RunningStack.start(tmp_path / "data", cache=cache, only=["valkey"])
        assert stack.wait_healthy("valkey").identity == before.identity


def test_fresh_deletes_only_a_directory_of_ours(tmp_path: Path) -> None:
    """`--fresh` on a folder with other people's files is refused, and nothing is lost."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigurationError, match="neither empty nor"):
        RunningStack.start(tmp_path, cache=tmp_path, only=["valkey"], fresh=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_leftovers_are_ended_only_with_proof(tmp_path: Path) -> None:
    """Same pid, start time and command: ended. Same pid only: somebody else's, spared."""
    with subprocess.Popen(SLEEP) as left, subprocess.Popen(SLEEP) as stranger:
        try:
            written = [row(left.pid), row(stranger.pid).model_copy(update={"started": "earlier"})]
            path = adopt(tmp_path / "data").status
            write_status(path, status_of(*written))
            status = read_status(path)
            assert status is not None
            found = ours(status)
            assert [each.pid for each in found] == [left.pid]
            end_all(found)
            assert left.wait(60) == -signal.SIGTERM
            assert stranger.poll() is None
        finally:
            left.kill()
            stranger.kill()


def test_a_new_supervisor_ends_what_an_earlier_one_left(tmp_path: Path) -> None:
    """Where the kernel doesn't end orphans, the next start does: here one that isn't tied."""
    directory = adopt(tmp_path / "data")
    with subprocess.Popen(SLEEP) as left:
        try:
            write_status(directory.status, status_of(row(left.pid)))
            with RunningStack.start(directory.root, cache=tmp_path, only=["valkey"]):
                assert left.wait(60) == -signal.SIGTERM
        finally:
            left.kill()


def test_the_stack_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """SIGKILL of a test run or of `daybook dev up` leaves no engine behind."""
    code = "import sys, signal; from pathlib import Path; from infra.embedded.running import *; "
    code += "RunningStack.start(Path(sys.argv[1]), cache=Path(sys.argv[1]), only=['valkey']); "
    code += "print('up', flush=True); signal.pause()"
    argv = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"up\n"
        stack = until(lambda: RunningStack.find(tmp_path))
        everything = [*identities(stack.status), stack.supervisor]
        starter.kill()
    assert wait_gone(everything, 60)
    assert not any(is_running(each) for each in everything)


def row(pid: int) -> ProcessStatus:
    """Return a status row of a running process."""
    identity = until(lambda: identify(pid))
    return ProcessStatus(
        name=f"process-{pid}",
        pid=pid,
        healthy=True,
        restarts=0,
        phase=Phase.HEALTHY,
        started=identity.started,
        command=identity.command,
    )


def status_of(*rows: ProcessStatus) -> StackStatus:
    """Return what a supervisor that is gone wrote."""
    gone = row(os.getpid()).model_copy(update={"started": "earlier"})
    return StackStatus(endpoints=Endpoints(), processes=rows, data="", supervisor=gone)
