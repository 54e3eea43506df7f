"""Gateways on a real broker: what is published reaches everybody once, whoever dies."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from gateway.keys import new_private_set, private_jwk
from gateway.tokens import Signer
from infra.embedded.ports import free_port
from schemas.derived.push import PushRecord
from schemas.topics import PUSH
from tests.gateway.websocket.serving import until, utc_ms
from tests.gateway.websocket.watching import Watch, client, watching
from tests.integration.conftest import PARTITIONS
from tests.integration.journal_check import read_log

pytestmark = pytest.mark.integration

ROOMS = [f"chat:room-{number}" for number in range(6)]
COUNT = 3_000
LISTENERS = 3


@contextlib.contextmanager
def gateway(kafka: str, keys: Path, port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a gateway; killed at the end if it lives."""
    environment = os.environ | {
        "DAYBOOK_KAFKA": kafka,
        "DAYBOOK_TOKEN_KEYS": str(keys),
        "DAYBOOK_GATEWAY_PORT": str(port),
        "DAYBOOK_LOG_FORMAT": "json",
    }
    with log.open("ab") as out:
        argv = [sys.executable, "-m", "infra.cli", "gateway"]
        process = subprocess.Popen(argv, env=environment, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 60
        while "gateway_listens" not in log.read_text():
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def push(producer: Producer, number: int) -> None:
    """Publish one message; rooms take turns."""
    channel = ROOMS[number % len(ROOMS)]
    data = json.dumps({"n": number}).encode()
    record = PushRecord("b2b", channel, f"m-{number}", utc_ms(), data)
    producer.produce(PUSH, record.data, record.key, headers=[*record.headers])
    producer.poll(0)


def in_kafka(kafka: str) -> dict[str, list[int]]:
    """Return channel → numbers, as they are in the log."""
    found: dict[str, list[int]] = defaultdict(list)
    for partition in range(PARTITIONS):
        for record in read_log(kafka, PUSH, partition):
            found[(record.key or b"").decode().partition("|")[2]].append(
                json.loads(record.value)["n"]
            )
    return found


@pytest.mark.usefixtures("app")
async def test_killed_gateways_cost_nobody_a_publication(kafka: str, tmp_path: Path) -> None:
    """SIGKILL under load: clients move to another gateway, each has every id once and in order.

    And SIGTERM: it drains, exits 0, and that costs nothing either.
    """
    keys, port = tmp_path / "keys.json", free_port()
    keys.write_text(new_private_set("test"))
    signer = Signer(private_jwk(keys.read_bytes()), "daybook", "daybook")
    token = signer.sign("b2b", "anna", ["agent"], now_ms=utc_ms(), ttl_s=600)
    url = f"ws://127.0.0.1:{port}/connection/websocket"
    producer = Producer({"bootstrap.servers": kafka, "partitioner": "murmur2", "linger.ms": 5})
    watches: list[tuple[str, Watch]] = []
    async with contextlib.AsyncExitStack() as stack:
        stay = stack.enter_context(gateway(kafka, keys, port, tmp_path / "stay.log"))
        for turn in range(3):
            log = tmp_path / f"turn-{turn}.log"
            with gateway(kafka, keys, port, log) as dies:
                if not watches:
                    for _ in range(LISTENERS):
                        made, _events = await stack.enter_async_context(client(url, token))
                        watches += [(room, (await watching(made, room))[1]) for room in ROOMS]
                for number in range(turn * COUNT // 3, (turn + 1) * COUNT // 3):
                    push(producer, number)
                    if number % 20 == 0:
                        await asyncio.sleep(0.005)
                    if number == turn * COUNT // 3 + COUNT // 6:
                        # The last turn ends the one that everybody has fled to.
                        dies.send_signal(signal.SIGKILL) if turn < 2 else stay.terminate()
                assert producer.flush(30) == 0
                wanted = in_kafka(kafka)
                assert sum(map(len, wanted.values())) == (turn + 1) * COUNT // 3
                await until(
                    lambda: all(len(each.got) >= len(wanted[room]) for room, each in watches),  # noqa: B023
                    "everybody has everything",
                    30,
                )
                if turn == 2:
                    assert await asyncio.to_thread(stay.wait, 30) == 0
        for room, watch in watches:
            assert [each["n"] for each in watch.got] == wanted[room]
            assert all(each.recovered for each in watch.subscribed[1:])
        assert sum(len(watch.subscribed) > 1 for _, watch in watches) > 0, "nobody had to move"
