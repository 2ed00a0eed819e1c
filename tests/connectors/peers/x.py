"""A fake X, behind the fault proxy; X itself cannot be installed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.x.connector import XConnector
from conversations.model import Visibility
from conversations.networks import Account
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.loopback import loopback_client
from tests.connectors.peer import Peer, Published, ShownFile
from tests.fakes.x import BRAND, CREDENTIALS, CUSTOMER, FakeX

IS_QUICK = True


@dataclass
class XPeer:
    connector: XConnector
    account: Account
    proxy: FaultProxy
    fake: FakeX

    async def customer_says(
        self, text: str, *, visibility: Visibility = Visibility.PUBLIC, to: str | None = None
    ) -> str:
        if visibility is Visibility.PRIVATE:
            return f"dm:{self.fake.ledger.say(CUSTOMER, BRAND, text).id}"
        replied_to = int(to) if to else None
        return str(self.fake.ledger.add(CUSTOMER, f"@acme {text}", replied_to=replied_to).id)

    async def published(self) -> Sequence[Published]:
        posts = [
            Published(
                str(one.id),
                one.text,
                in_reply_to=str(one.replied_to or "") or None,
                files=self._files(one.media),
            )
            for one in list(self.fake.ledger.posts.values())
            if one.author_id == BRAND
        ]
        return posts + [
            Published(f"dm:{one.id}", one.text, Visibility.PRIVATE, files=self._files(one.media))
            for one in list(self.fake.ledger.messages)
            if one.sender_id == BRAND
        ]

    def _files(self, media: list[dict[str, Any]]) -> tuple[ShownFile, ...]:
        return tuple(self.fake.ledger.uploads[one["id"]] for one in media)

    def is_publishing(self, method: str, path: str) -> bool:
        return method == "POST" and (path == "/2/tweets" or path.endswith("/messages"))


@asynccontextmanager
async def peer(folder: Path) -> AsyncIterator[Peer]:
    """Start the fake with the account @acme, whose limits are lifted."""
    del folder
    fake = FakeX()
    fake.limits.lift()
    proxy = FaultProxy(fake.url)
    fake.public_url = proxy.url
    settings = {
        "user_id": BRAND,
        "handle": "acme",
        "base_url": proxy.url,
        "message_reads": 900_000,
    }
    account = Account("ac-x", "x", settings, CREDENTIALS)
    with fake.running(), proxy.running():
        async with loopback_client() as client:
            one = XPeer(XConnector(client), account, proxy, fake)
            proxy.hits = one.is_publishing
            yield one
    assert fake.breaches == []
