"""Our processes under a supervisor of the harness: started again with back-off, ends recorded."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.embedded.ports import HOST, free_port
from infra.embedded.spawn import tied
from tests.exactness.restarts import Record

WORDS = 4_000
"""Bytes of a log that count as a process's last words."""
CONDEMNED_AFTER_S = 40.0
"""A process that calls itself unhealthy for so long is killed, as a supervisor does it."""


@dataclass
class Member:
    """One process of ours.

    Args:
        name: `worker-0`; the beginning is its command.
        log: Where its output goes.
        env: Its settings.
        wanted: Whether it is to run.
        record: What became of it.
    """

    name: str
    log: Path
    env: Mapping[str, str]
    port: int
    wanted: bool = True
    record: Record = field(default_factory=Record)
    frozen: bool = False
    kill_after_s: list[float] = field(default_factory=list)
    started_s: float = 0.0
    ill_since_s: float = 0.0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def kind(self) -> str:
        """Its command."""
        return self.name.partition("-")[0]

    @property
    def runs(self) -> bool:
        """Whether it runs (or is frozen)."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it."""
        argv = tied([sys.executable, "-m", "tests.exactness.process", self.kind])
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                argv, env=os.environ | dict(self.env), stdout=log, stderr=log
            )
        self.record.starts += 1
        self.started_s = time.monotonic()
        self.ill_since_s = 0.0

    def send(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self.runs and self.process is not None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL it; the end is expected."""
        if self.runs:
            self.record.struck = True
            self.send(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM it; an orderly end is expected."""
        if self.runs:
            self.record.asked = True
            self.send(signal.SIGTERM)

    def freeze(self) -> None:
        """SIGSTOP it."""
        self.frozen = self.runs
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT it."""
        self.send(signal.SIGCONT)
        self.frozen = False

    def is_due_to_die(self, now_s: float) -> bool:
        """Tell whether it has lived as long as it may since its start."""
        return bool(self.kill_after_s) and now_s - self.started_s >= self.kill_after_s[0]

    def words(self) -> str:
        """Return the last it said."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - WORDS))
            return log.read().decode(errors="replace")

    def reap(self, now_s: float) -> None:
        """Note its end, if it has ended."""
        if self.process is None or (code := self.process.poll()) is None:
            return
        self.process = None
        self.frozen = False
        before = len(self.record.unexpected)
        self.record.ended(code, lived_s=now_s - self.started_s, now_s=now_s, words=self.words())
        if len(self.record.unexpected) > before:
            copy = self.log.with_suffix(f".unexpected-{before}")
            copy.write_text(self.words())

    def is_ill(self) -> bool:
        """Ask whether it calls itself unhealthy; one that doesn't answer isn't asked to."""
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}/health", timeout=0.5):
                return False
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False


class Fleet:
    """All of them.

    Args:
        names: Who is to run.
        folder: For logs.
        env: Settings common to all.
    """

    def __init__(self, names: tuple[str, ...], folder: Path, env: Mapping[str, str]) -> None:
        self.members: dict[str, Member] = {}
        self._folder, self._env = folder, env
        self._asked_s = 0.0
        self.condemned: list[str] = []
        for name in names:
            self.add(name)

    def add(self, name: str) -> Member:
        """Let one more run, or again."""
        if name not in self.members:
            port = free_port(frozenset(member.port for member in self.members.values()))
            own = {"DAYBOOK_INSTANCE": name, "DAYBOOK_METRICS_PORT": str(port)}
            log = self._folder / f"{name}.log"
            self.members[name] = Member(name, log, {**self._env, **own}, port)
        self.members[name].wanted = True
        return self.members[name]

    def __getitem__(self, name: str) -> Member:
        """Return one of them."""
        return self.members[name]

    def of_kind(self, *kinds: str) -> list[Member]:
        """Return those of some commands."""
        return [member for member in self.members.values() if member.kind in kinds]

    def tend(self) -> None:
        """Do a supervisor's work once; doesn't wait."""
        now_s = time.monotonic()
        for member in self.members.values():
            member.reap(now_s)
            if member.wanted and member.process is None and now_s >= member.record.retry_at_s:
                member.start()
            elif member.runs and member.is_due_to_die(now_s):
                member.kill_after_s.pop(0)
                member.kill()
        if now_s - self._asked_s > 1.0:
            self._asked_s = now_s
            self._condemn(now_s)

    def _condemn(self, now_s: float) -> None:
        for member in self.members.values():
            if not member.runs or member.frozen or not member.is_ill():
                member.ill_since_s = 0.0
            elif not member.ill_since_s:
                member.ill_since_s = now_s
            elif now_s - member.ill_since_s > CONDEMNED_AFTER_S:
                self.condemned.append(member.name)
                member.ill_since_s = 0.0
                member.kill()

    def unexpected(self) -> list[str]:
        """Return every end nobody can explain."""
        return [
            f"{member.name}: {end}"
            for member in self.members.values()
            for end in member.record.unexpected
        ]

    def stop(self, *kinds: str, timeout_s: float = 90.0) -> None:
        """Ask those of some commands to end and wait until they have."""
        stopping = self.of_kind(*kinds)
        for member in stopping:
            member.wanted = False
            member.thaw()
            member.terminate()
        deadline = time.monotonic() + timeout_s
        while any(member.runs for member in stopping) and time.monotonic() < deadline:
            self.tend()
            time.sleep(0.05)
        self.tend()

    def kill_all(self) -> None:
        """End everything now."""
        for member in self.members.values():
            member.wanted = False
            if member.process is not None:
                member.process.kill()
                member.process.wait()
