"""Where Parley may connect to: public addresses, and those inside that the operator allowed."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

from conversations.networks import TargetNotAllowed

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

ALLOWED_BY = "PARLEY_INTERNAL_TARGETS"
"""The setting that lets a network inside be reached."""

_SPECIAL = {
    "this host": ("0.0.0.0/8", "::/128"),
    "private use": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "shared by providers": ("100.64.0.0/10",),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local, where clouds keep their metadata": ("169.254.0.0/16", "fe80::/10"),
    "a cloud's metadata": ("168.63.129.16/32",),
    "protocol assignments": ("192.0.0.0/24", "2001::/23"),
    "documentation": (
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "2001:db8::/32",
        "3fff::/20",
    ),
    "AS112": ("192.31.196.0/24", "192.175.48.0/24", "2620:4f:8000::/48"),
    "AMT": ("192.52.193.0/24",),
    "6to4, which hides an IPv4 address": ("192.88.99.0/24", "2002::/16"),
    "benchmarking": ("198.18.0.0/15",),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "reserved": ("240.0.0.0/4",),
    "an IPv4 address in disguise": ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96"),
    "NAT64, which hides an IPv4 address": ("64:ff9b::/96", "64:ff9b:1::/48"),
    "discarded": ("100::/64", "100:0:0:1::/64"),
    "segment routing": ("5f00::/16",),
}
"""IANA's special ranges of both registries, whole: a few addresses in them that are reachable
everywhere belong to no social network. `ipaddress.is_global` alone passes many of these."""

SPECIAL: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(text), use) for use, networks in _SPECIAL.items() for text in networks
)
UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that IPv6 has in public use so far."""


class ForbiddenTarget(TargetNotAllowed):
    """A name leads to an address that nobody allowed; nothing was sent there."""


async def resolved(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides about addresses; `allowed` are networks inside that may be reached."""

    allowed: tuple[Network, ...] = ()
    resolve: Resolve = resolved

    @classmethod
    def allowing(cls, networks: Iterable[str], resolve: Resolve = resolved) -> Self:
        """Return a guard that lets pass what is in one of the networks (`10.1.0.0/16`)."""
        return cls(tuple(ipaddress.ip_network(t, strict=False) for t in networks), resolve)

    def is_inside(self, address: Address) -> bool:
        """Whether the operator allowed the address by name of its network."""
        return any(address in network for network in self.allowed)

    def is_allowed(self, address: Address) -> bool:
        return self.is_inside(address) or special_use(address) is None

    async def addresses_of(self, host: str, port: int) -> list[str]:
        """Return the addresses to connect to; a name with any forbidden one is refused whole.

        Connect to one of these and to nothing else: a second look-up may give another answer.

        Raises:
            ForbiddenTarget: it leads, or also leads, where nobody allowed.
            OSError: the name cannot be resolved.
        """
        if "%" in host:
            raise ForbiddenTarget(f"{host!r:.80} names an interface of this machine")
        try:
            found = dict.fromkeys(await self.resolve(host.removesuffix("."), port))
        except (UnicodeError, ValueError) as error:
            raise ForbiddenTarget(f"{host!r:.80} is no name of a host") from error
        if not found:
            raise OSError(f"{host!r:.80} has no address")
        for text in found:
            self._require(host, ipaddress.ip_address(text))
        return list(found)

    def _require(self, host: str, address: Address) -> None:
        if self.is_inside(address) or (use := special_use(address)) is None:
            return
        raise ForbiddenTarget(
            f"{host!r:.80} leads to an address inside or of special use ({use});"
            f" {ALLOWED_BY} would have to allow it"
        )


def special_use(address: Address) -> str | None:
    """Say for what an address is kept, or None when it is a public one."""
    for network, use in SPECIAL:
        if address in network:
            return use
    if isinstance(address, ipaddress.IPv6Address) and address not in UNICAST:
        return "not in public use"
    return None if address.is_global else "not in public use"


STRICT = Guard()
"""Nothing inside may be reached."""
