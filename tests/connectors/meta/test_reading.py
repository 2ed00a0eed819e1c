import json
import time
from dataclasses import replace

import pytest

from connectors.meta import reading as meta_reading
from connectors.meta.cursor import MOST_RECENT, cursor_from
from conversations.model import Visibility
from conversations.networks import NetworkTrouble, Trouble
from tests.connectors.meta.world import TOKEN, World
from tests.fakes.graph_ledger import PlannedError

MINUTE_MS = 60_000
LIMITED = {"error": {"message": "(#4) Application request limit reached", "code": 4}}


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fake be listed without pauses."""
    monkeypatch.setattr(meta_reading, "PAUSE_S", 0.0)


async def all_of(brand: World, limit: int = 100, since: int = 0) -> list[str]:
    """Poll to the end, each page within its limit, and return what came, in order."""
    cursor, ids = None, []
    while True:
        page = await brand.fetched(cursor, limit=limit, since=since)
        for visibility in Visibility:
            assert sum(post.visibility is visibility for post in page.posts) <= limit
        ids += [post.external_id for post in page.posts]
        cursor = page.cursor
        if not page.goes_on:
            assert not (await brand.fetched(cursor, limit=limit, since=since)).posts
            return ids


async def test_what_no_delivery_brought_is_found(brand: World) -> None:
    first = brand.says("one")
    deep = brand.says("two", to=first)
    mid = brand.writes("three")

    page = await brand.fetched()

    assert {post.external_id for post in page.posts} == {first, deep, mid}
    by_id = {post.external_id: post for post in page.posts}
    assert (by_id[deep].in_reply_to, by_id[mid].visibility) == (first, Visibility.PRIVATE)
    assert not page.goes_on


async def test_a_poll_and_a_delivery_call_a_post_the_same(brand: World) -> None:
    deep = brand.says("two", to=brand.says("one"))
    brand.writes("three")
    brought = {p.external_id: p for one in brand.brought() for p in one.pages[brand.place.id].posts}

    polled = {post.external_id: post for post in (await brand.fetched()).posts}

    assert brought.keys() == polled.keys()
    for external_id, post in polled.items():
        twin = brought[external_id]
        assert (post.in_reply_to, post.thread_root) == (twin.in_reply_to, twin.thread_root)
        assert post.author.external_id == twin.author.external_id
    assert deep in polled


async def test_a_backlog_comes_in_small_pages_in_order_without_gap_or_repeat(brand: World) -> None:
    comments = [brand.says(f"comment {number}") for number in range(130)]
    people = [brand.ledger.person(f"person {number}") for number in range(40)]
    messages = [
        brand.ledger.message(brand.place, people[number % 40], f"message {number}").id
        for number in range(130)
    ]
    brand.ledger.page_size = 10

    ids = await all_of(brand, limit=7)

    assert sorted(ids) == sorted(comments + messages)
    assert [one for one in ids if one in set(comments)] == comments


async def test_one_conversation_comes_in_order(brand: World) -> None:
    ids = [brand.writes(f"message {number}") for number in range(20)]
    brand.ledger.page_size = 6
    assert await all_of(brand, limit=3) == ids


async def test_what_the_network_shows_no_more_is_quarantined_not_passed_over(
    brand: World,
) -> None:
    ids = [brand.writes(f"message {number}") for number in range(25)]

    page = await brand.fetched()

    assert [post.external_id for post in page.posts] == ids[5:]
    (older,) = page.unreadable
    assert (older.external_id, older.code) == (ids[4], "message_not_shown")


async def test_a_backlog_is_listed_once_for_all_its_pages(page: World) -> None:
    for number in range(100):
        page.says(f"comment {number}")
    cursor = (await page.fetched(limit=10)).cursor
    calls = len(page.fake.seen_urls)

    for _ in range(9):
        cursor = (await page.fetched(cursor, limit=10)).cursor

    assert len(page.fake.seen_urls) == calls


async def test_a_restart_lists_again_and_repeats_nothing(brand: World) -> None:
    ids = [brand.says(f"comment {number}") for number in range(30)]
    first = await brand.fetched(limit=10)
    kind = type(brand.connector)
    brand.connector = kind(brand.connector._client)

    second = await brand.fetched(first.cursor, limit=100)

    assert [post.external_id for post in [*first.posts, *second.posts]] == ids


async def test_what_is_shown_late_is_found_later(brand: World) -> None:
    brand.ledger.delay_ms = 40_000
    late = brand.says("hidden at first"), brand.writes("me, too")
    brand.ledger.delay_ms = 0
    brand.ledger.move_clock(10_000)
    early = brand.says("seen at once")
    page = await brand.fetched()
    assert [post.external_id for post in page.posts] == [early]

    brand.ledger.move_clock(60_000)
    page = await brand.fetched(page.cursor)

    assert {post.external_id for post in page.posts} == set(late)


async def test_nothing_from_before_the_channel_is_brought(brand: World) -> None:
    brand.says("long ago")
    brand.writes("long ago")
    brand.ledger.move_clock(10 * MINUTE_MS)
    since = brand.ledger.now - MINUTE_MS
    now = brand.says("now")

    assert await all_of(brand, since=since) == [now]


async def test_an_old_post_is_looked_into_when_something_changed_there(page: World) -> None:
    cursor = (await page.fetched()).cursor
    page.ledger.move_clock(90 * 24 * 60 * MINUTE_MS)
    newer = page.ledger.post(page.place, page.place.id, "newer")
    page.ledger.comment(newer.id, page.customer_id, "here")
    late = page.says("and here, after months")

    found = await page.fetched(cursor)

    assert late in {post.external_id for post in found.posts}


async def test_a_quiet_page_costs_three_calls(page: World) -> None:
    page.says("something")
    page.writes("something")
    cursor = (await page.fetched()).cursor
    page.ledger.move_clock(60 * MINUTE_MS)
    page.fake.seen_urls.clear()
    page.ledger.move_clock(60 * MINUTE_MS)

    await page.fetched(cursor)

    assert len(page.fake.seen_urls) == 4  # after an hour what was newest is looked at once more


async def test_posts_by_others_and_tags_are_found(page: World) -> None:
    visitor = page.ledger.post(page.place, page.customer_id, "on your page")
    tagged = page.ledger.post(page.place, page.customer_id, "on mine", is_tagged=True)

    posts = (await page.fetched()).posts

    assert {post.external_id for post in posts} == {visitor.id, tagged.id}


async def test_tags_on_instagram_are_mentions(account: World) -> None:
    tagged = account.ledger.post(account.place, account.customer_id, "look!", is_tagged=True)

    (post,) = (await account.fetched()).posts

    assert post.external_id == f"mention:{tagged.id}"
    assert (post.text, post.author.handle) == ("look!", "ana")


async def test_own_words_are_known_for_ones(brand: World) -> None:
    own = brand.ledger.comment(brand.says("hello"), brand.place.id, "hi")
    brand.writes("hello")
    told = brand.ledger.message(brand.place, brand.place.id, "hi", to=brand.customer_id)

    posts = (await brand.fetched()).posts

    assert {post.external_id for post in posts if post.is_own} == {own.id, told.id}


async def test_a_foreign_cursor_begins_anew(brand: World) -> None:
    external_id = brand.says("hello")
    for cursor in ("", "7 7", "null", "[]", '{"public":[1,{}]}', '{"public":7,"private":7}'):
        (post,) = (await brand.fetched(cursor)).posts
        assert post.external_id == external_id


async def test_a_thousand_of_one_second_come_once(page: World) -> None:
    for number in range(MOST_RECENT * 2):
        page.says(f"comment {number}")
    page.ledger.page_size = 100

    ids = await all_of(page, limit=100)

    assert len(ids) == len(set(ids)) == MOST_RECENT * 2


async def test_a_cursor_stays_small(page: World) -> None:
    for number in range(MOST_RECENT + 200):
        page.says(f"comment {number}")
        page.ledger.move_clock(100)
    page.ledger.page_size = 100

    ids = await all_of(page, limit=400)
    cursor = (await page.fetched(limit=1_000)).cursor

    assert len(ids) == len(set(ids)) == MOST_RECENT + 200
    assert cursor is not None
    assert len(cursor) < 16_000
    assert cursor_from(cursor).text == cursor


@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({}, 60.0),
        ({"retry-after": "7"}, 7.0),
        ({"x-app-usage": '{"call_count":100,"total_time":3}'}, 300.0),
        ({"x-app-usage": "nonsense"}, 60.0),
        (
            {
                "x-business-use-case-usage": json.dumps(
                    {"17": [{"type": "pages", "estimated_time_to_regain_access": 19}]}
                )
            },
            19 * 60.0,
        ),
    ],
)
async def test_a_limit_says_how_long(brand: World, headers: dict[str, str], pause_s: float) -> None:
    brand.ledger.planned.append(PlannedError(400, LIMITED, headers))

    page = await brand.fetched()

    assert (page.retry_after_s, page.cursor, page.posts) == (pause_s, None, ())


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80_001])
async def test_every_limit_is_known_for_one(brand: World, code: int) -> None:
    brand.ledger.planned.append(PlannedError(400, {"error": {"code": code}}))
    assert (await brand.fetched()).retry_after_s == 60.0


@pytest.mark.parametrize("code", [190, 102, 10, 200, 283])
async def test_refused_access_is_named_without_the_token(brand: World, code: int) -> None:
    error = {"error": {"code": code, "message": f"Error validating access token {TOKEN}"}}
    brand.ledger.planned.append(PlannedError(400, error))

    with pytest.raises(NetworkTrouble) as trouble:
        await brand.fetched()

    assert trouble.value.trouble is Trouble.UNAUTHORISED
    assert TOKEN not in str(trouble.value)


@pytest.mark.parametrize("token", [None, "", "tökén", "a\nb", 7])
async def test_an_account_without_a_token_has_no_access(brand: World, token: object) -> None:
    brand.account = replace(brand.account, credentials={"token": token})
    with pytest.raises(NetworkTrouble) as trouble:
        await brand.fetched()
    assert trouble.value.trouble is Trouble.UNAUTHORISED


async def test_no_address_ever_has_the_token_or_the_secret(brand: World) -> None:
    for number in range(60):
        brand.says(f"comment {number}")
        brand.writes(f"message {number}")

    await all_of(brand, limit=9)

    assert len(brand.fake.seen_urls) > 3
    for url in brand.fake.seen_urls:
        assert TOKEN not in url
        assert brand.ledger.app_secret not in url
        assert "appsecret_proof=" in url


async def test_the_version_is_a_setting(page: World) -> None:
    page.account = page.with_settings(graph_version="v25.0")
    await page.fetched()
    assert all("/v25.0/" in url for url in page.fake.seen_urls)


async def test_what_reaches_the_brand_names_it(brand: World) -> None:
    brand.account = brand.with_settings(username="@Acme")
    brand.says("hello")
    brand.writes("hello")
    brand.ledger.comment(brand.published.id, brand.place.id, "our own words")

    polled = (await brand.fetched()).posts
    (brought,) = brand.brought()

    for post in [*polled, *brought.pages[brand.place.id].posts]:
        assert post.mentions == (() if post.is_own else ("acme",))


async def test_conversations_are_listed_no_faster_than_the_network_takes(
    brand: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meta_reading, "PAUSE_S", 0.05)
    for number in range(9):
        brand.ledger.message(brand.place, brand.ledger.person(f"person {number}"), "hello")
    brand.ledger.page_size = 3
    began_at = time.monotonic()

    page = await brand.fetched()

    assert len(page.posts) == 9
    assert time.monotonic() - began_at >= 2 * 0.05
