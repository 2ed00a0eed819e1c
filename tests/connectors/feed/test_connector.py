import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from connectors.feed.connector import MOST_SEEN, cursor_from
from connectors.feed.wire import Feed, entries_from, moment_of
from connectors.feed.xml import NotAFeed, read_feed
from conversations.model import Post, PostChangeKind, Unreadable
from conversations.networks import Account, NetworkTrouble, Page, Trouble
from conversations.replies import Certainty
from tests.connectors.conftest import listened
from tests.connectors.delivering import now_ms, reply_to
from tests.connectors.peers import feed as feed_peer
from tests.connectors.peers.feed import ATOM, FeedPeer

NOW = 1_790_000_000_000
URL = "https://blog.example/feed"
RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Blog</title>
<link>https://blog.example/</link><language>en</language>%s</channel></rss>"""
ITEM = """<item><title>Late &amp; lost</title><link>https://blog.example/1</link>
<guid isPermaLink="false">https://blog.example/?p=1</guid><dc:creator>ana</dc:creator>
<pubDate>Tue, 03 Nov 2026 10:00:00 +0100</pubDate><description>short</description>
<content:encoded><![CDATA[<p>My <b>order</b> is late</p><script>x</script>]]></content:encoded>
<enclosure url="https://blog.example/a.mp3" type="audio/mpeg" length="1"/></item>"""
XHTML = """<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>one</p>
<p>two</p></div></content>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://blog.example/"><title>Blog</title></channel>
<item rdf:about="https://blog.example/9"><title>Nine</title><link>https://blog.example/9</link>
<description>words</description><dc:date>2026-11-03T10:00:00+01:00</dc:date></item></rdf:RDF>"""


def entries(
    document: str | bytes, *, is_comments: bool = False, own_author: str = ""
) -> list[Post | Unreadable]:
    body = document if isinstance(document, bytes) else document.encode()
    feed = Feed(read_feed(body), URL, is_comments=is_comments, own_author=own_author)
    return [entry.found for entry in entries_from(feed, NOW)]


def only(document: str | bytes, *, is_comments: bool = False, own_author: str = "") -> Post:
    (found,) = entries(document, is_comments=is_comments, own_author=own_author)
    assert isinstance(found, Post), found
    return found


def test_an_item_of_rss_is_a_post() -> None:
    post = only(RSS % ITEM)

    assert post.external_id == "https://blog.example/?p=1"
    assert post.text == "Late & lost\n\nMy order is late"
    assert (post.author.external_id, post.author.name) == ("ana", "ana")
    assert post.created_at == 1_793_696_400_000
    assert (post.url, post.thread_root) == ("https://blog.example/1", "https://blog.example/1")
    assert [(m.kind, m.mime_type) for m in post.media] == [("audio", "audio/mpeg")]
    assert post.language == "en"


def test_an_item_of_rdf_is_a_post() -> None:
    post = only(RDF)

    assert post.external_id == "https://blog.example/9"
    assert post.text == "Nine\n\nwords"
    assert post.created_at == 1_793_696_400_000


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<content>a &lt; b &lt;p></content>", "a < b <p>"),
        ('<content type="text">a &lt; b</content>', "a < b"),
        ('<content type="html">&lt;p>one&lt;/p>&lt;p>two&lt;/p></content>', "one\n\ntwo"),
        (
            XHTML,
            "one\n\ntwo",
        ),
        ("<summary>only this</summary>", "only this"),
    ],
)
def test_an_entry_of_atom_says_its_words_in_several_ways(content: str, text: str) -> None:
    post = only(f"<feed {ATOM}><entry><id>x</id>{content}</entry></feed>")

    assert post.text == text


def test_a_comment_answers_its_article() -> None:
    item = "<item><title>By: ana</title><link>https://blog.example/1#comment-5</link>"
    item += "<guid>https://blog.example/1#comment-5</guid><description>Me too</description></item>"

    post = only(RSS % item, is_comments=True)

    assert post.text == "Me too"
    assert post.in_reply_to == post.thread_root == "https://blog.example/1"


def test_a_comment_may_say_what_it_answers() -> None:
    entry = '<entry><id>c2</id><content>no</content><link href="https://blog.example/1#c2"/>'
    entry += (
        '<thr:in-reply-to xmlns:thr="http://purl.org/syndication/thread/1.0" ref="c1"/></entry>'
    )

    post = only(f"<feed {ATOM}>{entry}</feed>", is_comments=True)

    assert (post.in_reply_to, post.thread_root) == ("c1", "https://blog.example/1")


def test_the_brands_own_articles_are_its_own() -> None:
    assert only(RSS % ITEM, own_author="Ana").is_own
    assert not only(RSS % ITEM, own_author="bob").is_own


def test_an_entry_without_an_id_is_the_same_each_time() -> None:
    bare = "<item><title>t</title><description>%s</description></item>"

    first, second = only(RSS % (bare % "a")), only(RSS % (bare % "b"))

    assert first.external_id == second.external_id
    assert first.external_id.startswith("sha256:")
    long = only(RSS % f"<item><guid>{'x' * 900}</guid><title>t</title></item>")
    assert long.external_id.startswith("sha256:")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Tue, 03 Nov 2026 10:00:00 GMT", 1_793_700_000_000),
        ("Tue, 03 Nov 2026 10:00 EST", 1_793_718_000_000),
        ("3 Nov 26 10:00:00 +0000", 1_793_700_000_000),
        ("2026-11-03T10:00:00Z", 1_793_700_000_000),
        ("2026-11-03T10:00:00.5+00:00", 1_793_700_000_500),
        ("2026-11-03 10:00:00", 1_793_700_000_000),
        ("2026-11-03", 1_793_664_000_000),
        ("03.11.2026 10:00", 1_793_700_000_000),
        ("November 3, 2026", 1_793_664_000_000),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ("yesterday", None),
        ("", None),
        ("x" * 100_000, None),
        ("Tue, 99 Nov 99999 99:99:99 +9999", None),
    ],
)
def test_dates_of_all_kinds_are_read(text: str, moment: int | None) -> None:
    assert moment_of(text) == moment


def test_entries_come_oldest_first_and_a_repeated_one_once() -> None:
    dated = (
        "<item><guid>{0}</guid><title>{0}</title><pubDate>{0} Nov 2026 10:00 GMT</pubDate></item>"
    )
    document = RSS % "".join(dated.format(day) for day in (9, 3, 5, 3))

    found = [entry.external_id for entry in entries(document) if isinstance(entry, Post)]

    assert found == ["3", "5", "9"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"not xml",
        b"<html><body>hello</body></html>",
        b"<rss><channel>",
        b"[]",
        b"<" * 100_000,
        b"<rss>" + b"<a>" * 100_000,
        b'<!DOCTYPE rss [<!ENTITY a "aaaa">]><rss><channel>&a;</channel></rss>',
        b'<!DOCTYPE rss SYSTEM "http://169.254.169.254/x"><rss/>',
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>',
        b'<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><rss>&b;&broken</rss>',
    ],
)
def test_what_is_no_feed_is_refused_and_nothing_is_expanded(body: bytes) -> None:
    begin = time.thread_time()

    with pytest.raises(NotAFeed):
        read_feed(body)

    assert time.thread_time() - begin < 3


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ((RSS % "<item><title>Tom & Ana&nbsp;&copy; &bogus; &#65;</title></item>").encode(), None),
        ((RSS % "<item><title>größe</title></item>").encode("cp1252"), "größe"),
        (
            (RSS % "<item><title>größe</title></item>")
            .replace("utf-8", "iso-8859-1")
            .encode("latin-1"),
            "größe",
        ),
        ((RSS % "<item><title>bell \x07 rings</title></item>").encode(), "bell rings"),
        (b"\xef\xbb\xbf" + (RSS % "<item><title>bom</title></item>").encode(), "bom"),
        (b"\n\n" + (RSS % "<item><title>late</title></item>").encode(), "late"),
        (
            (RSS % "<item><title>16</title></item>").replace("utf-8", "utf-16").encode("utf-16"),
            "16",
        ),
        ((RSS % "<item><title>x</title></item>").replace("utf-8", "nonsense").encode(), "x"),
    ],
)
def test_what_is_nearly_xml_is_mended(document: bytes, text: str | None) -> None:
    assert only(document).text == (text or "Tom & Ana © &bogus; A")


def test_one_bad_entry_spares_its_neighbours() -> None:
    found = entries(RSS % f"<item><guid>empty</guid></item>{ITEM}")

    assert sorted(type(one).__name__ for one in found) == ["Post", "Unreadable"]


def test_a_text_of_a_megabyte_is_cut() -> None:
    item = f"<item><guid>1</guid><description>{'x ' * 500_000}</description></item>"

    assert len(only(RSS % item).text) <= 100_000


@pytest_asyncio.fixture
async def peer(tmp_path: Path) -> AsyncIterator[FeedPeer]:
    async with feed_peer.peer(tmp_path) as one:
        assert isinstance(one, FeedPeer)
        yield one


async def fetched(
    peer: FeedPeer, cursor: str | None = None, limit: int = 10, account: Account | None = None
) -> Page:
    return await peer.connector.fetch(listened(account or peer.account, cursor, limit))


async def test_what_has_not_changed_is_not_sent_again(peer: FeedPeer) -> None:
    peer.server.write("hello")
    first = await fetched(peer)
    second = await fetched(peer, first.cursor)

    assert (len(first.posts), len(second.posts)) == (1, 0)
    assert second.cursor == first.cursor
    assert peer.server.statuses == [200, 304]


async def test_many_entries_come_page_by_page_without_loss(peer: FeedPeer) -> None:
    ids = [peer.server.write(f"words {number}") for number in range(25)]
    cursor, came = None, []
    while True:
        page = await fetched(peer, cursor)
        cursor = page.cursor
        came += [post.external_id for post in page.posts]
        if not page.goes_on:
            break

    assert came == ids
    assert (await fetched(peer, cursor)).posts == []


async def test_an_edited_entry_is_told_as_a_change(peer: FeedPeer) -> None:
    entry_id = peer.server.write("teh words")
    cursor = (await fetched(peer)).cursor
    peer.server.entries[0] = peer.server.entries[0].replace("teh", "the")

    page = await fetched(peer, cursor)
    again = await fetched(peer, page.cursor)

    assert page.posts == []
    (change,) = page.changes
    assert (change.external_id, change.kind) == (entry_id, PostChangeKind.EDITED)
    assert change.text == "Word\n\nthe words"
    assert not again.changes


async def test_an_entry_that_was_taken_back_is_told(peer: FeedPeer) -> None:
    grave = '<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="x"'
    grave += ' when="2026-11-03T10:00:00Z"/>'
    peer.server.documents["feed"] = f"<feed {ATOM}>{grave}</feed>".encode()

    (change,) = (await fetched(peer)).changes

    assert (change.external_id, change.kind) == ("x", PostChangeKind.DELETED)
    assert change.at == 1_793_700_000_000


async def test_entries_from_before_the_channel_are_none_of_its_business(peer: FeedPeer) -> None:
    peer.server.write("old")
    channel = replace(listened(peer.account), since=now_ms() + 60_000)

    page = await peer.connector.fetch(channel)

    assert page.posts == []
    assert (await fetched(peer, page.cursor)).posts == []


async def test_articles_and_comments_are_read_together(peer: FeedPeer) -> None:
    peer.server.documents["comments"] = (RSS % ITEM.replace("?p=1", "1#c1")).encode()
    peer.server.write("an article")
    settings = peer.account.settings
    both = {**settings, "comments_url": settings["url"].replace("/feed", "/comments")}

    page = await fetched(peer, account=replace(peer.account, settings=both))

    assert len(page.posts) == 2
    assert [post.in_reply_to is None for post in page.posts] == [True, False]


async def test_what_is_remembered_is_bounded(peer: FeedPeer) -> None:
    cursor: str | None = None
    for turn in range(3):
        numbers = range(turn * 900, turn * 900 + 900)
        items = "".join(f"<item><guid>{n}</guid><title>{n}</title></item>" for n in numbers)
        peer.server.documents["feed"] = (RSS % items).encode()
        cursor = (await fetched(peer, cursor, limit=1_000)).cursor

    assert len(cursor_from(cursor)["url"].seen) == MOST_SEEN
    assert len(cursor or "") < 60_000


@pytest.mark.parametrize("cursor", ["x", "[]", '{"url": 3}', '{"url": {"seen": [1]}}', "[" * 9_999])
async def test_a_foreign_cursor_begins_anew(peer: FeedPeer, cursor: str) -> None:
    peer.server.write("hello")

    assert len((await fetched(peer, cursor)).posts) == 1


async def test_a_login_goes_to_the_feeds_own_server_only(peer: FeedPeer) -> None:
    await fetched(peer)

    assert peer.server.asked[0]["authorization"].startswith("Basic ")
    assert "feed-password" not in json.dumps((await fetched(peer)).cursor)


@pytest.mark.parametrize(
    ("url", "trouble"),
    [
        ("http://169.254.169.254/feed", Trouble.DOWN),
        ("file:///etc/passwd", Trouble.DOWN),
        ("", Trouble.UNAUTHORISED),
    ],
)
async def test_an_address_that_nobody_should_ask_is_not_asked(
    peer: FeedPeer, url: str, trouble: Trouble
) -> None:
    account = replace(peer.account, settings={"url": url})

    with pytest.raises(NetworkTrouble) as told:
        await fetched(peer, account=account)

    assert told.value.trouble is trouble


async def test_nobody_can_be_answered(peer: FeedPeer) -> None:
    peer.server.write("hello")
    (post,) = (await fetched(peer)).posts

    outcome = await peer.connector.publish(peer.account, reply_to(post, peer, "hi"))

    assert outcome.certainty is Certainty.REJECTED
