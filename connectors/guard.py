"""Where Parley may connect to: public addresses, and those inside that the operator allowed."""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenTarget(Exception):
    """A name leads to an address that nobody allowed; nothing was sent there."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides about addresses; `allowed` are networks inside that may be reached."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def allowing(cls, networks: Iterable[str]) -> Self:
        """Return a guard that lets pass what is in one of the networks (`10.1.0.0/16`)."""
        return cls(tuple(ipaddress.ip_network(text, strict=False) for text in networks))

    def is_allowed(self, address: Address) -> bool:
        if any(address in network for network in self.allowed):
            return True
        return address.is_global and not address.is_multicast

    async def addresses_of(self, host: str, port: int) -> list[str]:
        """Return the addresses to connect to; a name with any forbidden one is refused whole.

        Raises:
            ForbiddenTarget: it leads, or also leads, where nobody allowed.
            OSError: the name cannot be resolved.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        for text in addresses:
            if not self.is_allowed(ipaddress.ip_address(text)):
                raise ForbiddenTarget(f"{host} leads to an address that is not allowed")
        return addresses


STRICT = Guard()
"""Nothing inside may be reached."""
