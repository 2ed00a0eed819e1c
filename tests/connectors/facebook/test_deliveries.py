import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from conversations.capabilities import Delivery
from conversations.model import PostChange, PostChangeKind, PostKind, Visibility
from conversations.networks import Page
from tests.connectors.meta.world import World, world
from tests.fakes.graph_webhooks import deliveries, signed, signed_bytes


@pytest_asyncio.fixture(name="page")
async def a_page() -> AsyncIterator[World]:
    async with world("messenger") as one:
        yield one


def fed(page: World, **value: Any) -> Page:
    """Return what one change of the page's feed is to Parley."""
    change = {"field": value.pop("field", "feed"), "value": value}
    entry = {"id": page.place.id, "time": 1_700_000_100, "changes": [change]}
    call = signed(page.ledger.app_secret, {"object": "page", "entry": [entry]})
    return page.connector.receive(page.account, call).pages[page.place.id]


def messaged(page: World, event: dict[str, Any]) -> Page:
    """Return what one event of a conversation is to Parley."""
    whole = {
        "sender": {"id": "55"},
        "recipient": {"id": page.place.id},
        "timestamp": 1_700_000_000_123,
    }
    entry = {"id": page.place.id, "time": 1_700_000_000_200, "messaging": [whole | event]}
    call = signed(page.ledger.app_secret, {"object": "page", "entry": [entry]})
    return page.connector.receive(page.account, call).pages[page.place.id]


def comment(**more: Any) -> dict[str, Any]:
    value = {
        "from": {"id": "55", "name": "Ana"},
        "item": "comment",
        "verb": "add",
        "post_id": "1_2",
        "comment_id": "2_3",
        "parent_id": "1_2",
        "message": "where is it?",
        "created_time": 1_700_000_000,
    }
    return value | more


async def test_webhooks_are_how_posts_come_unless_polls_are_asked_for(page: World) -> None:
    assert page.connector.delivery(page.account) is Delivery.WEBHOOK
    assert page.connector.delivery(page.with_settings(delivery="poll")) is Delivery.POLL
    assert page.connector.address_setting == "page_id"
    assert page.connector.signing_setting == "app_secret"


async def test_a_comment_names_its_author_its_time_and_what_it_answers(page: World) -> None:
    (post,) = fed(page, **comment()).posts

    assert (post.external_id, post.text, post.visibility) == (
        "2_3",
        "where is it?",
        Visibility.PUBLIC,
    )
    assert (post.author.external_id, post.author.name) == ("55", "Ana")
    assert post.created_at == 1_700_000_000_000
    assert (post.in_reply_to, post.thread_root, post.is_own) == ("1_2", "1_2", False)


async def test_comments_come_at_any_depth(page: World) -> None:
    first = page.says("first")
    second = page.says("second", to=first)
    third = page.says("third", to=second)

    posts = page.page().posts

    assert [(p.external_id, p.in_reply_to) for p in posts] == [
        (first, page.published.id),
        (second, first),
        (third, second),
    ]
    assert {post.thread_root for post in posts} == {page.published.id}


async def test_a_picture_in_a_comment_is_media(page: World) -> None:
    (post,) = fed(page, **comment(message=None, photo="https://cdn.example/a.jpg")).posts

    assert post.text == ""
    assert [(m.kind, m.url) for m in post.media] == [("image", "https://cdn.example/a.jpg")]


async def test_a_post_by_somebody_else_is_one_and_the_pages_own_is_none(page: World) -> None:
    visitor = page.ledger.post(page.place, page.customer_id, "you broke it")
    page.ledger.post(page.place, page.place.id, "buy more parcels")

    (post,) = page.page().posts

    assert (post.external_id, post.text, post.thread_root) == (visitor.id, "you broke it", None)


async def test_an_own_comment_is_known_for_one(page: World) -> None:
    (post,) = fed(page, **comment(**{"from": {"id": page.place.id, "name": "acme"}})).posts

    assert post.is_own


async def test_edits_and_removals_follow_their_comment_or_come_before_it(page: World) -> None:
    (edited,) = fed(page, **comment(verb="edited", message="where IS it?")).changes
    (removed,) = fed(page, **comment(verb="remove")).changes

    at = 1_700_000_100_000
    assert edited == PostChange("2_3", PostChangeKind.EDITED, at, "where IS it?")
    assert removed == PostChange("2_3", PostChangeKind.DELETED, at)


async def test_a_reaction_is_a_like_and_can_be_taken_back(page: World) -> None:
    external_id = page.says("nice")
    page.brought()
    page.ledger.react(external_id, page.customer_id)
    like = page.post()
    page.ledger.react(external_id, page.customer_id, verb="remove")

    (gone,) = page.page().changes

    assert (like.kind, like.text, like.in_reply_to) == (PostKind.LIKE, "love", external_id)
    assert (gone.external_id, gone.kind) == (like.external_id, PostChangeKind.DELETED)


async def test_a_share_is_a_repost_or_a_quote(page: World) -> None:
    shared = comment(item="share", comment_id=None)

    (quote,) = fed(page, **shared).posts
    (repost,) = fed(page, **(shared | {"message": None})).posts

    assert (quote.kind, repost.kind) == (PostKind.QUOTE, PostKind.REPOST)


async def test_a_mention_elsewhere_is_a_post(page: World) -> None:
    value = comment(field="mention", sender_id="77", sender_name="Ben", item="post")
    del value["from"]

    (post,) = fed(page, **value).posts

    assert (post.external_id, post.author.external_id, post.author.name) == ("1_2", "77", "Ben")


@pytest.mark.parametrize(
    "value",
    [
        {"item": "comment", "verb": "hide", "comment_id": "2_3"},
        {"item": "like_count", "verb": "add"},
        {"field": "ratings", "item": "rating"},
        {"item": "status", "verb": "add", "post_id": "1_9", "from": {"id": "5"}, "published": 0},
    ],
)
async def test_what_nobody_said_is_passed_over(page: World, value: dict[str, Any]) -> None:
    one = fed(page, **value)
    assert (one.posts, list(one.unreadable), one.changes) == ([], [], [])


async def test_a_message_is_private_and_has_its_own_time(page: World) -> None:
    (post,) = messaged(
        page, {"message": {"mid": "m_1", "text": "hi", "reply_to": {"mid": "m_0"}}}
    ).posts

    assert (post.external_id, post.text, post.visibility) == ("m_1", "hi", Visibility.PRIVATE)
    assert (post.created_at, post.in_reply_to) == (1_700_000_000_123, "m_0")


async def test_attachments_and_stickers_are_media(page: World) -> None:
    attachments = [
        {"type": "image", "payload": {"url": "https://cdn.example/a.jpg"}},
        {"type": "image", "payload": {"url": "https://cdn.example/like.png", "sticker_id": 369}},
        {"type": "file", "payload": {"url": "javascript:alert(1)"}},
        {"type": "template", "payload": None},
        "nonsense",
    ]

    (post,) = messaged(page, {"message": {"mid": "m_1", "attachments": attachments}}).posts

    assert [(m.kind, m.url) for m in post.media] == [
        ("image", "https://cdn.example/a.jpg"),
        ("sticker", "https://cdn.example/like.png"),
    ]


async def test_a_message_that_is_not_shown_is_not_lost(page: World) -> None:
    (post,) = messaged(page, {"message": {"mid": "m_1", "is_unsupported": True}}).posts

    assert "does not show" in post.text


async def test_an_echo_names_the_reply_that_it_is(page: World) -> None:
    page.ledger.message(
        page.place, page.place.id, "we look", to=page.customer_id, metadata="re_7-2"
    )

    post = page.post()

    assert (post.is_own, post.own_reply_id) == (True, "re_7-2")


async def test_only_an_echo_can_name_a_reply(page: World) -> None:
    (post,) = messaged(page, {"message": {"mid": "m_1", "text": "hi", "metadata": "re_7"}}).posts

    assert (post.is_own, post.own_reply_id) == (False, None)


async def test_a_pressed_button_is_what_stands_on_it(page: World) -> None:
    (post,) = messaged(page, {"postback": {"title": "Talk to us", "payload": "TALK"}}).posts
    (again,) = messaged(page, {"postback": {"title": "Talk to us", "payload": "TALK"}}).posts

    assert (post.text, post.visibility) == ("Talk to us", Visibility.PRIVATE)
    assert post.external_id == again.external_id


async def test_a_message_is_edited_and_unsent(page: World) -> None:
    mid = page.writes("helo")
    page.brought()
    page.ledger.edit_message(page.place, page.customer_id, mid, "hello")
    page.ledger.unsend_message(page.place, page.customer_id, mid)

    edited, gone = page.page().changes

    assert (edited.external_id, edited.kind, edited.text) == (mid, PostChangeKind.EDITED, "hello")
    assert (gone.external_id, gone.kind) == (mid, PostChangeKind.DELETED)


@pytest.mark.parametrize("name", ["read", "delivery", "optin", "referral"])
async def test_receipts_say_nothing(page: World, name: str) -> None:
    one = messaged(page, {name: {"watermark": 1}})
    assert (one.posts, list(one.unreadable)) == ([], [])


async def test_messages_of_another_applications_turn_are_heard_too(page: World) -> None:
    event = {"sender": {"id": "55"}, "timestamp": 1_700_000_000_123}
    event |= {"message": {"mid": "m_1", "text": "hi"}}
    entry = {"id": page.place.id, "time": 1, "standby": [event]}
    call = signed(page.ledger.app_secret, {"object": "page", "entry": [entry]})

    (post,) = page.connector.receive(page.account, call).pages[page.place.id].posts

    assert post.text == "hi"


async def test_one_address_serves_many_pages(page: World) -> None:
    other = page.ledger.place("acme france", "another-token")
    mine, theirs = page.writes("hello"), page.ledger.message(other, page.customer_id, "bonjour")
    own = page.ledger.message(other, other.id, "merci", to=page.customer_id)

    (one,) = page.brought()

    assert [p.external_id for p in one.pages[page.place.id].posts] == [mine]
    assert [(p.external_id, p.is_own) for p in one.pages[other.id].posts] == [
        (theirs.id, False),
        (own.id, True),
    ]


async def test_a_batch_of_a_thousand_in_any_order_and_twice_is_there_once(page: World) -> None:
    ids = [page.says(f"comment {number}") for number in range(1_000)]
    told = page.ledger.happened * 2
    random.Random(7).shuffle(told)

    calls = deliveries(page.ledger, "page", told)
    pages = [page.connector.receive(page.account, c).pages[page.place.id] for c in calls]

    assert len(calls) == 2
    assert {post.external_id for one in pages for post in one.posts} == set(ids)
    for one in pages:
        assert len({post.external_id for post in one.posts}) == len(one.posts)
        assert [p.created_at for p in one.posts] == sorted(p.created_at for p in one.posts)


HOSTILE = [
    comment(message="x" * 1_000_000),
    comment(message="half \ud800 a pair"),
    comment(message="a \0 in it"),
    comment(message=7),
    comment(created_time=-5, **{"from": {}}),
    comment(comment_id=None),
    comment(comment_id="x" * 300),
    comment(**{"from": None}),
    comment(post_id=[]),
]


@pytest.mark.parametrize("value", HOSTILE)
async def test_what_makes_no_sense_spares_its_neighbours(
    page: World, value: dict[str, Any]
) -> None:
    good = comment(comment_id="2_4")
    changes = [{"field": "feed", "value": each} for each in (value, good)]
    entry = {"id": page.place.id, "time": 1_700_000_100, "changes": changes}
    call = signed(page.ledger.app_secret, {"object": "page", "entry": [entry]})

    one = page.connector.receive(page.account, call).pages[page.place.id]

    assert [post.external_id for post in one.posts] == ["2_4"]
    assert len(one.unreadable) == 1


@pytest.mark.parametrize("when", [253_402_300_800_000, 10**30, "soon", -1, 1.5, None])
async def test_a_senseless_time_is_the_deliverys(page: World, when: object) -> None:
    (post,) = fed(page, **comment(created_time=when)).posts
    assert post.created_at == 1_700_000_100_000


@pytest.mark.parametrize(
    "what",
    [
        [],
        {},
        {"object": "page"},
        {"object": "page", "entry": {}},
        {"object": "instagram", "entry": [{"id": "1", "messaging": []}]},
        {"object": "page", "entry": [7]},
        {"object": "page", "entry": [{"changes": []}]},
        {"object": "page", "entry": [{"id": "1"}]},
        {"object": "page", "entry": [{"id": "1", "changes": 7}]},
        {"object": "page", "entry": [{"id": "1", "changes": [7]}]},
        {"object": "page", "entry": [{"id": "1", "messaging": [7]}]},
    ],
)
async def test_a_signed_delivery_without_sense_is_quarantined(page: World, what: object) -> None:
    one = page.connector.receive(page.account, signed(page.ledger.app_secret, what))

    assert sum(len(each.unreadable) for each in one.pages.values()) == 1
    assert not any(each.posts for each in one.pages.values())


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[" * 100_000, b'{"object":"page","entry":[', b"null", b"\0"]
)
async def test_signed_bytes_that_are_no_delivery_are_quarantined(page: World, body: bytes) -> None:
    call = signed_bytes(page.ledger.app_secret, body)
    (one,) = page.connector.receive(page.account, call).pages.values()
    assert len(one.unreadable) == 1


async def test_an_entry_nested_too_deeply_spares_its_neighbours(page: World) -> None:
    deep = '{"id":"1","changes":' + "[" * 50_000 + "]" * 50_000 + "}"
    change = {"field": "feed", "value": comment()}
    good = json.dumps({"id": page.place.id, "time": 1, "changes": [change]})
    body = f'{{"object":"page","entry":[{deep},{good}]}}'.encode()

    one = page.connector.receive(page.account, signed_bytes(page.ledger.app_secret, body))

    assert len(one.pages[page.place.id].posts) == 1
    assert len(one.pages[None].unreadable) == 1
