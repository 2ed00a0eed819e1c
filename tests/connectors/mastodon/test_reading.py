from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from connectors.mastodon.connector import LONGEST_NAME
from connectors.mastodon.reading import cursor_from
from conversations.capabilities import CountingUnit
from conversations.model import PostKind, Visibility
from conversations.networks import NetworkTrouble, Trouble
from tests.connectors.delivering import now_ms
from tests.connectors.mastodon.instance import CUSTOMER, Instance, running_instance


@pytest_asyncio.fixture
async def instance() -> AsyncIterator[Instance]:
    async with running_instance() as one:
        yield one


async def test_the_first_poll_does_not_flood(instance: Instance) -> None:
    old_ms = now_ms() - 86_400_000
    instance.ledger.clock_offset_s = -86_400.0
    for number in range(90):
        instance.says(f"@acme old {number} #acme", created_at_ms=old_ms)
    instance.ledger.clock_offset_s = 0.0
    new = instance.says("@acme new #acme")

    page = await instance.page(since=now_ms() - 3_600_000, keywords=("#acme", "old"))

    assert [post.external_id for post in page.posts] == [new]
    assert not page.goes_on


async def test_a_backlog_comes_whole_and_in_order(instance: Instance) -> None:
    first = await instance.page()
    said = [instance.says(f"@acme {number}") for number in range(97)]

    cursor, came, pages = first.cursor, [], 0
    while True:
        page = await instance.page(cursor, limit=10)
        came += [post.external_id for post in page.posts]
        cursor, pages = page.cursor, pages + 1
        if not page.goes_on:
            break

    assert came == said
    assert pages <= 11
    assert all("since_id" not in query for _, _, query in instance.fake.requests)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"n": 7}', "17 4", '{"n": "1"}'])
def test_a_foreign_cursor_begins_anew(text: str) -> None:
    assert cursor_from(text) is None


async def test_hashtags_and_words_are_read_in_turn(instance: Instance) -> None:
    keywords = ("#acme", "late parcel")
    first = await instance.page(keywords=keywords, since=now_ms())
    tagged = instance.says("nobody is named #acme")
    worded = instance.says("my late parcel")

    one = await instance.page(first.cursor, keywords=keywords)
    two = await instance.page(one.cursor, keywords=keywords)
    three = await instance.page(two.cursor, keywords=keywords)

    came = [post.external_id for page in (one, two, three) for post in page.posts]
    assert sorted(came) == sorted([tagged, worded])


async def test_search_leaves_nothing_out_though_it_gives_the_newest_first(
    instance: Instance,
) -> None:
    first = await instance.page(keywords=("parcel",), since=now_ms())
    said = [instance.says(f"parcel {number}") for number in range(95)]

    cursor, came = first.cursor, []
    for _ in range(4):
        page = await instance.page(cursor, keywords=("parcel",))
        came += [post.external_id for post in page.posts]
        cursor = page.cursor

    assert came == said


async def test_a_keyword_that_is_new_begins_now(instance: Instance) -> None:
    first = await instance.page()
    instance.says("long ago #acme")
    second = await instance.page(first.cursor, keywords=("#acme",))
    now = instance.says("just now #acme")

    third = await instance.page(second.cursor, keywords=("#acme",))

    assert list(second.posts) == []
    assert [post.external_id for post in third.posts] == [now]


async def test_a_thread_has_one_root(instance: Instance) -> None:
    root = instance.says("@acme hello")
    answer = instance.ledger.post(instance.brand_id, "hi", in_reply_to_id=root)
    later = instance.says("@acme and then", in_reply_to_id=answer.id)
    last = instance.says("@acme still there?", in_reply_to_id=later)

    page = await instance.page()

    roots = {post.external_id: post.thread_root for post in page.posts}
    assert roots == {root: None, later: root, last: root}


async def test_likes_and_reposts_are_told_by_kind(instance: Instance) -> None:
    news = instance.ledger.post(instance.brand_id, "our news")
    instance.ledger.point("favourite", instance.customer_id, news.id)
    instance.ledger.point("reblog", instance.customer_id, news.id)

    page = await instance.page()

    assert [post.kind for post in page.posts] == [PostKind.LIKE, PostKind.REPOST]
    assert all(post.author.handle == CUSTOMER for post in page.posts)


async def test_one_bad_entry_spares_its_neighbours_and_comes_once(instance: Instance) -> None:
    before = instance.says("@acme before")
    bad = instance.says("@acme bad", extra={"created_at": "never"})
    after = instance.says("@acme after")

    page = await instance.page()
    again = await instance.page(page.cursor)

    assert [post.external_id for post in page.posts] == [before, after]
    assert [(piece.code, piece.external_id) for piece in page.unreadable] == [
        ("created_at_unreadable", bad)
    ]
    assert list(again.unreadable) == []


async def test_the_instances_limits_are_learned(instance: Instance) -> None:
    before = instance.connector.capabilities(instance.account)
    instance.ledger.max_characters = 5_000

    await instance.page()

    after = instance.connector.capabilities(instance.account)
    assert before.length.most == 500 - LONGEST_NAME
    assert after.length.most == 5_000 - LONGEST_NAME
    assert (after.length.unit, after.length.link_length) == (CountingUnit.MASTODON, 23)


async def test_too_many_calls_are_waited_for(instance: Instance) -> None:
    await instance.page()
    instance.ledger.calls_left[instance.brand_id] = 0

    page = await instance.page()

    assert page.cursor is None
    assert page.retry_after_s is not None
    assert 250 < page.retry_after_s <= 300


async def test_polls_leave_calls_for_replies(instance: Instance) -> None:
    instance.ledger.calls_per_window = 300
    instance.ledger.calls_left[instance.brand_id] = 61
    post = instance.says("@acme hello")
    await instance.page()
    calls = len(instance.fake.requests)

    page = await instance.page()
    outcome = await instance.connector.publish(instance.account, instance.reply(post))

    assert page.retry_after_s is not None
    assert len(instance.fake.requests) == calls + 1
    assert outcome.external_id is not None


async def test_a_revoked_token_is_named(instance: Instance) -> None:
    await instance.page()
    instance.ledger.tokens.clear()

    with pytest.raises(NetworkTrouble) as trouble:
        await instance.page()

    assert trouble.value.trouble is Trouble.UNAUTHORISED


async def test_what_is_only_for_us_comes_as_private(instance: Instance) -> None:
    instance.says("@acme psst", visibility="direct")
    instance.says("@bob not for us", visibility="direct")

    page = await instance.page()

    assert [(p.text, p.visibility) for p in page.posts] == [("@acme psst", Visibility.PRIVATE)]
