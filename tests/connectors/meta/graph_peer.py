"""A fake Graph API behind the fault proxy: one place that published something, and a customer."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from connectors.meta.connector import MetaConnector
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Published
from tests.fakes.graph import FakeGraph
from tests.fakes.graph_ledger import GraphLedger, Place
from tests.fakes.served import served

TOKEN = "token-of-acme"


@dataclass
class GraphPeer:
    connector: MetaConnector
    account: Account
    proxy: FaultProxy
    ledger: GraphLedger
    place: Place
    customer_id: str
    post_id: str

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        if visibility is Visibility.PRIVATE:
            return self.ledger.message(self.place, self.customer_id, text).id
        return self.ledger.comment(to or self.post_id, self.customer_id, text).id

    async def published(self) -> Sequence[Published]:
        with self.ledger.lock:
            ours = [s for s in self.ledger.said.values() if s.author_id == self.place.id]
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
            if m.author_id == self.place.id
        ]

    def is_publishing(self, method: str, path: str) -> bool:
        """Facebook's comments and Instagram's replies are where what is public is said."""
        return method == "POST" and path.endswith(("/comments", "/replies", "/messages"))


@asynccontextmanager
async def graph_peer(
    kind: type[MetaConnector], ledger: GraphLedger, place: Place, **settings: Any
) -> AsyncIterator[GraphPeer]:
    """Serve a place of the ledger and speak for it."""
    customer_id = ledger.person("Ana")
    post = ledger.post(place, place.id, "our new parcels")
    secrets = {"token": TOKEN, "app_secret": ledger.app_secret, "verify_token": "ask-me"}
    with served(FakeGraph(ledger).app) as url:
        proxy = FaultProxy(url)
        known = {"url": proxy.url, "delivery": "poll", **settings}
        account = Account("ac-1", kind.network, known, secrets)
        with proxy.running():
            async with loopback_client() as client:
                one = GraphPeer(kind(client), account, proxy, ledger, place, customer_id, post.id)
                proxy.hits = one.is_publishing
                yield one
