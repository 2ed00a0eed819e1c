"""The brand's account on the fake X, as tests of its connector have it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.x.connector import XConnector
from connectors.x.wire import Us
from conversations.model import Post, ReplyState, Visibility
from conversations.networks import Account, DeliveryRequest, ListenedChannel, Page
from conversations.replies import Reply
from tests.connectors.delivering import now_ms
from tests.fakes.x import BRAND, CREDENTIALS, CUSTOMER, FakeX

US = Us(BRAND, "acme")


def account_of(fake: FakeX, **settings: Any) -> Account:
    return Account(
        "ac-x",
        "x",
        {"user_id": BRAND, "handle": "acme", "base_url": fake.url, **settings},
        dict(CREDENTIALS),
    )


@contextmanager
def running_fake() -> Iterator[FakeX]:
    """Serve a fake whose every request and answer must keep the published contract."""
    with FakeX().running() as fake:
        yield fake
    assert not fake.breaches, fake.breaches


def listened(account: Account, cursor: str | None = None, **what: Any) -> ListenedChannel:
    settings = {"poll_interval_ms": 1_000, "post_limit": 100, "id": "ch-1", **what}
    return ListenedChannel(account, cursor=cursor, **settings)


def reply(text: str, **what: Any) -> Reply:
    """Return an attempt to answer the customer."""
    now = now_ms()
    fields: dict[str, Any] = {
        "id": "re_1",
        "conversation_id": "cv-1",
        "account_id": "ac-x",
        "channel_id": "ch-1",
        "network": "x",
        "agent_id": "ag-1",
        "visibility": Visibility.PUBLIC,
        "to_external_id": CUSTOMER,
        "to_handle": "jo",
        "in_reply_to": None,
        "state": ReplyState.SENDING,
        "covers": 1,
        "created_at": now,
        "tried_since": now,
        "attempts": 1,
        **what,
    }
    return Reply(text=text, **fields)


def answer_to(post: Post, text: str, **what: Any) -> Reply:
    fields = {
        "visibility": post.visibility,
        "in_reply_to": post.external_id,
        "thread_root": post.thread_root,
        "to_external_id": post.author.external_id,
        **what,
    }
    return reply(text, **fields)


def signed(
    body: dict[str, Any] | bytes, secret: str = CREDENTIALS["consumer_secret"]
) -> DeliveryRequest:
    """Return a delivery as X signs it, by other code than the connector's."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    digest = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()
    headers = {"x-twitter-webhooks-signature": f"sha256={digest}"}
    return DeliveryRequest("POST", "https://parley.example/deliveries", headers, raw)


def texts(page: Page) -> list[str]:
    return [post.text for post in page.posts]


async def read_all(x: XConnector, channel: ListenedChannel) -> list[Post]:
    """Poll until nothing more is waiting."""
    found: list[Post] = []
    cursor = channel.cursor
    while True:
        page = await x.fetch(listened(channel.account, cursor, post_limit=channel.post_limit))
        found += page.posts
        cursor = page.cursor
        if not page.goes_on:
            return found
