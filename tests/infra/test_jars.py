"""Kafka's jars: whole, checked, and never half there. The repository is a server of this test."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.embedded.jars import LOCK, ensure_jars, read_lock
from infra.embedded.ports import free_port
from schemas.errors import Unavailable

JARS = {"a-1.jar": b"first jar", "b-2.jar": b"second jar" * 1000}


class Repository(ThreadingHTTPServer):
    """A Maven repository with two jars, that counts requests and can keep one back."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Download)
        self.asked: list[str] = []
        self.corrupt = ""
        self.held = ""
        self.half_sent = threading.Event()
        self.release = threading.Event()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class Download(BaseHTTPRequestHandler):
    """One request."""

    server: Repository

    def do_GET(self) -> None:
        """Answer with a jar; half of it first, if it is to be held."""
        name = self.path.rsplit("/", 1)[-1]
        content = JARS.get(name)
        if content is None:
            self.send_error(404)
            return
        self.server.asked.append(name)
        if name == self.server.corrupt:
            content = b"x" * len(content)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2
        self.wfile.write(content[:half])
        if name == self.server.held:
            self.wfile.flush()
            self.server.half_sent.set()
            self.server.release.wait(30)
        self.wfile.write(content[half:])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def repository() -> Iterator[Repository]:
    """Yield a running repository."""
    with Repository() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.release.set()
        server.shutdown()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Return the lock of the two jars."""
    path = tmp_path / "jars.lock"
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in JARS.items()}
    path.write_text(f"g:a:1 {digests['a-1.jar']}\ng:b:2 {digests['b-2.jar']}\n")
    return path


def test_jars_are_fetched_once(repository: Repository, lock: Path, tmp_path: Path) -> None:
    """The second call finds them and asks nobody."""
    told: list[tuple[int, int]] = []
    cache = tmp_path / "cache"
    first = ensure_jars(
        cache,
        lock=lock,
        repository=repository.url,
        on_progress=lambda there, total: told.append((there, total)),
    )
    second = ensure_jars(cache, lock=lock, repository="http://127.0.0.1:1")
    assert first == second
    assert [path.read_bytes() for path in first] == list(JARS.values())
    assert sorted(repository.asked) == ["a-1.jar", "b-2.jar"]
    assert told == [(1, 2), (2, 2)]


def test_a_jar_with_another_checksum_is_refused(
    repository: Repository, lock: Path, tmp_path: Path
) -> None:
    """Bytes other than the recorded ones never reach the class path; the right ones do later."""
    repository.corrupt = "b-2.jar"
    with pytest.raises(Unavailable, match=r"b-2\.jar came with another checksum"):
        ensure_jars(tmp_path / "cache", lock=lock, repository=repository.url)
    repository.corrupt = ""
    paths = ensure_jars(tmp_path / "cache", lock=lock, repository=repository.url)
    assert paths[1].read_bytes() == JARS["b-2.jar"]


def test_without_a_network_the_error_says_so(lock: Path, tmp_path: Path) -> None:
    """Nobody listens: one clear sentence."""
    with pytest.raises(Unavailable, match="needs a network, the first time only"):
        ensure_jars(tmp_path, lock=lock, repository=f"http://127.0.0.1:{free_port()}")


def test_a_killed_download_leaves_no_half_cache(
    repository: Repository, lock: Path, tmp_path: Path
) -> None:
    """SIGKILL in the middle of a jar: nothing under the final name, and the next call completes."""
    cache = tmp_path / "cache"
    repository.held = "b-2.jar"
    code = "import sys; from pathlib import Path; from infra.embedded.jars import ensure_jars; "
    code += "ensure_jars(Path(sys.argv[1]), lock=Path(sys.argv[2]), repository=sys.argv[3])"
    argv = [sys.executable, "-c", code, str(cache), str(lock), repository.url]
    with subprocess.Popen(argv) as download:
        assert repository.half_sent.wait(30)
        download.kill()
    assert not [path for path in cache.joinpath("jars").iterdir() if not path.suffix]
    repository.held = ""
    repository.release.set()
    paths = ensure_jars(cache, lock=lock, repository=repository.url)
    assert [path.read_bytes() for path in paths] == list(JARS.values())
    left = {path.suffix for path in cache.joinpath("jars").iterdir()}
    assert left == {"", ".lock"}


def test_the_recorded_jars_are_kafka_and_a_logger() -> None:
    """44 jars of Kafka 4.4.0 and the logger it doesn't bring, each with a SHA-256."""
    jars = read_lock(LOCK.read_text())
    assert len(jars) == 45
    assert {"kafka_2.13-4.4.0.jar", "slf4j-simple-1.7.36.jar"} <= {jar.file_name for jar in jars}
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in jars)
