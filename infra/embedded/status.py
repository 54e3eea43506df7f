"""`status.json`: what the supervisor tells everybody else, in the shape of `daybook dev status`."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from infra.embedded.directory import write_private
from infra.embedded.identity import ProcessIdentity, identify
from infra.embedded.lifecycle import Phase


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Endpoints(_Model):
    """Where clients connect; `None` for what isn't part of this stack."""

    kafka: str | None = None
    valkey: str | None = None
    clickhouse: str | None = None
    api: str | None = None
    gateway: str | None = None


class ProcessStatus(_Model):
    """One process.

    Args:
        name: As in the stack.
        pid: `None` while it has none.
        healthy: Ready, and its last liveness probe succeeded; or a job that succeeded.
        restarts: Starts after the first one since the supervisor started.
        phase: Where it stands.
        job: Whether it is meant to end.
        started: Its start time, only good for comparing.
        command: What runs under the pid.
        metrics: URL of its Prometheus metrics, if it serves any.
    """

    name: str
    pid: int | None
    healthy: bool
    restarts: int
    phase: Phase
    job: bool = False
    started: str = ""
    command: str = ""
    metrics: str | None = None

    @property
    def identity(self) -> ProcessIdentity | None:
        """Whom the supervisor started, for comparing with whoever has the pid now."""
        if self.pid is None:
            return None
        return ProcessIdentity(self.pid, self.started, self.command)

    @property
    def is_running(self) -> bool:
        """Whether the process that was started is still there."""
        identity = self.identity
        return identity is not None and identify(identity.pid) == identity


class StackStatus(_Model):
    """The stack in one data directory."""

    endpoints: Endpoints
    processes: tuple[ProcessStatus, ...]
    data: str
    ready: bool = False
    supervisor: ProcessStatus

    def process(self, name: str) -> ProcessStatus | None:
        """Return the process of this name, if the stack has it."""
        return next((process for process in self.processes if process.name == name), None)

    @property
    def is_supervised(self) -> bool:
        """Whether the supervisor that wrote this still runs."""
        return self.supervisor.is_running

    @property
    def is_healthy(self) -> bool:
        """Whether everything is up under a running supervisor."""
        return self.is_supervised and self.ready and all(each.healthy for each in self.processes)

    def public(self) -> dict[str, object]:
        """Return the documented shape: what `daybook dev status --json` prints.

        Jobs that are done have no pid and are left out; endpoints the stack lacks too.
        """
        return {
            "endpoints": self.endpoints.model_dump(exclude_none=True),
            "processes": [
                {
                    "name": each.name,
                    "pid": each.pid,
                    "healthy": each.healthy and self.is_supervised,
                    "restarts": each.restarts,
                }
                for each in self.processes
                if each.phase is not Phase.DONE
            ],
            "data": self.data,
        }


def write_status(path: Path, status: StackStatus) -> None:
    """Replace the file atomically: a reader sees the old or the new one, never a part.

    Only its owner may read it: endpoints hold a password.
    """
    write_private(path, status.model_dump_json(indent=1) + "\n")


def read_status(path: Path) -> StackStatus | None:
    """Return what the last supervisor wrote, or `None` if none did or it can't be read."""
    try:
        return StackStatus.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
