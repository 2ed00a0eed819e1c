import json
import time
from typing import Any

import pytest

from connectors.mastodon.wire import (
    Ourselves,
    deletion_of,
    edit_from,
    notification_from,
    status_from,
    status_id_of,
)
from conversations.model import Post, PostChange, PostChangeKind, PostKind, Unreadable, Visibility
from tests.fakes.mastodon_ledger import MastodonLedger

CODES: dict[str, dict[str, Any]] = {
    "created_at_unreadable": {"created_at": "never"},
    "text_missing": {"content": None},
    "text_unreadable": {"content": "half of a pair \ud83d"},
    "text_too_long": {"content": "x" * 1_000_000},
    "unknown_visibility": {"visibility": "friends"},
    "author_missing": {"account": None},
    "id_missing": {"id": 7},
}


@pytest.fixture
def ledger() -> MastodonLedger:
    return MastodonLedger()


@pytest.fixture
def ours(ledger: MastodonLedger) -> Ourselves:
    return Ourselves(ledger.sign_up("acme"), "acme", ledger.host)


def shown(ledger: MastodonLedger, text: str, **more: Any) -> dict[str, Any]:
    author_id = more.pop("author_id", None) or ledger.sign_up("ana@elsewhere.example", bot=True)
    return ledger.status_json(ledger.post(author_id, text, **more))


def understood(entry: object, ours: Ourselves) -> Post:
    post = status_from(entry, ours)
    assert isinstance(post, Post), post
    return post


def test_markup_becomes_the_words_that_were_written(
    ledger: MastodonLedger, ours: Ourselves
) -> None:
    text = "@acme it is <late> & #broken\nsee https://shop.example/orders/1\n\nplease :blobcat:"

    post = understood(shown(ledger, text), ours)

    assert post.text == text
    assert post.mentions == ("acme", "acme@fake.example")


def test_a_warning_stands_before_the_words_and_choices_behind(
    ledger: MastodonLedger, ours: Ourselves
) -> None:
    choices = {"options": [{"title": "yes"}, {"title": "no"}, {"title": None}]}

    post = understood(
        shown(ledger, "is it you?", spoiler_text="angry", extra={"poll": choices}), ours
    )

    assert post.text == "angry\n\nis it you?\n\n• yes\n• no"


def test_what_adorns_a_post_is_read(ledger: MastodonLedger, ours: Ourselves) -> None:
    media = [
        {"type": "image", "url": "https://m.example/1.png", "description": "a broken cup"},
        {"type": "gifv", "url": None, "remote_url": "https://m.example/2.mp4"},
        {"type": "image", "url": "javascript:alert(1)"},
        "no medium",
    ]
    entry = shown(ledger, "look", media=media, application="Tusky", language="de")

    post = understood(entry, ours)

    assert [(m.kind, m.url, m.alt_text) for m in post.media] == [
        ("image", "https://m.example/1.png", "a broken cup"),
        ("video", "https://m.example/2.mp4", None),
    ]
    assert (post.source_application, post.language) == ("Tusky", "de")
    assert (post.author.handle, post.author.followers) == ("ana@elsewhere.example", 42)
    assert post.author.created_at == 1_661_558_400_000
    assert post.url == entry["url"]


@pytest.mark.parametrize(
    ("theirs", "visibility"),
    [
        ("public", Visibility.PUBLIC),
        ("unlisted", Visibility.PUBLIC),
        ("private", Visibility.PRIVATE),
        ("direct", Visibility.PRIVATE),
    ],
)
def test_only_what_all_may_read_is_public(
    ledger: MastodonLedger, ours: Ourselves, theirs: str, visibility: Visibility
) -> None:
    assert understood(shown(ledger, "psst", visibility=theirs), ours).visibility is visibility


def test_the_brands_own_post_is_known(ledger: MastodonLedger, ours: Ourselves) -> None:
    assert understood(shown(ledger, "hello", author_id=ours.id), ours).is_own


def test_a_quote_is_one(ledger: MastodonLedger, ours: Ourselves) -> None:
    entry = shown(ledger, "see this", extra={"quote": {"state": "accepted"}})

    assert understood(entry, ours).kind is PostKind.QUOTE


def test_likes_and_reposts_point_at_our_status(ledger: MastodonLedger, ours: Ourselves) -> None:
    status = ledger.post(ours.id, "our news")
    other = ledger.sign_up("bob")
    ledger.point("favourite", other, status.id)
    ledger.point("reblog", other, status.id)

    posts = [
        notification_from(ledger.notification_json(told), ours)
        for told in ledger.notifications[ours.id]
    ]

    kinds = [(p.kind, p.in_reply_to, p.text) for p in posts if isinstance(p, Post)]
    assert kinds == [(PostKind.LIKE, status.id, ""), (PostKind.REPOST, status.id, "")]
    assert {status_id_of(p.external_id) for p in posts if isinstance(p, Post)} == {status.id}


def test_a_follower_says_nothing(ours: Ourselves) -> None:
    assert notification_from({"id": "1", "type": "follow", "account": {"id": "2"}}, ours) is None


@pytest.mark.parametrize("code", CODES)
def test_what_makes_no_sense_is_quarantined_with_its_reason(
    ledger: MastodonLedger, ours: Ourselves, code: str
) -> None:
    piece = status_from(shown(ledger, "hello") | CODES[code], ours)

    assert isinstance(piece, Unreadable)
    assert piece.code == code
    assert "\0" not in piece.raw.encode("utf-8").decode()


@pytest.mark.parametrize("entry", [None, [], "x", 7, {"type": None}, {"type": "mention"}])
def test_what_is_no_notification_is_quarantined(ours: Ourselves, entry: object) -> None:
    assert isinstance(notification_from(entry, ours), Unreadable)


@pytest.mark.parametrize("year", ["1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
def test_times_far_away_are_times(ledger: MastodonLedger, ours: Ourselves, year: str) -> None:
    assert understood(shown(ledger, "x") | {"created_at": year}, ours).created_at >= 0


@pytest.mark.parametrize("piece", ["<a ", '<a class="', '<a class="mention ', "<span>", "&#"])
def test_hostile_markup_costs_little(ledger: MastodonLedger, ours: Ourselves, piece: str) -> None:
    content = piece * (390_000 // len(piece))
    begun = time.monotonic()

    status_from(shown(ledger, "x") | {"content": content}, ours)

    assert time.monotonic() - begun < 5


def test_an_edit_and_a_deletion_are_changes(ledger: MastodonLedger) -> None:
    author_id = ledger.sign_up("ana")
    status = ledger.post(author_id, "teh words")

    edited = edit_from(json.loads(json.dumps(ledger.status_json(ledger.edit(status.id, "the")))))
    deleted = deletion_of(status.id)

    assert isinstance(edited, PostChange)
    assert (edited.external_id, edited.kind, edited.text) == (
        status.id,
        PostChangeKind.EDITED,
        "the",
    )
    assert deleted is not None
    assert (deleted.external_id, deleted.kind) == (status.id, PostChangeKind.DELETED)
    assert deletion_of("undefined things") is None
