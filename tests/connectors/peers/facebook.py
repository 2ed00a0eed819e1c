"""A fake Graph API with a page, behind the fault proxy."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.facebook.connector import FacebookConnector
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published
from tests.fakes.graph import FakeGraph
from tests.fakes.graph_ledger import GraphLedger, Place
from tests.fakes.served import served

TOKEN = "token-of-acme"


@dataclass
class FacebookPeer:
    connector: FacebookConnector
    account: Account
    proxy: FaultProxy
    ledger: GraphLedger
    page: Place
    customer_id: str
    post_id: str

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        if visibility is Visibility.PRIVATE:
            return self.ledger.message(self.page, self.customer_id, text).id
        return self.ledger.comment(to or self.post_id, self.customer_id, text).id

    async def published(self) -> Sequence[Published]:
        with self.ledger.lock:
            ours = [s for s in self.ledger.said.values() if s.author_id == self.page.id]
            threads = list(self.ledger.threads.values())
        comments = [
            Published(s.id, s.text, in_reply_to=s.parent_id or s.root_id)
            for s in ours
            if s.kind == "comment"
        ]
        return comments + [
            Published(m.id, m.text, Visibility.PRIVATE)
            for thread in threads
            for m in thread.messages
            if m.author_id == self.page.id
        ]

    def is_publishing(self, method: str, path: str) -> bool:
        return method == "POST" and path.endswith(("/comments", "/messages"))


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Serve a page that published something, and a customer of it."""
    del folder
    ledger = GraphLedger()
    page = ledger.place("Acme", TOKEN)
    customer_id = ledger.person("Ana")
    post = ledger.post(page, page.id, "our new parcels")
    with served(FakeGraph(ledger).app) as url:
        proxy = FaultProxy(url)
        settings = {"url": proxy.url, "delivery": "poll", "page_id": page.id}
        secrets = {"token": TOKEN, "app_secret": ledger.app_secret, "verify_token": "ask-me"}
        account = Account("ac-1", "facebook", settings, secrets)
        with proxy.running():
            async with loopback_client() as client:
                connector = FacebookConnector(client)
                one = FacebookPeer(connector, account, proxy, ledger, page, customer_id, post.id)
                proxy.hits = one.is_publishing
                yield one
