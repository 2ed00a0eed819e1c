"""Which networks there are, and what speaks to each."""

from collections.abc import Mapping
from typing import Protocol

import httpx

from connectors.webhook import WebhookConnector
from conversations.networks import Account, Page
from conversations.replies import Outcome, ReadBack, Reply


class Speaker(Protocol):
    """Publishes on one network and reads back what is there."""

    def read_back(self, account: Account) -> ReadBack: ...

    async def publish(self, account: Account, reply: Reply) -> Outcome: ...

    async def look_up(self, account: Account, reply: Reply) -> Outcome: ...


class Hearer(Speaker, Protocol):
    """A network that has to be asked for posts, too."""

    async def fetch(self, account: Account, cursor: str | None, limit: int) -> Page: ...


NETWORKS = ("webhook",)
LISTENED_NETWORKS: frozenset[str] = frozenset()


def speakers(client: httpx.AsyncClient) -> Mapping[str, Speaker]:
    return {"webhook": WebhookConnector(client)}


def hearers(client: httpx.AsyncClient) -> Mapping[str, Hearer]:
    del client
    return {}
