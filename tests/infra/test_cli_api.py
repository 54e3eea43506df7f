"""`daybook api` as a process: it serves without any engine, and a signal ends it in order."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from gateway.keys import new_private_set
from infra.embedded.ports import HOST, remembered_ports


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    """Exit code 0, and the last line says that it left."""
    (tmp_path / "token-keys.json").write_text(new_private_set("ours"))
    port = remembered_ports(tmp_path / "ports.json", ["api"])["api"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    environment = {
        **kept,
        "DAYBOOK_DATA": str(tmp_path),
        "DAYBOOK_API_PORT": str(port),
        "DAYBOOK_KAFKA": f"{HOST}:1",
        "DAYBOOK_CLICKHOUSE_URL": f"http://{HOST}:1",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "infra.cli", "api"],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert _answers(f"http://{HOST}:{port}/api/v1/health")
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert "api_left" in said.splitlines()[-1]


def _answers(url: str) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return httpx.get(url).status_code == httpx.codes.OK
        except httpx.TransportError:
            time.sleep(0.05)
    return False
