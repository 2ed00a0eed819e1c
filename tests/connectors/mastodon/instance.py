"""A fake instance with a brand and a customer, as tests of the connector have it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from connectors.mastodon.connector import MastodonConnector
from conversations.model import ReplyState, Visibility
from conversations.networks import Account, ListenedChannel, Page
from conversations.replies import Reply
from tests.connectors.delivering import now_ms
from tests.connectors.loopback import loopback_client
from tests.fakes.mastodon import FakeMastodon
from tests.fakes.mastodon_ledger import MastodonLedger
from tests.fakes.served import served

TOKEN = "token-of-acme"
CUSTOMER = "ana@elsewhere.example"


@dataclass
class Instance:
    ledger: MastodonLedger
    fake: FakeMastodon
    connector: MastodonConnector
    account: Account
    brand_id: str
    customer_id: str

    def channel(self, cursor: str | None = None, limit: int = 100, **more: Any) -> ListenedChannel:
        return ListenedChannel(self.account, 5_000, limit, cursor, id="ch-1", **more)

    async def page(self, cursor: str | None = None, limit: int = 100, **more: Any) -> Page:
        return await self.connector.fetch(self.channel(cursor, limit, **more))

    def says(self, text: str, **more: Any) -> str:
        return self.ledger.post(self.customer_id, text, **more).id

    def reply(self, in_reply_to: str | None, text: str = "we are on it", **more: Any) -> Reply:
        now = now_ms()
        fields: dict[str, Any] = {
            "id": "re_1",
            "conversation_id": "cv-1",
            "account_id": "ac-1",
            "channel_id": "ch-1",
            "network": "mastodon",
            "agent_id": "ag-1",
            "text": text,
            "visibility": Visibility.PUBLIC,
            "to_external_id": self.customer_id,
            "to_handle": CUSTOMER,
            "in_reply_to": in_reply_to,
            "state": ReplyState.SENDING,
            "covers": 1,
            "created_at": now,
            "tried_since": now,
            "attempts": 1,
        }
        return Reply(**(fields | more))

    def said(self) -> list[str]:
        return [s.text for s in self.ledger.statuses.values() if s.account_id == self.brand_id]


@asynccontextmanager
async def running_instance() -> AsyncIterator[Instance]:
    ledger = MastodonLedger()
    brand_id, customer_id = ledger.sign_up("acme", TOKEN), ledger.sign_up(CUSTOMER)
    fake = FakeMastodon(ledger)
    with served(fake.app) as url:
        account = Account("ac-1", "mastodon", {"url": url}, {"access_token": TOKEN})
        async with loopback_client() as client:
            connector = MastodonConnector(client)
            yield Instance(ledger, fake, connector, account, brand_id, customer_id)
