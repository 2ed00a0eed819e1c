"""A fake Mastodon instance, behind the fault proxy."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.mastodon.connector import MastodonConnector
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published
from tests.fakes.mastodon import FakeMastodon
from tests.fakes.mastodon_ledger import MastodonLedger
from tests.fakes.served import served

TOKEN = "token-of-acme"


@dataclass
class MastodonPeer:
    connector: MastodonConnector
    account: Account
    proxy: FaultProxy
    ledger: MastodonLedger
    brand_id: str
    customer_id: str

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        spoken = "direct" if visibility is Visibility.PRIVATE else "public"
        status = self.ledger.post(
            self.customer_id, f"@acme {text}", visibility=spoken, in_reply_to_id=to
        )
        return status.id

    async def published(self) -> Sequence[Published]:
        with self.ledger.lock:
            ours = [s for s in self.ledger.statuses.values() if s.account_id == self.brand_id]
        return [
            Published(
                one.id,
                one.text,
                Visibility.PRIVATE if one.visibility == "direct" else Visibility.PUBLIC,
                one.in_reply_to_id,
                tuple(self.ledger.media[shown["id"]] for shown in one.media),
            )
            for one in ours
        ]

    def is_publishing(self, method: str, path: str) -> bool:
        return (method, path) == ("POST", "/api/v1/statuses")


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Serve an instance with the account @acme and a customer of another instance."""
    del folder
    ledger = MastodonLedger()
    brand_id = ledger.sign_up("acme", TOKEN)
    customer_id = ledger.sign_up("ana@elsewhere.example")
    with served(FakeMastodon(ledger).app) as url:
        proxy = FaultProxy(url)
        account = Account("ac-1", "mastodon", {"url": proxy.url}, {"access_token": TOKEN})
        with proxy.running():
            async with loopback_client() as client:
                connector = MastodonConnector(client)
                one = MastodonPeer(connector, account, proxy, ledger, brand_id, customer_id)
                proxy.hits = one.is_publishing
                yield one
