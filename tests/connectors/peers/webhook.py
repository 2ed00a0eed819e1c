"""The generic webhook's other end, which deduplicates nothing but can be asked."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.webhook import WebhookConnector
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.delivering import unique
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published
from tests.receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class WebhookPeer:
    connector: WebhookConnector
    account: Account
    proxy: FaultProxy
    receiver: Receiver

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        del text, visibility, to
        return unique("post")  # what comes in comes by the generic door

    async def published(self) -> Sequence[Published]:
        return list(self.receiver.said)

    def is_publishing(self, method: str, path: str) -> bool:
        return (method, path) == ("POST", "/replies")


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Start a receiver."""
    del folder
    receiver = Receiver()
    proxy = FaultProxy(receiver.url)
    settings = {"reply_url": f"{proxy.url}/replies", "lookup_url": f"{proxy.url}/lookup"}
    account = Account("ac-1", "webhook", settings, {"secret": SECRET})
    try:
        with proxy.running():
            async with loopback_client() as client:
                one = WebhookPeer(WebhookConnector(client), account, proxy, receiver)
                proxy.hits = one.is_publishing
                yield one
    finally:
        receiver.close()
