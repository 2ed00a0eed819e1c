from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from conversations.model import PostChangeKind, Visibility
from conversations.networks import Page
from tests.connectors.meta.world import World, world
from tests.fakes.graph_webhooks import signed


@pytest_asyncio.fixture(name="account")
async def an_account() -> AsyncIterator[World]:
    async with world("instagram") as one:
        yield one


def told(account: World, field: str, value: Any) -> Page:
    change = {"field": field, "value": value}
    entry = {"id": account.place.id, "time": 1_700_000_100, "changes": [change]}
    return received(account, entry)


def received(account: World, entry: dict[str, Any]) -> Page:
    call = signed(account.ledger.app_secret, {"object": "instagram", "entry": [entry]})
    return account.connector.receive(account.account, call).pages[account.place.id]


def messaged(account: World, message: dict[str, Any]) -> Page:
    event = {"sender": {"id": "55"}, "timestamp": 1_700_000_000_123, "message": message}
    return received(account, {"id": account.place.id, "time": 1, "messaging": [event]})


async def test_a_comment_and_an_answer_to_it_are_one_thread(account: World) -> None:
    first = account.says("is it blue?")
    second = account.says("or green?", to=first)

    comment, answer = account.page().posts

    assert (comment.external_id, comment.author.handle) == (first, "ana")
    assert (comment.in_reply_to, comment.thread_root) == (account.published.id, first)
    assert (answer.external_id, answer.in_reply_to, answer.thread_root) == (second, first, first)
    assert account.connector.address_setting == "instagram_id"


@pytest.mark.parametrize("field", ["comments", "live_comments"])
async def test_live_comments_are_comments_with_the_deliverys_time(
    account: World, field: str
) -> None:
    value = {"id": "9", "from": {"id": "55", "username": "ana"}, "text": "hi"}

    (post,) = told(account, field, value).posts

    assert (post.external_id, post.text, post.created_at) == ("9", "hi", 1_700_000_100_000)


async def test_instagrams_own_log_in_writes_the_change_into_the_entry(account: World) -> None:
    value = {"id": "9", "from": {"id": "55", "username": "ana"}, "text": "hi"}
    entry = {"id": account.place.id, "time": 1_700_000_100, "field": "comments", "value": value}

    (post,) = received(account, entry).posts

    assert post.external_id == "9"


@pytest.mark.parametrize(
    "person",
    [
        {"id": "55", "username": "ACME"},
        {"id": "55", "username": "ana", "self_ig_scoped_id": "77"},
    ],
)
async def test_own_comments_are_known_by_name_and_by_mark(
    account: World, person: dict[str, str]
) -> None:
    (post,) = told(account, "comments", {"id": "9", "from": person, "text": "thanks"}).posts
    assert post.is_own


async def test_another_accounts_namesake_is_a_customer(account: World) -> None:
    other = account.ledger.place("elsewhere", "another-token", "instagram")
    value = {"id": "9", "from": {"id": "55", "username": "acme"}, "text": "hi"}
    entry = {"id": other.id, "time": 1, "changes": [{"field": "comments", "value": value}]}
    call = signed(account.ledger.app_secret, {"object": "instagram", "entry": [entry]})

    (post,) = account.connector.receive(account.account, call).pages[other.id].posts

    assert not post.is_own


async def test_a_mention_is_there_although_its_words_are_not_brought(account: World) -> None:
    (comment,) = told(account, "mentions", {"media_id": "4", "comment_id": "5"}).posts
    (caption,) = told(account, "mentions", {"media_id": "4"}).posts

    assert (comment.external_id, caption.external_id) == ("mention:4:5", "mention:4")
    assert "does not bring" in comment.text


async def test_a_message_is_private_and_an_echo_is_own(account: World) -> None:
    mid = account.writes("hello")
    echo = account.ledger.message(account.place, account.place.id, "hi", to=account.customer_id)

    post, own = account.page().posts

    assert (post.external_id, post.visibility, post.is_own) == (mid, Visibility.PRIVATE, False)
    assert (own.external_id, own.is_own) == (echo.id, True)


async def test_an_unsent_message_is_a_deletion(account: World) -> None:
    (change,) = messaged(account, {"mid": "aWdf1", "is_deleted": True}).changes
    assert (change.external_id, change.kind) == ("aWdf1", PostChangeKind.DELETED)


async def test_an_answer_to_a_story_and_a_mention_in_one_show_it(account: World) -> None:
    story = {"url": "https://cdn.example/story.mp4", "id": "3"}
    mention = {"type": "story_mention", "payload": {"url": "https://cdn.example/theirs.mp4"}}

    (answer,) = messaged(account, {"mid": "a", "text": "wow", "reply_to": {"story": story}}).posts
    (mentioned,) = messaged(account, {"mid": "b", "attachments": [mention]}).posts

    assert [(m.kind, m.url) for m in answer.media] == [("story", story["url"])]
    assert [(m.kind, m.url) for m in mentioned.media] == [
        ("story_mention", "https://cdn.example/theirs.mp4")
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("comments", {"id": "9", "text": "by nobody"}),
        ("comments", {"from": {"id": "5"}, "text": "without a name of its own"}),
        ("comments", {"id": "9", "from": {"id": "5"}, "text": "\ud800"}),
        ("mentions", {"comment_id": "5"}),
        ("comments", []),
    ],
)
async def test_what_makes_no_sense_is_quarantined(account: World, field: str, value: Any) -> None:
    one = told(account, field, value)
    assert (len(one.posts), len(one.unreadable)) == (0, 1)


async def test_what_nobody_said_is_passed_over(account: World) -> None:
    one = told(account, "story_insights", {"media_id": "4", "reach": 7})
    assert (len(one.posts), len(one.unreadable)) == (0, 0)
