"""The connector against the fake X: reading, and losing nothing."""

import time

import pytest

from connectors.x import reading as x_reading
from connectors.x.connector import XConnector
from conversations.model import PostChangeKind, PostKind, Unreadable, Visibility
from conversations.networks import NetworkTrouble, Trouble
from tests.connectors.loopback import loopback_client
from tests.connectors.x.account import account_of, listened, read_all, texts
from tests.fakes.x import BRAND, CUSTOMER, STRANGER, FakeX

HOUR_MS = 3_600_000


async def test_a_mention_is_read_with_its_author(x: XConnector, fake: FakeX) -> None:
    stored = fake.ledger.add(CUSTOMER, "@acme see acme.example & help")

    (post,) = (await x.fetch(listened(account_of(fake)))).posts

    assert (post.external_id, post.text) == (
        str(stored.id),
        "@acme see http://acme.example & help",
    )
    assert (post.author.handle, post.author.followers) == ("jo", 12)
    assert (post.thread_root, post.in_reply_to) == (str(stored.id), None)
    assert post.language == "en"


async def test_ids_are_compared_as_numbers(x: XConnector, fake: FakeX) -> None:
    for post_id in (997, 998, 999, 1000, 1001):
        fake.ledger.add(CUSTOMER, f"@acme {post_id}", id=post_id)

    channel = listened(account_of(fake), post_limit=3)

    assert [post.external_id for post in await read_all(x, channel)] == [
        "997",
        "998",
        "999",
        "1000",
        "1001",
    ]


async def test_a_backlog_comes_oldest_first_in_pages_without_gap_or_repeat(
    x: XConnector, fake: FakeX
) -> None:
    begin = int(time.time() * 1000) - HOUR_MS
    ids = [fake.ledger.add(CUSTOMER, f"@acme {n}", at_ms=begin + n * 10).id for n in range(250)]

    found = await read_all(x, listened(account_of(fake), post_limit=40))

    assert [post.external_id for post in found] == [str(one) for one in ids]
    assert sum("mentions" in call for call in fake.calls) <= 4


async def test_a_page_that_was_not_kept_is_read_again(x: XConnector, fake: FakeX) -> None:
    for number in range(5):
        fake.ledger.add(CUSTOMER, f"@acme {number}")
    account = account_of(fake)
    first = await x.fetch(listened(account, None, post_limit=2))
    lost = await x.fetch(listened(account, first.cursor, post_limit=2))

    again = await read_all(x, listened(account, first.cursor, post_limit=2))

    assert texts(lost) == ["@acme 2", "@acme 3"]
    assert {"@acme 2", "@acme 3", "@acme 4"} <= {post.text for post in again}


async def test_a_restart_skips_nothing(fake: FakeX) -> None:
    account = account_of(fake)
    for number in range(5):
        fake.ledger.add(
            CUSTOMER, f"@acme {number}", at_ms=int(time.time() * 1000) - HOUR_MS + number
        )
    async with loopback_client() as client:
        first = await XConnector(client).fetch(listened(account, None, post_limit=2))
        second = await XConnector(client).fetch(listened(account, first.cursor, post_limit=9))

    assert texts(first) == ["@acme 0", "@acme 1"]
    assert texts(second) == ["@acme 2", "@acme 3", "@acme 4"]


async def test_a_post_that_x_shows_late_is_not_lost(x: XConnector, fake: FakeX) -> None:
    now, account = int(time.time() * 1000), account_of(fake)
    fake.ledger.add(CUSTOMER, "@acme prompt", at_ms=now)
    first = await x.fetch(listened(account))
    fake.ledger.add(CUSTOMER, "@acme late", at_ms=now - 20_000)

    second = await x.fetch(listened(account, first.cursor))
    third = await x.fetch(listened(account, second.cursor))

    assert (texts(first), texts(second), texts(third)) == (["@acme prompt"], ["@acme late"], [])


async def test_a_late_post_of_a_page_that_was_not_kept_comes_again(
    x: XConnector, fake: FakeX
) -> None:
    now, account = int(time.time() * 1000), account_of(fake)
    fake.ledger.add(CUSTOMER, "@acme prompt", at_ms=now)
    first = await x.fetch(listened(account))
    fake.ledger.add(CUSTOMER, "@acme late", at_ms=now - 20_000)
    lost = await x.fetch(listened(account, first.cursor))

    again = await x.fetch(listened(account, first.cursor))

    assert texts(lost) == ["@acme late"]
    assert "@acme late" in texts(again)


async def test_messages_are_read_back_to_what_is_known_and_no_further(
    x: XConnector, fake: FakeX
) -> None:
    begin = int(time.time() * 1000) - HOUR_MS
    for number in range(250):
        fake.ledger.say(CUSTOMER, BRAND, f"{number}", at_ms=begin + number)
    fake.limits.lift()
    account = account_of(fake, message_reads=900_000)
    first = await x.fetch(listened(account, post_limit=500))
    fake.calls.clear()
    fake.ledger.say(CUSTOMER, BRAND, "one more")

    second = await x.fetch(listened(account, first.cursor))

    assert texts(first) == [str(number) for number in range(250)]
    assert texts(second) == ["one more"]
    assert sum(call == "GET /2/dm_events" for call in fake.calls) == 1


async def test_a_foreign_cursor_begins_anew(x: XConnector, fake: FakeX) -> None:
    fake.ledger.add(CUSTOMER, "@acme hello")

    for cursor in ("0 0", "[1]", "{}", '{"m": "x"}', "null", "[" * 100_000):
        assert texts(await x.fetch(listened(account_of(fake), cursor))) == ["@acme hello"]


async def test_nothing_from_before_the_channel_is_brought(x: XConnector, fake: FakeX) -> None:
    now = int(time.time() * 1000)
    for text, at_ms in (("old", now - 2 * HOUR_MS), ("new", now - HOUR_MS)):
        fake.ledger.add(CUSTOMER, f"@acme {text}", at_ms=at_ms)
        fake.ledger.add(STRANGER, f"rival {text}", at_ms=at_ms)
        fake.ledger.say(CUSTOMER, BRAND, text, at_ms=at_ms)
    channel = listened(account_of(fake), since=now - HOUR_MS - 60_000, keywords=("rival",))

    page = await x.fetch(channel)

    assert sorted(texts(page)) == ["@acme new", "new", "rival new"]


async def test_keywords_and_handles_are_searched_and_own_posts_are_not(
    x: XConnector, fake: FakeX
) -> None:
    fake.ledger.user("4", "rival")
    fake.ledger.add(CUSTOMER, "my Acme phone broke")
    fake.ledger.add(CUSTOMER, "@rival your phone broke")
    fake.ledger.add(CUSTOMER, "@acme and acme phone")
    fake.ledger.add(BRAND, "the acme phone is here")
    fake.ledger.add(STRANGER, "RT acme phone", reposted=5)
    fake.ledger.add(STRANGER, "acmephone")
    channel = listened(account_of(fake), keywords=("acme phone",), handles=("@rival", "@acme"))

    found = texts(await x.fetch(channel))

    assert found == ["my Acme phone broke", "@rival your phone broke", "@acme and acme phone"]


async def test_the_own_handle_is_no_search(x: XConnector, fake: FakeX) -> None:
    fake.ledger.add(CUSTOMER, "@acme hello")

    page = await x.fetch(listened(account_of(fake), handles=("@Acme",)))

    assert texts(page) == ["@acme hello"]
    assert not any("search" in call for call in fake.calls)


async def test_a_search_older_than_a_week_is_no_error(x: XConnector, fake: FakeX) -> None:
    now = int(time.time() * 1000)
    fake.ledger.add(STRANGER, "acme", at_ms=now - 10 * 24 * HOUR_MS)
    channel = listened(account_of(fake), since=now - 30 * 24 * HOUR_MS, keywords=("acme",))

    assert texts(await x.fetch(channel)) == []


async def test_a_new_keyword_floods_an_old_channel_with_nothing_old(
    x: XConnector, fake: FakeX
) -> None:
    account, now = account_of(fake), int(time.time() * 1000)
    fake.ledger.add(STRANGER, "phone yesterday", at_ms=now - 24 * HOUR_MS)
    fake.ledger.add(CUSTOMER, "@acme hello", at_ms=now - HOUR_MS)
    first = await x.fetch(listened(account))
    fake.ledger.add(STRANGER, "phone now")

    second = await x.fetch(listened(account, first.cursor, keywords=("phone",)))

    assert texts(second) == ["phone now"]


async def test_messages_are_the_brands_own_and_private(x: XConnector, fake: FakeX) -> None:
    fake.ledger.say(CUSTOMER, BRAND, "psst & hush")
    fake.ledger.say(CUSTOMER, STRANGER, "nobody's business")
    fake.ledger.say(BRAND, CUSTOMER, "we listen")

    one, two = (await x.fetch(listened(account_of(fake)))).posts

    assert (one.text, one.visibility, one.is_own) == ("psst & hush", Visibility.PRIVATE, False)
    assert (one.thread_root, one.mentions) == (f"dm:{BRAND}-{CUSTOMER}", ("acme",))
    assert (two.text, two.is_own) == ("we listen", True)
    assert one.external_id.startswith("dm:")


async def test_messages_are_asked_for_once_a_minute_by_all_channels_of_an_account(
    x: XConnector, fake: FakeX
) -> None:
    account, cursor = account_of(fake), None
    for _ in range(5):
        cursor = (await x.fetch(listened(account, cursor))).cursor
        await x.fetch(listened(account, None, id="ch-2"))

    assert sum(call == "GET /2/dm_events" for call in fake.calls) == 1


async def test_every_channel_of_an_account_gets_its_messages(x: XConnector, fake: FakeX) -> None:
    account = account_of(fake)
    fake.ledger.say(CUSTOMER, BRAND, "psst")

    pages = [await x.fetch(listened(account, id=f"ch-{number}")) for number in range(3)]

    assert [texts(page) for page in pages] == [["psst"]] * 3
    assert sum(call == "GET /2/dm_events" for call in fake.calls) == 1


async def test_a_long_walk_is_taken_in_several_times(
    x: XConnector, fake: FakeX, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(x_reading, "MOST_BATCHES", 2)
    begin = int(time.time() * 1000) - HOUR_MS
    ids = [fake.ledger.add(CUSTOMER, f"@acme {n}", at_ms=begin + n).id for n in range(450)]
    account = account_of(fake, direct_messages=False)

    first = await x.fetch(listened(account))
    found = await read_all(x, listened(account, first.cursor))

    assert (first.posts, first.goes_on) == ([], True)
    assert [post.external_id for post in found] == [str(one) for one in ids]
    assert sum("mentions" in call for call in fake.calls) <= 6


async def test_an_account_without_messages_asks_for_none(x: XConnector, fake: FakeX) -> None:
    account = account_of(fake, direct_messages=False)

    await x.fetch(listened(account))

    assert "GET /2/dm_events" not in fake.calls
    assert x.capabilities(account).visibilities == {Visibility.PUBLIC}


@pytest.mark.parametrize("missing", ["consumer_key", "access_token", "user_id"])
async def test_an_account_that_is_not_set_up_is_unauthorised(
    x: XConnector, fake: FakeX, missing: str
) -> None:
    account = account_of(fake)
    account.credentials.pop(missing, None)
    account.settings.pop(missing, None)
    if missing == "user_id":
        account.settings["direct_messages"] = False

    with pytest.raises(NetworkTrouble) as trouble:
        await x.fetch(listened(account))

    assert trouble.value.trouble is Trouble.UNAUTHORISED


async def test_one_post_that_makes_no_sense_spares_its_neighbours(
    x: XConnector, fake: FakeX
) -> None:
    fake.ledger.add(CUSTOMER, "@acme before")
    broken = fake.ledger.add(CUSTOMER, "@acme broken", more={"created_at": "tomorrow"})
    fake.ledger.add(CUSTOMER, "@acme after")

    page = await x.fetch(listened(account_of(fake)))
    again = await x.fetch(listened(account_of(fake), page.cursor))

    assert texts(page) == ["@acme before", "@acme after"]
    (piece,) = page.unreadable
    assert isinstance(piece, Unreadable)
    assert (piece.code, piece.external_id) == ("created_at_unreadable", str(broken.id))
    assert not again.unreadable


async def test_an_edit_is_told_of_the_post_that_is_known(x: XConnector, fake: FakeX) -> None:
    account = account_of(fake)
    stored = fake.ledger.add(CUSTOMER, "@acme teh parcel")
    first = await x.fetch(listened(account))
    fake.ledger.edit(stored.id, "@acme the parcel")

    second = await x.fetch(listened(account, first.cursor))

    (change,) = second.changes
    assert (change.external_id, change.kind, change.text) == (
        str(stored.id),
        PostChangeKind.EDITED,
        "@acme the parcel",
    )
    assert [post.external_id for post in second.posts] == [str(stored.id)]


async def test_quotes_and_long_posts_are_read(x: XConnector, fake: FakeX) -> None:
    own = fake.ledger.add(BRAND, "our news")
    fake.ledger.add(CUSTOMER, f"@acme {'long ' * 100}end", quoted=own.id)

    (post,) = (await x.fetch(listened(account_of(fake)))).posts

    assert post.kind is PostKind.QUOTE
    assert post.text.endswith("end")


async def test_the_newer_vocabulary_is_asked_in_and_understood(x: XConnector, fake: FakeX) -> None:
    root = fake.ledger.add(CUSTOMER, "@acme one")
    fake.ledger.add(CUSTOMER, "@acme two", replied_to=root.id)

    page = await x.fetch(listened(account_of(fake, vocabulary="posts")))

    assert [post.in_reply_to for post in page.posts] == [None, str(root.id)]
