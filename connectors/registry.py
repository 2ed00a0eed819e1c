"""Which networks there are, and what speaks to each."""

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

import httpx

from connectors.simulated import SimulatedConnector
from connectors.webhook import WebhookConnector
from conversations.networks import Account, Delivery, Page
from conversations.replies import Outcome, ReadBack, Reply


class Speaker(Protocol):
    """Publishes on one network and reads back what is there."""

    def read_back(self, account: Account) -> ReadBack: ...

    async def publish(self, account: Account, reply: Reply) -> Outcome: ...

    async def look_up(self, account: Account, reply: Reply) -> Outcome: ...


class Hearer(Speaker, Protocol):
    """A network that has to be asked for posts, too."""

    def delivery(self, account: Account) -> Delivery: ...

    async def fetch(self, account: Account, cursor: str | None, limit: int) -> Page: ...

    def stream(self, account: Account) -> AsyncGenerator[Page, None]: ...


class Receiver(Protocol):
    """A network that brings posts by signed webhook."""

    def parse_delivery(
        self, account: Account, headers: Mapping[str, str], raw_body: bytes
    ) -> Page: ...


NETWORKS = ("webhook", "simulated")
LISTENED_NETWORKS = frozenset({"simulated"})


def speakers(client: httpx.AsyncClient) -> Mapping[str, Speaker]:
    return {"webhook": WebhookConnector(client), "simulated": SimulatedConnector(client)}


def hearers(client: httpx.AsyncClient) -> Mapping[str, Hearer]:
    return {"simulated": SimulatedConnector(client)}


def receivers(client: httpx.AsyncClient) -> Mapping[str, Receiver]:
    return {"simulated": SimulatedConnector(client)}
