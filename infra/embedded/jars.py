"""Kafka's jars: fetched once by `jgo`, checked against recorded checksums, kept in a cache folder.

`kafka.jars.lock` holds what jgo's resolver made of `ROOTS`, so that a first start needs no
dependency resolution and every machine runs the same bytes. To change a version, edit `ROOTS` and
run `python -m infra.embedded.jars > infra/embedded/kafka.jars.lock`.
"""

import fcntl
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import Unavailable

ROOTS = (
    "org.apache.kafka:kafka_2.13:4.4.0",
    # Kafka logs through slf4j and brings no implementation: without one a broker dies in silence.
    "org.slf4j:slf4j-simple:1.7.36",
)
LOCK = Path(__file__).with_name("kafka.jars.lock")
_DOWNLOADS_AT_ONCE = 6
_TIMEOUT_S = 30

Progress = Callable[[int, int], None]
"""Called with (jars that are there, jars in all), from the calling thread."""


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One jar and its only accepted content.

    Args:
        group: Maven group.
        artifact: Maven artifact.
        version: Its version.
        sha256: Hexadecimal digest of the file.
    """

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Return the name of the file."""
        return f"{self.artifact}-{self.version}.jar"

    def matches(self, path: Path) -> bool:
        """Tell whether a file exists and is this jar, whole and unchanged."""
        return path.exists() and _sha256(path) == self.sha256


def read_lock(text: str) -> tuple[LockedJar, ...]:
    """Read the text of a lock file: `group:artifact:version sha256` a line, `#` comments.

    >>> read_lock("a:b:1 00ff")
    (LockedJar(group='a', artifact='b', version='1', sha256='00ff'),)
    """
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinate, sha256 = line.split()
            group, artifact, version = coordinate.split(":")
            jars.append(LockedJar(group, artifact, version, sha256))
    return tuple(jars)


def ensure_jars(
    cache: Path,
    *,
    lock: Path = LOCK,
    repository: str | None = None,
    on_progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Return Kafka's class path, fetching what is missing.

    The folder appears under its final name when it is complete and checked. A download that was
    killed goes on with the jars that are whole; two at a time wait for each other.

    Args:
        cache: The user's cache folder; made if it doesn't exist.
        lock: What to fetch.
        repository: Base URL of a Maven repository, for a mirror; Maven Central by default.
        on_progress: Told about every jar. Not called if all are there.

    Returns:
        Absolute paths, in the order of the lock.

    Raises:
        Unavailable: No network, or a jar with another checksum than recorded.
    """
    text = lock.read_text()
    jars = read_lock(text)
    folder = cache.resolve() / "jars" / hashlib.sha256(text.encode()).hexdigest()[:16]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(folder.with_suffix(".lock")):
            if not folder.exists():
                draft = folder.with_suffix(".new")
                _fetch_all(jars, draft, repository, on_progress)
                draft.rename(folder)
    return tuple(folder / jar.file_name for jar in jars)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for, and hold, a lock file. The kernel lets go of it when the process ends."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Make an empty folder and delete it afterwards. Only under a lock: the name is fixed.

    It has a fixed name, so that what a killed process left is deleted by the next one.
    """
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _fetch_all(
    jars: Sequence[LockedJar], folder: Path, repository: str | None, on_progress: Progress | None
) -> None:
    folder.mkdir(exist_ok=True)
    missing = [jar for jar in jars if not jar.matches(folder / jar.file_name)]
    with scratch_folder(folder.with_suffix(".maven")) as scratch:
        context = _context(scratch, repository)
        pool = ThreadPoolExecutor(_DOWNLOADS_AT_ONCE)
        try:
            downloads = [pool.submit(_fetch, context, jar, folder) for jar in missing]
            for there, download in enumerate(as_completed(downloads), len(jars) - len(missing) + 1):
                download.result()
                if on_progress is not None:
                    on_progress(there, len(jars))
        finally:
            # The first failure, or Ctrl-C, ends it: downloads not begun are dropped.
            pool.shutdown(cancel_futures=True)


def _fetch(context: Any, jar: LockedJar, folder: Path) -> None:
    """Fetch one jar and move it into the folder when its checksum is right."""
    from requests import RequestException

    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    try:
        path = Path(artifact.resolve())
    except (RequestException, RuntimeError, OSError) as error:
        raise Unavailable(
            "the Maven repository",
            10,
            f"fetching {jar.file_name} needs a network, the first time only ({error})",
        ) from error
    if not jar.matches(path):
        raise Unavailable(
            "the Maven repository", 10, f"{jar.file_name} came with another checksum than recorded"
        )
    path.rename(folder / jar.file_name)


def _context(repo_cache: Path, repository: str | None) -> Any:
    from jgo.maven import MavenContext, PythonResolver

    return MavenContext(
        resolver=PythonResolver(),
        repo_cache=repo_cache,
        local_repos=[],
        remote_repos=None if repository is None else {"mirror": repository},
        timeout=_TIMEOUT_S,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resolve_lock(roots: Sequence[str] = ROOTS) -> str:
    """Resolve the jars anew and return the text of a lock file.

    Args:
        roots: Coordinates whose compile and runtime dependencies are wanted too.
    """
    with tempfile.TemporaryDirectory() as scratch:
        context = _context(Path(scratch), None)
        wanted = [context.create_dependency(root) for root in roots]
        inputs, transitive = context.resolver.resolve(wanted)
        lines = {
            f"{each.groupId}:{each.artifactId}:{each.version} {_sha256(each.artifact.resolve())}"
            for each in (*inputs, *transitive)
        }
    heading = f"# {' and '.join(roots)}: coordinate, SHA-256 of the jar. Made by jars.py.\n"
    return heading + "".join(f"{line}\n" for line in sorted(lines))


if __name__ == "__main__":
    sys.stdout.write(resolve_lock())
