"""What surrounds every request: a limit on its size, and headers on its answer. Plain ASGI."""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.problems import SECURITY_HEADERS, ProblemError, answer


class Surroundings:
    """Refuses bodies over a limit, announced or not, and adds headers to answers.

    Args:
        app: What is surrounded.
        max_body_bytes: Largest body.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app, self._limit = app, max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > self._limit:
            refused = self._too_large()
            await answer(refused.status_code, refused.reason, refused.detail)(scope, receive, send)
            return
        await self._app(scope, self._counting(receive), _adding_headers(send))

    def _counting(self, receive: Receive) -> Receive:
        """Return `receive` that stops a body which turns out to be larger than announced."""
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> ProblemError:
        return ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            f"a request has at most {self._limit} bytes",
        )


def _adding_headers(send: Send) -> Send:
    async def added(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return added
