"""A proxy between a connector and a real server that lets calls fail, after acceptance too."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.ports import free_port

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length", "host"}
)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


class Fault(StrEnum):
    """What becomes of a call; the accepted ones reach the server first."""

    ACCEPTED_THEN_RESET = "accepted_then_reset"
    ACCEPTED_THEN_500 = "accepted_then_500"
    ACCEPTED_THEN_GARBAGE = "accepted_then_garbage"
    RESET = "reset"
    ERROR_500 = "error_500"
    UNAVAILABLE_503 = "unavailable_503"
    TOO_MANY_429 = "too_many_429"
    UNAUTHORISED_401 = "unauthorised_401"
    GARBAGE_200 = "garbage_200"

    @property
    def is_accepted(self) -> bool:
        return self.value.startswith("accepted")


class _Reset(Exception):
    """The line is to be cut without an answer."""


@dataclass
class FaultProxy:
    """Forwards everything to `target`; calls that `hits` accepts meet the next planned fault."""

    target: str
    hits: Callable[[str, str], bool] = lambda _method, _path: True
    port: int = field(default_factory=free_port)
    planned: deque[Fault] = field(default_factory=deque)
    every: Fault | None = None
    """A fault that every call meets, those that `hits` refuses too."""
    calls: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def plan(self, *faults: Fault) -> None:
        """Let the next calls that publish fail so, one after the other."""
        self.planned.extend(faults)

    @contextmanager
    def running(self) -> Iterator["FaultProxy"]:
        """Serve in a thread of its own until this is left."""
        app = Starlette(routes=[Route("/{path:path}", self._take, methods=METHODS)])
        config = uvicorn.Config(
            _cutting(app), host="127.0.0.1", port=self.port, log_level="critical", lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            threading.Event().wait(0.01)
        try:
            yield self
        finally:
            server.should_exit = True
            server.force_exit = True
            thread.join(5)

    async def _take(self, request: Request) -> Response:
        path = request.url.path
        self.calls.append((request.method, path))
        fault = self.every
        if fault is None and self.planned and self.hits(request.method, path):
            fault = self.planned.popleft()
        if fault is None:
            return await self._forward(request)
        if fault.is_accepted:
            answer = await self._forward(request)
            if isinstance(answer, StreamingResponse):
                async for _ in answer.body_iterator:
                    pass
        return _faulty(fault)

    async def _forward(self, request: Request) -> Response:
        url = self.target.rstrip("/") + request.url.path
        if request.url.query:
            url += f"?{request.url.query}"
        headers = {n: v for n, v in request.headers.items() if n not in HOP_BY_HOP}
        headers["host"] = httpx.URL(self.target).netloc.decode()
        client = httpx.AsyncClient(timeout=60, follow_redirects=False, trust_env=False)
        forwarded = client.build_request(
            request.method, url, headers=headers, content=await request.body()
        )
        try:
            response = await client.send(forwarded, stream=True)
        except httpx.HTTPError:
            await client.aclose()
            raise _Reset from None

        async def pieces() -> AsyncIterator[bytes]:
            try:
                async for piece in response.aiter_raw():
                    yield piece
            finally:
                await response.aclose()
                await client.aclose()

        kept = {n: v for n, v in response.headers.items() if n not in HOP_BY_HOP}
        return StreamingResponse(pieces(), response.status_code, kept)


def _faulty(fault: Fault) -> Response:
    match fault:
        case Fault.ACCEPTED_THEN_RESET | Fault.RESET:
            raise _Reset
        case Fault.ACCEPTED_THEN_500 | Fault.ERROR_500:
            return Response("<html>oops</html>", 500)
        case Fault.ACCEPTED_THEN_GARBAGE | Fault.GARBAGE_200:
            return Response('{"half of an ans', 200, media_type="application/json")
        case Fault.UNAVAILABLE_503:
            return Response("", 503, {"retry-after": "1"})
        case Fault.TOO_MANY_429:
            return Response("{}", 429, {"retry-after": "1"}, "application/json")
        case Fault.UNAUTHORISED_401:
            return Response("{}", 401, media_type="application/json")


def _cutting(app: Starlette) -> Callable[..., object]:
    """Cut the line when the application asks for it."""

    async def cut(scope: object, receive: object, send: object) -> None:
        try:
            await app(scope, receive, send)  # type: ignore[arg-type]
        except _Reset:
            transport = _transport_of(send)
            if transport is not None:
                transport.abort()

    return cut


def _transport_of(send: object) -> asyncio.Transport | None:
    """Return the line behind uvicorn's `send`, a method of its request's cycle."""
    cycle = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)
    return transport if isinstance(transport, asyncio.Transport) else None
