"""Lines to mail servers: to addresses that the guard judged, and encrypted but for those inside."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from connectors.guard import ALLOWED_BY, Guard
from conversations.networks import TargetNotAllowed

CONNECT_WITHIN_S: Final = 5.0
_HIGHEST_PORT: Final = 65_535


class Security(StrEnum):
    """How a line is protected; without protection only servers inside are spoken to."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class NotReached(Exception):
    """No line to the server could be opened; nothing was said to it."""


class WrongSettings(Exception):
    """The account's settings name no server or no mailbox."""


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    security: Security

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], protocol: str, ports: Mapping[Security, int]
    ) -> "MailServer":
        """Read `imap_host`, `imap_port`, `imap_security`, or those of `smtp`.

        Raises:
            WrongSettings: there is no such server.
        """
        host = settings.get(f"{protocol}_host")
        if not isinstance(host, str) or not host.strip():
            raise WrongSettings(f"the account has no {protocol}_host")
        try:
            security = Security(settings.get(f"{protocol}_security") or Security.TLS)
            port = int(settings.get(f"{protocol}_port") or ports[security])
        except (TypeError, ValueError):
            raise WrongSettings(f"{protocol}_port or {protocol}_security makes no sense") from None
        if not 0 < port <= _HIGHEST_PORT:
            raise WrongSettings(f"{protocol}_port is no port")
        return cls(host.strip(), port, security)


async def open_socket(guard: Guard, server: MailServer) -> socket.socket:
    """Connect to the first of the judged addresses that answers.

    Raises:
        NotReached: none does, or the target is not allowed.
    """
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            return await _connect(guard, server)
    except TargetNotAllowed as reason:
        raise NotReached(str(reason)) from reason
    except TimeoutError as error:
        raise NotReached("the server did not take the connection in time") from error
    except OSError as error:
        raise NotReached(f"the server cannot be reached: {type(error).__name__}") from error


async def _connect(guard: Guard, server: MailServer) -> socket.socket:
    addresses = await guard.addresses_of(server.host, server.port)
    if server.security is Security.NONE:
        _require_inside(guard, addresses)
    for address in addresses[:-1]:
        try:
            return await _connect_to(address, server.port)
        except OSError:
            continue
    return await _connect_to(addresses[-1], server.port)


def _require_inside(guard: Guard, addresses: list[str]) -> None:
    for address in addresses:
        if not guard.is_inside(ipaddress.ip_address(address)):
            raise NotReached(
                f"a line without encryption leads only to what {ALLOWED_BY} allows:"
                " use tls or starttls"
            )


async def _connect_to(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    line = socket.socket(family, socket.SOCK_STREAM)
    try:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setblocking(False)  # noqa: FBT003 - the name is the standard library's
        await asyncio.get_running_loop().sock_connect(line, (address, port))
    except BaseException:
        line.close()
        raise
    return line


def tls() -> ssl.SSLContext:
    """Return how servers prove who they are: by a certificate for the name they were called by."""
    return ssl.create_default_context()
