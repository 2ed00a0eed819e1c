"""Which ports are free, and whether somebody answers there."""

import asyncio
import socket
from collections.abc import Collection

from operation.refusals import OperationRefused

LOOPBACK = "127.0.0.1"
HIGHEST_PORT = 65535
FREED_WITHIN_S = 3.0
PROBE_EVERY_S = 0.1
ANSWER_WITHIN_S = 2.0


class PortTaken(OperationRefused):
    """Somebody listens on a port that Parley was told to use; the message names the option."""


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last owner has just died counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


async def require_free(port: int, *, purpose: str, option: str) -> None:
    """Wait a moment for a dying predecessor to leave the port.

    Raises:
        PortTaken: somebody stays on it.
    """
    deadline = asyncio.get_running_loop().time() + FREED_WITHIN_S
    while port > HIGHEST_PORT or not is_free(port):
        if port > HIGHEST_PORT or asyncio.get_running_loop().time() > deadline:
            raise PortTaken(f"Port {port} ({purpose}) is not free. Choose another: {option} N")
        await asyncio.sleep(PROBE_EVERY_S)


def first_free(wished: int, *, but: Collection[int] = ()) -> int:
    """Answer the wished port, or any other free one when that is taken or meant for others."""
    if wished <= HIGHEST_PORT and wished not in but and is_free(wished):
        return wished
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


async def accepts_connections(port: int) -> bool:
    """Tell whether somebody listens there."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            _, writer = await asyncio.open_connection(LOOPBACK, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def answers_ok(port: int, path: str) -> bool:
    """Tell whether GET answers 200 there. By hand: an HTTP client costs start-up time."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                status_line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status_line
