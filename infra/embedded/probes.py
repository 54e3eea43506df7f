"""Ready and liveness checks over the network. Each answers within seconds and raises nothing."""

import asyncio
import http.client
from http import HTTPStatus

from infra.embedded.ports import HOST
from infra.embedded.spec import Probe

_TIMEOUT_S = 4.0


def http_ok(port: int, path: str) -> Probe:
    """Return a check that is true when `GET path` answers 200."""

    def ask() -> bool:
        connection = http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            # All of it: a server that is cut off in its answer logs a broken pipe.
            answer.read()
        except (OSError, http.client.HTTPException):
            return False
        else:
            return answer.status == HTTPStatus.OK
        finally:
            connection.close()

    async def check() -> bool:
        return await asyncio.to_thread(ask)

    return check


async def accepts_connections(port: int) -> bool:
    """Tell whether something listens on this port of 127.0.0.1."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(HOST, port), _TIMEOUT_S)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
