"""Below HTTP: connections that can be reset, and a server whose streams end when it is told to."""

import asyncio
import socket
import struct
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from starlette.requests import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_open_connections: dict[tuple[str, int], asyncio.Transport] = {}


class ResettableProtocol(HttpToolsProtocol):
    """HTTP whose connections can be found by their peer, so that a fault can reset one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = _peer(transport)
        if peer:
            _open_connections[peer] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        peer = _peer(self.transport)
        if peer:
            _open_connections.pop(peer, None)
        super().connection_lost(exc)


class ConnectionWasReset(Exception):
    """The caller of this request gets no answer any more."""


async def reset(request: Request) -> None:
    """Cut the caller's connection with a TCP reset, as a crashed machine would."""
    client = request.client
    transport = _open_connections.get((client.host, client.port)) if client else None
    if transport is not None:
        endpoint = transport.get_extra_info("socket")
        if endpoint is not None:
            # Lingering for zero seconds turns the close into a reset.
            endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        # The loop reports the loss in its next round; only then an answer goes nowhere quietly.
        await asyncio.sleep(0.01)
    raise ConnectionWasReset


class NetworkServer(uvicorn.Server):
    """A server that ends its streams first, so that stopping does not wait for their readers."""

    def __init__(self, config: uvicorn.Config, *, on_stop: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_stop()
        super().handle_exit(sig, frame)


def _peer(transport: Any) -> tuple[str, int] | None:  # noqa: ANN401 - uvloop's or asyncio's
    peer = transport.get_extra_info("peername") if transport is not None else None
    return (str(peer[0]), int(peer[1])) if peer else None
