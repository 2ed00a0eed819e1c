import json
from typing import Any

import pytest

from connectors.x.text import are_the_same, plain
from connectors.x.wire import Found, found_from, includes_of
from conversations.model import Media, Post, PostChange, PostChangeKind, PostKind, Unreadable
from tests.connectors.x.account import US
from tests.fakes.x import BRAND, CUSTOMER

POST: dict[str, Any] = {
    "id": "2080765813578191303",
    "text": "hey @acme &lt;3 &amp;amp; https://t.co/aaaaaaaaaa https://t.co/bbbbbbbbbb",
    "author_id": CUSTOMER,
    "created_at": "2026-07-24T21:23:23.000Z",
    "conversation_id": "2080761390344937796",
    "lang": "en",
    "source": "X Web App",
    "edit_history_tweet_ids": ["2080765813578191303"],
    "attachments": {"media_keys": ["3_1", "7_2"]},
    "geo": {"place_id": "p1", "coordinates": {"type": "Point", "coordinates": [13.4, 52.5]}},
    "referenced_tweets": [{"type": "replied_to", "id": "2080761390344937796"}],
    "entities": {
        "urls": [
            {"url": "https://t.co/aaaaaaaaaa", "expanded_url": "https://acme.example/a?b=1&c=2"},
            {
                "url": "https://t.co/bbbbbbbbbb",
                "expanded_url": "https://x.com/jo/status/1/photo/1",
                "media_key": "3_1",
            },
        ],
        "mentions": [{"username": "acme", "id": BRAND}],
    },
}
INCLUDES = includes_of(
    {
        "users": [
            {
                "id": CUSTOMER,
                "username": "jo",
                "name": "Jo",
                "verified": True,
                "location": "Berlin",
                "created_at": "2015-03-01T10:00:00.000Z",
                "profile_image_url": "https://pbs.example/jo.png",
                "public_metrics": {"followers_count": 97},
            }
        ],
        "media": [
            {
                "media_key": "3_1",
                "type": "photo",
                "url": "https://pbs.example/1.png",
                "alt_text": "a parcel",
            },
            {
                "media_key": "7_2",
                "type": "video",
                "preview_image_url": "https://pbs.example/2.png",
                "variants": [
                    {"content_type": "application/x-mpegURL", "url": "https://v.example/l.m3u8"},
                    {"content_type": "video/mp4", "bit_rate": 1, "url": "https://v.example/1.mp4"},
                    {"content_type": "video/mp4", "bit_rate": 9, "url": "https://v.example/9.mp4"},
                ],
            },
        ],
        "places": [{"id": "p1", "full_name": "Mitte, Berlin", "country_code": "DE"}],
    }
)


def found(**changed: Any) -> Found:
    return found_from({**POST, **changed}, INCLUDES, US)


def read(**changed: Any) -> Post:
    post = found(**changed).post
    assert isinstance(post, Post), post
    return post


def refused(**changed: Any) -> Unreadable:
    piece = found(**changed).post
    assert isinstance(piece, Unreadable), piece
    return piece


def test_a_post_is_read_with_all_that_is_known_of_it() -> None:
    post = read()

    assert post.text == "hey @acme <3 &amp; https://acme.example/a?b=1&c=2"
    assert post.external_id == "2080765813578191303"
    assert post.created_at == 1_784_928_203_000
    assert (post.in_reply_to, post.thread_root) == ("2080761390344937796", "2080761390344937796")
    assert post.url == "https://x.com/jo/status/2080765813578191303"
    assert (post.language, post.source_application) == ("en", "X Web App")
    assert post.media == (
        Media("image", "https://pbs.example/1.png", "a parcel"),
        Media("video", "https://v.example/9.mp4", None, "video/mp4"),
    )
    assert post.location is not None
    assert (post.location.country, post.location.place) == ("DE", "Mitte, Berlin")
    assert (post.location.lat, post.location.lon) == (52.5, 13.4)
    author = post.author
    assert (author.handle, author.name, author.followers, author.verified) == ("jo", "Jo", 97, True)
    assert (author.location, author.created_at) == ("Berlin", 1_425_204_000_000)
    assert post.mentions == ("acme",)
    assert (post.kind, post.is_own) == (PostKind.POST, False)


def test_the_newer_vocabulary_says_the_same() -> None:
    newer = json.loads(
        json.dumps(POST)
        .replace("referenced_tweets", "referenced_posts")
        .replace("edit_history_tweet_ids", "edit_history_post_ids")
    )
    long = {**newer, "note_post": {"text": "all of it"}}

    assert found_from(newer, INCLUDES, US) == found()
    post = found_from(long, INCLUDES, US).post
    assert isinstance(post, Post)
    assert post.text == "all of it"


def test_a_long_post_is_read_to_its_end_with_its_own_links() -> None:
    links = [{"url": "https://t.co/cccccccccc", "expanded_url": "https://acme.example/long"}]
    note = {"text": "long https://t.co/cccccccccc", "entities": {"urls": links}}

    assert read(note_tweet=note).text == "long https://acme.example/long"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("quoted", PostKind.QUOTE), ("retweeted", PostKind.REPOST), ("replied_to", PostKind.POST)],
)
def test_what_a_post_refers_to_tells_its_kind(kind: str, expected: PostKind) -> None:
    assert read(referenced_tweets=[{"type": kind, "id": "5"}]).kind is expected


def test_an_edited_post_stays_known_by_its_first_id() -> None:
    edited = found(edit_history_tweet_ids=["2080765813578190000", POST["id"]])

    assert isinstance(edited.post, Post)
    assert edited.post.external_id == "2080765813578190000"
    assert edited.number == int(POST["id"])
    assert edited.change == PostChange(
        "2080765813578190000", PostChangeKind.EDITED, edited.post.created_at, edited.post.text
    )
    assert found().change is None


def test_own_posts_are_known_by_the_users_number() -> None:
    assert read(author_id=BRAND).is_own
    assert not read().is_own


def test_an_answer_to_the_brand_is_for_it_without_naming_it() -> None:
    assert read(entities={}, in_reply_to_user_id=BRAND).mentions == ("acme",)
    assert read(entities={}, in_reply_to_user_id=CUSTOMER).mentions == ()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"id": None}, "id_missing"),
        ({"id": "12345678901234567890"}, "id_missing"),
        ({"id": 5}, "id_missing"),
        ({"author_id": None}, "author_missing"),
        ({"text": None}, "text_missing"),
        ({"text": "\0"}, "text_unreadable"),
        ({"text": "\ud800"}, "text_unreadable"),
        ({"text": "x" * 1_000_000}, "text_too_long"),
        ({"created_at": "yesterday"}, "created_at_unreadable"),
        ({"created_at": 7}, "created_at_unreadable"),
        ({"created_at": "99999-01-01T00:00:00Z"}, "created_at_unreadable"),
    ],
)
def test_what_every_post_has_is_insisted_on(changed: dict[str, Any], code: str) -> None:
    assert refused(**changed).code == code


@pytest.mark.parametrize(
    "changed",
    [
        {"geo": 5},
        {"geo": {"coordinates": {"coordinates": ["a", None]}}},
        {"geo": {"coordinates": {"coordinates": [500, 500]}}},
        {"attachments": []},
        {"attachments": {"media_keys": [{}, 5, "none"]}},
        {"referenced_tweets": "no"},
        {"referenced_tweets": [5, {"type": "replied_to"}, {"type": [], "id": "x"}]},
        {"entities": [1]},
        {"entities": {"urls": [5, {"url": 5}], "mentions": [{"username": 5}]}},
        {"lang": {}},
        {"conversation_id": 5},
        {"edit_history_tweet_ids": [None]},
        {"source": "\ud800"},
    ],
)
def test_an_adornment_that_makes_no_sense_is_left_out(changed: dict[str, Any]) -> None:
    assert read(**changed).external_id == POST["id"]


@pytest.mark.parametrize("entry", [None, 5, "post", [], [[]], {}, {"id": {}}])
def test_what_is_no_post_at_all_is_quarantined(entry: object) -> None:
    assert isinstance(found_from(entry, INCLUDES, US).post, Unreadable)


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
def test_any_moment_of_the_calendar_is_a_moment(moment: str) -> None:
    assert isinstance(read(created_at=moment).created_at, int)


def test_a_post_without_its_time_has_that_of_its_id() -> None:
    timeless = {name: value for name, value in POST.items() if name != "created_at"}

    post = found_from(timeless, INCLUDES, US).post

    assert isinstance(post, Post)
    assert abs(post.created_at - 1_784_928_203_000) < 1_000


@pytest.mark.parametrize("code", ["und", "zxx", "qme"])
def test_a_language_that_is_none_is_left_out(code: str) -> None:
    assert read(lang=code).language is None


def test_escapes_are_undone_once() -> None:
    assert plain("1 &lt; 2 &amp;lt; 3 &copy;", None) == "1 < 2 &lt; 3 &copy;"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("we are on it", "@jo we are on it"),
        ("we are on it", "@jo @kim  we are on it "),
        ("see acme.example", "@jo see http://acme.example"),
        ("see https://acme.example/", "see https://acme.example"),
        ("e\u0301", "\u00e9"),
        ("@jo hello", "@jo hello"),
        ("a\n\nb", "a\nb"),
    ],
)
def test_a_text_is_known_again_however_x_writes_it(ours: str, theirs: str) -> None:
    assert are_the_same(ours, theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("yes", "@jo yes!"), ("ask @jo", "ask @kim"), ("", "@jo a"), ("1", "11")]
)
def test_another_text_is_another(ours: str, theirs: str) -> None:
    assert not are_the_same(ours, theirs)
