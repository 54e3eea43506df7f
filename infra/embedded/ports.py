"""Ports on 127.0.0.1, remembered so that clients outlive a restart of the stack."""

import json
import random
import socket
from collections.abc import Sequence
from pathlib import Path

HOST = "127.0.0.1"
# Below every system's range for outgoing connections (Linux 32768+, macOS 49152+). In that range a
# client that retries a closed port can be given this very port as its own, connects to itself, and
# the server that wants to come back finds its port taken.
PORT_RANGE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of a server that just ended (TIME_WAIT) don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(taken: frozenset[int] = frozenset()) -> int:
    """Return a free port that isn't in `taken`.

    Raises:
        OSError: After 1000 tries there was none.
    """
    for _ in range(1000):
        port = random.choice(PORT_RANGE)  # noqa: S311 - not a secret
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port in {PORT_RANGE.start}-{PORT_RANGE.stop}")


def remembered_ports(book: Path, names: Sequence[str]) -> dict[str, int]:
    """Return one port per name: last time's if it is still free, else a new one.

    Args:
        book: JSON file, name → port; written when anything changes. Other names in it are kept.
        names: What needs a port.

    Returns:
        name → port, all different.
    """
    remembered: dict[str, int] = json.loads(book.read_text()) if book.exists() else {}
    ports: dict[str, int] = {}
    for name in names:
        port = remembered.get(name)
        if port is None or port in ports.values() or not is_free(port):
            port = free_port(frozenset(remembered.values()) | frozenset(ports.values()))
        ports[name] = port
    merged = remembered | ports
    if merged != remembered:
        book.write_text(json.dumps(merged, indent=1) + "\n")
    return ports
