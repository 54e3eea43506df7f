"""A data directory: what lies where, whose it is, and who may use it now."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.keys import new_private_set
from infra.settings import TOKEN_KEYS_FILE
from schemas.errors import ConfigurationError

MARKER = ".daybook-data"
_LOCK = "supervisor.lock"
_MARKER_TEXT = "A Daybook data directory. `daybook dev up --fresh` deletes what is in it.\n"


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """The directory of one embedded stack, made by `adopt`."""

    root: Path

    @property
    def logs(self) -> Path:
        """Folder of the processes' log files."""
        return self.root / "logs"

    @property
    def holds(self) -> Path:
        """Folder of hold files: a process that has one isn't started again until it is gone."""
        return self.root / "hold"

    @property
    def status(self) -> Path:
        """What the supervisor tells everybody else."""
        return self.root / "status.json"

    @property
    def ports(self) -> Path:
        """The ports to use again."""
        return self.root / "ports.json"

    @property
    def accounts(self) -> Path:
        """ClickHouse's accounts, readable by their owner only."""
        return self.root / "clickhouse-accounts.json"

    @property
    def token_keys(self) -> Path:
        """The key that the stack signs tokens with, private; readable by its owner only."""
        return self.root / TOKEN_KEYS_FILE

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for one supervisor. The kernel lets go of it however that ends.

        Raises:
            ConfigurationError: Another supervisor has it.
        """
        with (self.root / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigurationError(
                    "data",
                    f"{self.root} is in use by another `daybook dev up`; end it with "
                    f"`daybook dev down --data {self.root}`",
                ) from None
            yield

    def wipe(self) -> None:
        """Delete everything but the marker and the lock. Only for the holder of the lock."""
        for entry in self.root.iterdir():
            if entry.name in {MARKER, _LOCK}:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.make_folders()

    def make_folders(self) -> None:
        """Make the folders every stack has."""
        self.logs.mkdir(exist_ok=True)
        self.holds.mkdir(exist_ok=True)

    def passwords(self) -> dict[str, str]:
        """Return ClickHouse user → password, made once per directory.

        `daybook` reads and writes; `bi` only reads.
        """
        if not self.accounts.exists():
            accounts = {
                "daybook": {"password": secrets.token_urlsafe(18), "readonly": False},
                "bi": {"password": secrets.token_urlsafe(18), "readonly": True},
            }
            write_private(self.accounts, json.dumps(accounts, indent=1) + "\n")
        stored = json.loads(self.accounts.read_text())
        return {user: str(account["password"]) for user, account in stored.items()}

    def make_token_keys(self) -> None:
        """Make the key that tokens are signed with, once per directory."""
        if not self.token_keys.exists():
            write_private(self.token_keys, new_private_set("development"))


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read, from its first byte on, and never half of it."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def adopt(root: Path) -> DataDirectory:
    """Make a data directory, or take one that is marked as ours.

    Args:
        root: A directory that is ours, empty, or doesn't exist yet.

    Raises:
        ConfigurationError: It holds somebody else's files: they are neither mixed with ours nor,
            with `--fresh`, deleted.
    """
    root = root.resolve()
    if root.exists() and not root.is_dir():
        raise ConfigurationError("data", f"{root} is not a directory")
    marker = root / MARKER
    if not marker.exists():
        if root.exists() and any(root.iterdir()):
            raise ConfigurationError(
                "data",
                f"{root} is neither empty nor a Daybook data directory ({MARKER} is missing)",
            )
        root.mkdir(parents=True, exist_ok=True)
        marker.write_text(_MARKER_TEXT)
    directory = DataDirectory(root)
    directory.make_folders()
    return directory
