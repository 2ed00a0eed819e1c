"""A network's server under test, seen from the customer's side and from the brand's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from conversations.connector import Connector
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file that a post shows; `alt_text` where the network carries one."""

    media_type: str
    content: bytes
    alt_text: str | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What the brand has on the network, by the server's own account of it."""

    external_id: str
    text: str
    visibility: Visibility = Visibility.PUBLIC
    in_reply_to: str | None = None
    files: tuple[ShownFile, ...] = ()


class Peer(Protocol):
    """What the contract suite needs of every network."""

    @property
    def connector(self) -> Connector: ...

    @property
    def account(self) -> Account:
        """The brand's; it reaches the server through `proxy`."""
        ...

    @property
    def proxy(self) -> FaultProxy: ...

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        """Let a customer write to the brand, or answer the post `to`; return the post's id.

        The id is the `external_id` under which the connector brings it.
        """
        ...

    async def published(self) -> Sequence[Published]:
        """Ask the server, beside the connector and the proxy, what the brand has there."""
        ...

    def is_publishing(self, method: str, path: str) -> bool:
        """Whether a call is one that publishes: only those meet the proxy's faults."""
        ...
