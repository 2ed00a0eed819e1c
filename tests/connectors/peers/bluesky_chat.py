"""A fake Bluesky whose account speaks in direct messages, behind the fault proxy."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.bluesky.connector import BlueskyConnector
from conversations.capabilities import Capabilities
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published
from tests.fakes.bluesky import FakeBluesky
from tests.fakes.bluesky_ledger import BlueskyLedger
from tests.fakes.served import served

HANDLE, PASSWORD = "acme.example", "app-password-of-the-test"


class ChatOnly(BlueskyConnector):
    """Shows only the private side."""

    def capabilities(self, account: Account) -> Capabilities:
        whole = super().capabilities(account)
        return replace(whole, visibilities=frozenset({Visibility.PRIVATE}))


@dataclass
class BlueskyChatPeer:
    connector: ChatOnly
    account: Account
    proxy: FaultProxy
    ledger: BlueskyLedger
    brand: str
    customer: str

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        convo_id = self.ledger.convo_of(self.brand, self.customer)
        return f"{convo_id}:{self.ledger.chat(convo_id, self.customer, text)['id']}"

    async def published(self) -> Sequence[Published]:
        with self.ledger.lock:
            said = [log for log in self.ledger.log if "text" in log["message"]]
        return [
            Published(
                f"{log['convoId']}:{log['message']['id']}",
                log["message"]["text"],
                Visibility.PRIVATE,
            )
            for log in said
            if log["message"]["sender"]["did"] == self.brand
        ]

    def is_publishing(self, method: str, path: str) -> bool:
        return (method, path) == ("POST", "/xrpc/chat.bsky.convo.sendMessage")


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Serve the network with a brand and a customer who write to each other."""
    del folder
    ledger = BlueskyLedger()
    brand = ledger.sign_up(HANDLE, PASSWORD)
    customer = ledger.sign_up("ana.example", "her-own")
    with served(FakeBluesky(ledger).app) as url:
        proxy = FaultProxy(url)
        settings = {"url": proxy.url, "handle": HANDLE, "direct_messages": True}
        account = Account("ac-1", "bluesky", settings, {"app_password": PASSWORD})
        with proxy.running():
            async with loopback_client() as client:
                connector = ChatOnly(client)
                one = BlueskyChatPeer(connector, account, proxy, ledger, brand, customer)
                proxy.hits = one.is_publishing
                yield one
