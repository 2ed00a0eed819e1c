"""A brand on the fake Graph API and its connector, in one process: no line between them."""

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx

from connectors.facebook.connector import FacebookConnector
from connectors.instagram.connector import InstagramConnector
from connectors.meta.connector import MetaConnector
from conversations.model import Post, ReplyState, Visibility
from conversations.networks import Account, Delivered, ListenedChannel, Page
from conversations.replies import Reply
from tests.fakes.graph import FakeGraph
from tests.fakes.graph_ledger import GraphLedger, Place, Said
from tests.fakes.graph_webhooks import deliveries

TOKEN = "token-of-acme"
VERIFY_TOKEN = "ask-me"


@dataclass
class World:
    ledger: GraphLedger
    fake: FakeGraph
    place: Place
    customer_id: str
    published: Said
    account: Account
    connector: MetaConnector

    def says(self, text: str, to: str | None = None) -> str:
        """Let the customer comment on what the brand published, or answer a comment."""
        return self.ledger.comment(to or self.published.id, self.customer_id, text).id

    def writes(self, text: str) -> str:
        return self.ledger.message(self.place, self.customer_id, text).id

    def brought(self) -> list[Delivered]:
        """Return what the webhook tells of everything that happened since the last time."""
        calls = deliveries(self.ledger, self.place.object_name)
        self.ledger.happened.clear()
        return [self.connector.receive(self.account, call) for call in calls]

    def page(self) -> Page:
        (one,) = self.brought()
        return one.pages[self.place.id]

    def post(self) -> Post:
        """Return the only post that the webhook tells of."""
        (post,) = self.page().posts
        return post

    async def fetched(self, cursor: str | None = None, *, limit: int = 100, since: int = 0) -> Page:
        channel = ListenedChannel(self.account, 1_000, limit, cursor)
        return await self.connector.fetch(replace(channel, id="ch-1", since=since))

    def with_settings(self, **settings: object) -> Account:
        return replace(self.account, settings=self.account.settings | settings)

    def comments(self) -> list[Said]:
        said = self.ledger.said.values()
        return [one for one in said if one.author_id == self.place.id and one.kind == "comment"]

    def messages(self) -> list[str]:
        thread = self.ledger.thread(self.place, self.customer_id)
        return [one.text for one in thread.messages if one.author_id == self.place.id]


@asynccontextmanager
async def world(platform: str) -> AsyncIterator[World]:
    """Serve a brand with something published and one customer; nothing was told of it yet."""
    ledger = GraphLedger()
    place = ledger.place("acme", TOKEN, platform)
    customer_id = ledger.person("ana")
    published = ledger.post(place, place.id, "our new parcels")
    ledger.happened.clear()
    fake = FakeGraph(ledger)
    is_page = platform == "messenger"
    settings = {"url": "https://graph.example"}
    settings |= {"page_id" if is_page else "instagram_id": place.id}
    settings |= {} if is_page else {"username": "acme"}
    secrets = {
        "token": TOKEN,
        "app_secret": ledger.app_secret,
        "verify_token": VERIFY_TOKEN,
    }
    network = "facebook" if is_page else "instagram"
    account = Account("ac-1", network, settings, secrets)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake.app)) as client:
        kind = FacebookConnector if is_page else InstagramConnector
        yield World(ledger, fake, place, customer_id, published, account, kind(client))


def reply_to(post: Post, text: str, **more: object) -> Reply:
    """Return an agent's answer as the core would hand it to the connector for the first try."""
    now = time.time_ns() // 1_000_000
    reply = Reply(
        id=f"re_{uuid.uuid4().hex}",
        conversation_id="cv-1",
        account_id="ac-1",
        channel_id="ch-1",
        network="facebook",
        agent_id="ag-1",
        text=text,
        visibility=post.visibility,
        to_external_id=post.author.external_id,
        to_handle=post.author.handle,
        in_reply_to=post.external_id,
        state=ReplyState.SENDING,
        covers=1,
        created_at=now,
        tried_since=now,
        attempts=1,
        thread_root=post.thread_root,
    )
    return replace(reply, **more)  # type: ignore[arg-type]


PRIVATELY = {"visibility": Visibility.PRIVATE}


def to_comment(brand: World, text: str, words: str = "hello", **more: object) -> Reply:
    brand.says(words)
    return reply_to(brand.post(), text, **more)


def to_message(brand: World, text: str, **more: object) -> Reply:
    brand.writes("hello")
    return reply_to(brand.post(), text, **more)
