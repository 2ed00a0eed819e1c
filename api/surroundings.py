"""Around every request: its id, bound and time, safe headers, and an answer in every case."""

import asyncio
import contextlib
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, answer
from api.metrics import Metrics
from conversations.attachments import LARGEST_BYTES

log = structlog.get_logger()

DRAINED_BYTES = 16 * 1024 * 1024
DRAINED_FOR_S = 10.0
"""So much of a body that is too large is read and thrown away: a client that is still sending
would see a reset instead of the answer."""

DELIVERY_LIMIT_BYTES = 5 * 1024 * 1024
_LARGER_BODIES = {"/deliveries": DELIVERY_LIMIT_BYTES, "/attachments": LARGEST_BYTES}
"""Networks bring batches, and do not cut them to our measure; agents bring files."""

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
API_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
QUIET = frozenset({"/livez", "/readyz", "/metrics"})


class Surroundings:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, metrics: Metrics, body_limit_bytes: int) -> None:
        self._app = app
        self._metrics = metrics
        self._limit = body_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"] = str(uuid.uuid4())
        state["received_at"] = time.monotonic()
        sent = _Sent(scope, send)
        bounded = _Bounded(receive, self._limit_of(scope))
        try:
            await bounded.require_announced_within(_announced_bytes(scope["headers"]))
            await self._app(scope, bounded.receive, sent.send)
        except Problem as problem:
            await self._say(scope, receive, sent, problem)
        except Exception as error:  # noqa: BLE001 - the client gets an answer, the log the place
            _log_fault(scope, error)
            fault = Problem(500, "internal_error", "something went wrong; the log names it")
            await self._say(scope, receive, sent, fault)
        finally:
            self._note(scope, sent.status)

    def _limit_of(self, scope: Scope) -> int:
        """Return how large the body of this route may be."""
        for ending, limit_bytes in _LARGER_BODIES.items():
            if scope["path"].endswith(ending):
                return max(self._limit, limit_bytes)
        return self._limit

    async def _say(self, scope: Scope, receive: Receive, sent: "_Sent", problem: Problem) -> None:
        if sent.status is None:
            await answer(scope, problem)(scope, receive, sent.send)

    def _note(self, scope: Scope, status: int | None) -> None:
        if scope["path"] in QUIET:
            return
        route = getattr(scope.get("route"), "path", "unknown")
        took_s = time.monotonic() - scope["state"]["received_at"]
        labels = (scope["method"] if route != "unknown" else "any", route, str(status or 499))
        if route != "/events":
            self._metrics.duration.labels(*labels).observe(took_s)
        log.info(
            "request",
            method=scope["method"][:20],
            route=route,
            status=status or 499,
            duration_ms=round(took_s * 1000, 1),
            request_id=scope["state"]["request_id"],
        )


def too_large(limit_bytes: int) -> Problem:
    return Problem(
        413,
        "content_too_large",
        f"the body is larger than {limit_bytes} bytes",
        headers={"Connection": "close"},
    )


def _announced_bytes(headers: Iterable[tuple[bytes, bytes]]) -> int:
    for name, value in headers:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


class _Bounded:
    """Passes the body on up to its limit."""

    def __init__(self, receive: Receive, limit_bytes: int) -> None:
        self._receive = receive
        self._limit = limit_bytes
        self._read_bytes = 0

    async def require_announced_within(self, announced_bytes: int) -> None:
        """Refuse a body that says itself that it is too large.

        Raises:
            Problem: 413, after the body was read and thrown away.
        """
        if announced_bytes > self._limit:
            await self.drain()
            raise too_large(self._limit)

    async def receive(self) -> Message:
        """Return the next piece.

        Raises:
            Problem: 413, after the rest was read and thrown away.
        """
        message = await self._receive()
        self._read_bytes += len(message.get("body", b""))
        if self._read_bytes > self._limit:
            if message.get("more_body", False):
                await self.drain()
            raise too_large(self._limit)
        return message

    async def drain(self) -> None:
        """Read the rest, within bounds."""
        drained = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAINED_FOR_S):
                while drained < DRAINED_BYTES:
                    message = await self._receive()
                    drained += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return


class _Sent:
    """Adds the headers to the answer's start, and knows whether it began."""

    def __init__(self, scope: Scope, send: Callable[[Message], Awaitable[None]]) -> None:
        self._scope = scope
        self._send = send
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._scope["state"]["request_id"]
            for name, value in (SAFE_HEADERS | API_HEADERS).items():
                headers.setdefault(name, value)
        await self._send(message)


def _log_fault(scope: Scope, error: Exception) -> None:
    """Log where it happened; not the message, which may repeat what a customer wrote."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    log.error(
        "request_failed",
        route=getattr(scope.get("route"), "path", "unknown"),
        request_id=scope["state"]["request_id"],
        error=type(error).__name__,
        exception=" > ".join(
            f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}:{f.name}" for f in frames
        ),
    )
