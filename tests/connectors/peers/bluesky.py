"""A fake Bluesky with public posts, behind the fault proxy."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.bluesky.connector import BlueskyConnector
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published, ShownFile
from tests.fakes.bluesky import FakeBluesky
from tests.fakes.bluesky_ledger import POST, BlueskyLedger
from tests.fakes.served import served

HANDLE, PASSWORD = "acme.example", "app-password-of-the-test"


@dataclass
class BlueskyPeer:
    connector: BlueskyConnector
    account: Account
    proxy: FaultProxy
    ledger: BlueskyLedger
    brand: str
    customer: str

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        return self.ledger.say(self.customer, f"@{HANDLE} {text}", to=to).uri

    async def published(self) -> Sequence[Published]:
        with self.ledger.lock:
            ours = [one for one in self.ledger.records.values() if one.did == self.brand]
        return [
            Published(
                one.uri,
                one.value["text"],
                in_reply_to=one.value.get("reply", {}).get("parent", {}).get("uri"),
                files=self._files(one.value),
            )
            for one in ours
            if one.collection == POST
        ]

    def _files(self, record: dict[str, Any]) -> tuple[ShownFile, ...]:
        images = record.get("embed", {}).get("images", [])
        blobs = [self.ledger.blobs[one["image"]["ref"]["$link"]] for one in images]
        return tuple(ShownFile(*blob, one["alt"]) for blob, one in zip(blobs, images, strict=True))

    def is_publishing(self, method: str, path: str) -> bool:
        return (method, path) == ("POST", "/xrpc/com.atproto.repo.putRecord")


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Serve the network with a brand and a customer."""
    del folder
    ledger = BlueskyLedger()
    brand = ledger.sign_up(HANDLE, PASSWORD)
    customer = ledger.sign_up("ana.example", "her-own")
    with served(FakeBluesky(ledger).app) as url:
        proxy = FaultProxy(url)
        settings = {"url": proxy.url, "handle": HANDLE}
        account = Account("ac-1", "bluesky", settings, {"app_password": PASSWORD})
        with proxy.running():
            async with loopback_client() as client:
                connector = BlueskyConnector(client)
                one = BlueskyPeer(connector, account, proxy, ledger, brand, customer)
                proxy.hits = one.is_publishing
                yield one
