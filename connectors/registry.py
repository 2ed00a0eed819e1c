"""Which networks there are, and what speaks to each."""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Protocol

import httpx

from connectors.simulated import SimulatedConnector, parse_delivery
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


ParseDelivery = Callable[[Account, Mapping[str, str], bytes], Page]
"""Reads a webhook's body; raises `BadSignature` when the network did not sign it."""

NETWORKS = ("webhook", "simulated")
LISTENED_NETWORKS = frozenset({"simulated"})
RECEIVERS: Mapping[str, ParseDelivery] = {"simulated": parse_delivery}


def speakers(client: httpx.AsyncClient) -> Mapping[str, Speaker]:
    return {"webhook": WebhookConnector(client), "simulated": SimulatedConnector(client)}


def hearers(client: httpx.AsyncClient) -> Mapping[str, Hearer]:
    return {"simulated": SimulatedConnector(client)}
