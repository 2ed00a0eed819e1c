import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from connectors.bluesky.connector import BlueskyConnector
from connectors.bluesky.wire import facets_of, record_key, record_of
from connectors.guard import STRICT
from conversations.model import PostChangeKind, PostKind, ReplyState, Visibility
from conversations.networks import Account, ListenedChannel, NetworkTrouble, Page, Trouble
from conversations.replies import Certainty, Reply
from tests.connectors.delivering import now_ms
from tests.connectors.loopback import LOOPBACK, loopback_client
from tests.fakes.bluesky import FakeBluesky
from tests.fakes.bluesky_ledger import REPOST, BlueskyLedger
from tests.fakes.served import served

HANDLE, PASSWORD = "acme.example", "app-password-of-the-test"


@dataclass
class World:
    ledger: BlueskyLedger
    connector: BlueskyConnector
    account: Account
    brand: str
    customer: str

    async def page(self, cursor: str | None = None, limit: int = 100, **more: Any) -> Page:
        channel = ListenedChannel(self.account, 5_000, limit, cursor, id="ch-1", **more)
        return await self.connector.fetch(channel)

    def reply(self, in_reply_to: str | None, text: str = "on it", **more: Any) -> Reply:
        now = now_ms()
        fields: dict[str, Any] = {
            "id": "re_1",
            "conversation_id": "cv-1",
            "account_id": "ac-1",
            "channel_id": "ch-1",
            "network": "bluesky",
            "agent_id": "ag-1",
            "text": text,
            "visibility": Visibility.PUBLIC,
            "to_external_id": self.customer,
            "to_handle": "ana.example",
            "in_reply_to": in_reply_to,
            "state": ReplyState.SENDING,
            "covers": 1,
            "created_at": now,
            "tried_since": now,
            "attempts": 1,
        }
        return Reply(**(fields | more))


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    ledger = BlueskyLedger()
    brand = ledger.sign_up(HANDLE, PASSWORD)
    customer = ledger.sign_up("ana.example", "her-own")
    with served(FakeBluesky(ledger).app) as url:
        jetstream = url.replace("http", "ws", 1) + "/subscribe"
        settings = {"url": url, "handle": HANDLE, "jetstream_url": jetstream}
        settings["direct_messages"] = "true"
        account = Account("ac-1", "bluesky", settings, {"app_password": PASSWORD})
        async with loopback_client() as client:
            yield World(ledger, BlueskyConnector(client, LOOPBACK), account, brand, customer)


async def test_an_answer_whose_notification_was_lost_is_found(world: World) -> None:
    news = world.ledger.say(world.brand, "our news")
    world.ledger.loses_reply_notifications = True
    answer = world.ledger.say(world.customer, "and mine?", to=news.uri)

    page = await world.page()

    (post,) = page.posts
    assert (post.external_id, post.in_reply_to) == (answer.uri, news.uri)
    assert (post.author.handle, post.author.followers) == ("ana.example", 42)


async def test_a_page_that_was_not_kept_comes_again_and_one_that_was_does_not(
    world: World,
) -> None:
    uris = [world.ledger.say(world.customer, f"@{HANDLE} {n}").uri for n in range(5)]

    first = await world.page(limit=3)
    lost = await world.page(first.cursor, limit=3)
    again = await world.page(first.cursor, limit=3)
    none = await world.page(again.cursor, limit=3)

    assert [p.external_id for p in first.posts] == uris[:3]
    assert [p.external_id for p in again.posts] == [p.external_id for p in lost.posts] == uris[3:]
    assert list(none.posts) == []


async def test_likes_and_reposts_are_told_by_kind(world: World) -> None:
    news = world.ledger.say(world.brand, "our news").uri
    world.ledger.point(world.customer, news)
    world.ledger.point(world.customer, news, REPOST)

    page = await world.page()

    assert {p.kind for p in page.posts} == {PostKind.LIKE, PostKind.REPOST}


async def test_an_expired_token_is_renewed_without_a_new_session(world: World) -> None:
    await world.page()
    world.ledger.tokens.clear()

    await world.page()

    assert world.ledger.sessions_created == 1


async def test_a_revoked_password_is_named(world: World) -> None:
    world.ledger.people[world.brand].password = "another"

    with pytest.raises(NetworkTrouble) as trouble:
        await world.page()

    assert trouble.value.trouble is Trouble.UNAUTHORISED
    assert PASSWORD not in str(trouble.value)


async def test_too_many_calls_are_waited_for(world: World) -> None:
    await world.page()
    world.ledger.calls_left = 0

    page = await world.page()

    assert page.cursor is None
    assert page.retry_after_s is not None


async def test_every_attempt_writes_the_same_record_in_its_thread(world: World) -> None:
    root = world.ledger.say(world.customer, f"@{HANDLE} hello")
    more = world.ledger.say(world.customer, "hello?", to=root.uri)
    reply = world.reply(more.uri)

    sent = await world.connector.publish(world.account, reply)
    again = await world.connector.publish(world.account, replace(reply, attempts=2))
    second = world.reply(sent.external_id, "and more", id="re_1-2")
    part = await world.connector.publish(world.account, second)

    refs = world.ledger.records[str(sent.external_id)].value["reply"]
    assert again.external_id == sent.external_id
    assert (refs["root"]["uri"], refs["parent"]["uri"]) == (root.uri, more.uri)
    of_part = world.ledger.records[str(part.external_id)].value["reply"]
    assert (of_part["root"]["uri"], of_part["parent"]["uri"]) == (root.uri, sent.external_id)
    assert record_key(reply) != record_key(second)
    assert record_of(reply, refs) == record_of(replace(reply, attempts=9), refs)


def test_facets_are_counted_in_bytes() -> None:
    text = "é👋 @ana.example see https://x.example/a. #tag"

    facets = facets_of(text, "ana.example", "did:plc:ana")

    spans = [(f["index"]["byteStart"], f["index"]["byteEnd"]) for f in facets]
    shown = [text.encode()[begin:end].decode() for begin, end in spans]
    assert shown == ["@ana.example", "https://x.example/a", "#tag"]


async def test_direct_messages_go_both_ways_and_are_looked_for(world: World) -> None:
    convo_id = world.ledger.convo_of(world.brand, world.customer)
    said = world.ledger.chat(convo_id, world.customer, "psst")
    page = await world.page()
    (post,) = page.posts
    assert (post.external_id, post.visibility) == (f"{convo_id}:{said['id']}", Visibility.PRIVATE)

    reply = world.reply(post.external_id, visibility=Visibility.PRIVATE)
    absent = await world.connector.look_up(world.account, reply)
    sent = await world.connector.publish(world.account, reply)
    found = await world.connector.look_up(world.account, reply)
    other = await world.connector.look_up(world.account, replace(reply, id="re_2"))
    world.ledger.unsay(convo_id, said["id"])
    after = await world.page(page.cursor)

    assert absent.certainty is other.certainty is Certainty.NOT_ACCEPTED
    assert found.external_id == sent.external_id
    assert [(c.external_id, c.kind) for c in after.changes] == [
        (post.external_id, PostChangeKind.DELETED)
    ]


async def test_whom_nobody_may_write_to_is_named(world: World) -> None:
    world.ledger.closed_to_strangers.add(world.customer)

    outcome = await world.connector.publish(
        world.account, world.reply(None, visibility=Visibility.PRIVATE)
    )

    assert outcome.certainty is Certainty.REJECTED
    assert "disabled incoming messages" in str(outcome.reason)


async def test_jetstream_brings_what_is_for_us_and_what_its_author_deletes(world: World) -> None:
    channel = ListenedChannel(world.account, 5_000, 100, None, id="ch-1", keywords=("parcel",))
    async with aclosing(world.connector.stream(channel)) as pages, asyncio.timeout(15):
        await anext(pages)
        while not world.ledger.listeners:  # noqa: ASYNC110 - the fake lives in another thread
            await asyncio.sleep(0.01)
        world.ledger.say(world.customer, "nothing for us")
        post = world.ledger.say(world.customer, f"@{HANDLE} hello")
        named = await anext(page async for page in pages if page.posts)
        word = world.ledger.say(world.customer, "where is my parcel")
        heard = await anext(page async for page in pages if page.posts)
        world.ledger.delete(post.uri)
        gone = await anext(page async for page in pages if page.changes)

    assert [p.external_id for p in (*named.posts, *heard.posts)] == [post.uri, word.uri]
    assert named.posts[0].author.handle == "ana.example"
    assert [(c.external_id, c.kind) for c in gone.changes] == [(post.uri, PostChangeKind.DELETED)]


async def test_jetstream_goes_nowhere_inside(world: World) -> None:
    channel = ListenedChannel(world.account, 5_000, 100, None, id="ch-1")
    async with loopback_client() as client:
        connector = BlueskyConnector(client, STRICT)
        with pytest.raises(NetworkTrouble, match="inside"):
            await anext(connector.stream(channel))
