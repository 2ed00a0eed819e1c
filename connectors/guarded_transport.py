"""Connections of the HTTP client: made to addresses that were checked, and to no others."""

import asyncio
import ipaddress
import ssl
from collections.abc import Iterable, Sequence

import httpcore
import httpx

from connectors.guard import ForbiddenTarget, Guard
from conversations.networks import TargetNotAllowed

SocketOptions = Iterable[httpcore.SOCKET_OPTION] | None

LIMITS = httpx.Limits(max_connections=1_000, max_keepalive_connections=50, keepalive_expiry=5.0)
"""Every listened stream holds a connection."""

LONGEST_CONNECT_S = 10.0


class RefusedTarget(httpx.ConnectError, TargetNotAllowed):
    """The guard refused where the call leads; no byte of it left."""


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Looks a name up once, has the answer judged, and connects to what was judged."""

    def __init__(self, guard: Guard, ports: frozenset[int] | None = None) -> None:
        """Take the guard, and the ports outside that may be connected to, if not all."""
        self._guard = guard
        self._ports = ports
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; the time is shared by all of them."""
        ends_at = asyncio.get_running_loop().time() + (timeout or LONGEST_CONNECT_S)
        addresses = await self._addresses(host, port, ends_at)
        for left in range(len(addresses), 1, -1):
            address = addresses[-left]
            try:
                return await self._network.connect_tcp(
                    address, port, _share_s(ends_at, left), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(
            addresses[-1], port, _share_s(ends_at, 1), local_address, socket_options
        )

    async def _addresses(self, host: str, port: int, ends_at: float) -> list[str]:
        try:
            async with asyncio.timeout_at(ends_at):
                addresses = await self._guard.addresses_of(host, port)
        except ForbiddenTarget as reason:
            raise RefusedTarget(str(reason)) from reason
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from error
        except OSError as error:
            raise httpcore.ConnectError("the name cannot be resolved") from error
        self._require_port(port, addresses)
        return addresses

    def _require_port(self, port: int, addresses: Sequence[str]) -> None:
        if self._ports is None or port in self._ports:
            return
        if not all(self._guard.is_inside(ipaddress.ip_address(text)) for text in addresses):
            raise RefusedTarget(f"port {port} is not one of the web's, 80 and 443")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        socket_options: SocketOptions = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no network is a file."""
        del path, timeout, socket_options
        raise RefusedTarget("sockets of this machine are not for networks")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _share_s(ends_at: float, left: int) -> float:
    return max(0.001, (ends_at - asyncio.get_running_loop().time()) / left)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport and pooling, on connections that the guard judged."""

    def __init__(
        self,
        guard: Guard,
        *,
        ports: frozenset[int] | None = None,
        limits: httpx.Limits = LIMITS,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Take the guard; certificates are checked by the usual ones unless told otherwise."""
        chosen = context or httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=chosen, trust_env=False, limits=limits)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=chosen,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=GuardedBackend(guard, ports),
        )
