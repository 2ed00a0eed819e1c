"""What X brings by webhook: signatures, its challenge, both kinds of payload."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.x.connector import XConnector
from conversations.model import PostChangeKind, PostKind, Visibility
from conversations.networks import Account, BadSignature, DeliveryRequest, Page
from tests.connectors.x.account import account_of, listened, signed
from tests.fakes.x import BRAND, CREDENTIALS, CUSTOMER, FakeX

OTHER_BRAND = "4444444444"
USER = {
    "id": CUSTOMER,
    "username": "jo",
    "name": "Jo",
    "verified": False,
    "created_at": "2026-04-20T19:55:59.000Z",
    "public_metrics": {"followers_count": 97, "followers_count_str": "97"},
}
BRAND_USER = {"id": BRAND, "username": "Acme", "name": "Acme"}
POST = {
    "id": "2080765813578191303",
    "text": "hey @acme",
    "author_id": CUSTOMER,
    "created_at": "2026-07-24T21:23:23.000Z",
    "conversation_id": "2080765813578191303",
    "edit_history_tweet_ids": ["2080765813578191303"],
    "lang": "und",
    "entities": {"mentions": [{"username": "acme", "id": BRAND}]},
}
STATUS = {
    "id_str": "2080765813578191303",
    "created_at": "Fri Jul 24 21:23:23 +0000 2026",
    "timestamp_ms": "1784928203441",
    "text": "hey @acme it&#39;s &amp; see https://t.co/aaaaaaaaaa",
    "source": '<a href="https://x.com" rel="nofollow">X for iPhone</a>',
    "lang": "en",
    "in_reply_to_status_id_str": "2080761390344937796",
    "in_reply_to_user_id_str": BRAND,
    "user": {
        "id_str": CUSTOMER,
        "screen_name": "jo",
        "name": "Jo",
        "followers_count": 97,
        "verified": False,
        "created_at": "Mon Apr 20 19:55:59 +0000 2026",
        "profile_image_url_https": "https://pbs.example/jo.png",
    },
    "entities": {
        "urls": [{"url": "https://t.co/aaaaaaaaaa", "expanded_url": "https://acme.example/"}],
        "user_mentions": [{"screen_name": "acme"}],
    },
    "extended_entities": {
        "media": [
            {
                "id_str": "9",
                "type": "photo",
                "media_url_https": "https://pbs.example/9.png",
                "url": "https://t.co/cccccccccc",
                "ext_alt_text": "a parcel",
            }
        ]
    },
}
MESSAGE = {
    "type": "message_create",
    "id": "2080765901528535096",
    "created_timestamp": "1784928224372",
    "message_create": {
        "target": {"recipient_id": BRAND},
        "sender_id": CUSTOMER,
        "message_data": {"text": "hello!", "entities": {"urls": []}},
    },
}


@pytest.fixture
def account() -> Account:
    return account_of(FakeX())


def event(kind: str, payload: dict[str, Any], user_id: str = BRAND, **more: Any) -> dict[str, Any]:
    """Return an envelope of X Activity."""
    fields = {"event_uuid": "1", "filter": {"user_id": user_id}, "event_type": kind, **more}
    return {"data": {**fields, "payload": payload}}


def page(x: XConnector, account: Account, body: dict[str, Any] | bytes) -> Page:
    (one,) = x.receive(account, signed(body)).pages.values()
    return one


@pytest.mark.parametrize(
    "kind", ["post.mention.create", "post.reply.create", "post.quote.create", "post.create"]
)
def test_an_activity_brings_a_post(x: XConnector, account: Account, kind: str) -> None:
    body = event(kind, POST, includes={"users": [USER]})

    pages = x.receive(account, signed(body)).pages

    ((post,),) = (one.posts for one in pages.values())
    assert list(pages) == [BRAND]
    assert (post.external_id, post.text, post.mentions) == (POST["id"], "hey @acme", ("acme",))
    assert (post.author.handle, post.author.followers, post.language) == ("jo", 97, None)
    assert not post.is_own


def test_a_reply_that_names_nobody_is_still_for_the_brand(x: XConnector, account: Account) -> None:
    answer = {
        **POST,
        "text": "but why?",
        "entities": {},
        "in_reply_to_tweet_id": "2080761390344937796",
    }

    (post,) = page(x, account, event("post.reply.create", answer)).posts

    assert (post.in_reply_to, post.mentions) == ("2080761390344937796", ("acme",))
    assert post.author.handle is None


def test_own_posts_and_messages_are_known(x: XConnector, account: Account) -> None:
    sent = {**MESSAGE, "message_create": {**MESSAGE["message_create"], "sender_id": BRAND}}  # type: ignore[dict-item]

    (post,) = page(x, account, event("post.create", {**POST, "author_id": BRAND})).posts
    (message,) = page(x, account, event("dm.sent", {"direct_message_events": [sent]})).posts

    assert post.is_own
    assert message.is_own


def test_a_delivery_for_another_account_is_addressed_to_it(x: XConnector, account: Account) -> None:
    body = event(
        "post.mention.create",
        POST | {"entities": {}},
        OTHER_BRAND,
        includes={"users": [USER, {"id": OTHER_BRAND, "username": "Other"}]},
    )

    ((address, one),) = x.receive(account, signed(body)).pages.items()

    assert address == OTHER_BRAND
    assert one.posts[0].mentions == ("other",)
    own = event("post.create", {**POST, "author_id": OTHER_BRAND}, OTHER_BRAND)
    assert page(x, account, own).posts[0].is_own


def test_a_message_is_the_same_brought_and_listed(x: XConnector, account: Account) -> None:
    users = {CUSTOMER: {"data": USER}, BRAND: {"data": BRAND_USER}}
    payload = {"direct_message_events": [MESSAGE], "users": users}
    legacy = {"for_user_id": BRAND, "direct_message_events": [MESSAGE], "users": {CUSTOMER: USER}}

    (post,) = page(x, account, event("dm.received", payload)).posts
    (other,) = page(x, account, legacy).posts

    assert post == other
    assert (post.external_id, post.thread_root) == (
        "dm:2080765901528535096",
        f"dm:{BRAND}-{CUSTOMER}",
    )
    assert (post.visibility, post.created_at) == (Visibility.PRIVATE, 1_784_928_224_372)
    assert (post.author.handle, post.mentions) == ("jo", ("acme",))


def test_a_picture_in_a_message_is_kept(x: XConnector, account: Account) -> None:
    medium = {"id_str": "7", "type": "photo", "media_url_https": "https://ton.example/7.png"}
    data = {"text": "look", "attachment": {"type": "media", "media": medium}}
    message = {**MESSAGE, "message_create": {"sender_id": CUSTOMER, "message_data": data}}

    (post,) = page(x, account, event("dm.received", {"direct_message_events": [message]})).posts

    assert [(one.kind, one.url) for one in post.media] == [("image", "https://ton.example/7.png")]


def test_account_activity_brings_a_post_in_the_older_shape(x: XConnector, account: Account) -> None:
    body = {"for_user_id": BRAND, "tweet_create_events": [STATUS]}

    (post,) = page(x, account, body).posts

    assert post.text == "hey @acme it&#39;s & see https://acme.example/"
    assert (post.in_reply_to, post.created_at) == ("2080761390344937796", 1_784_928_203_441)
    assert (post.source_application, post.mentions) == ("X for iPhone", ("acme",))
    assert [(one.url, one.alt_text) for one in post.media] == [
        ("https://pbs.example/9.png", "a parcel")
    ]
    assert (post.author.followers, post.author.created_at) == (97, 1_776_714_959_000)


def test_a_long_post_of_the_older_shape_is_whole(x: XConnector, account: Account) -> None:
    whole = {"full_text": "all of it", "entities": {}}
    status = {**STATUS, "truncated": True, "extended_tweet": whole}
    quote = {**STATUS, "quoted_status_id_str": "5"}
    repost = {**STATUS, "retweeted_status": {"id_str": "5"}}

    def read(one: dict[str, Any]) -> Any:
        return page(x, account, {"for_user_id": BRAND, "tweet_create_events": [one]}).posts[0]

    assert read(status).text == "all of it"
    assert read(quote).kind is PostKind.QUOTE
    assert read(repost).kind is PostKind.REPOST


def test_deletions_are_told(x: XConnector, account: Account) -> None:
    deleted = {"status": {"id": "5", "user_id": BRAND}, "timestamp_ms": "1432228155593"}
    legacy = {"for_user_id": BRAND, "tweet_delete_events": [deleted]}

    (one,) = page(x, account, event("post.delete", {"id": "5", "author_id": BRAND})).changes
    (other,) = page(x, account, legacy).changes

    assert (one.external_id, one.kind, one.text) == ("5", PostChangeKind.DELETED, None)
    assert replace(one, at=0) == replace(other, at=0)
    assert other.at == 1_432_228_155_593


def test_an_edit_is_told(x: XConnector, account: Account) -> None:
    edited = {**POST, "edit_history_tweet_ids": ["2080765813578190000", POST["id"]]}

    one = page(x, account, event("post.mention.create", edited))

    assert [change.external_id for change in one.changes] == ["2080765813578190000"]


def test_a_like_is_told_with_who_gave_it(x: XConnector, account: Account) -> None:
    like = {
        "id": "87719f50ee17bdfa06a3089098a2b9ed",
        "timestamp_ms": "1784927565236",
        "liked_tweet_author_id": BRAND,
        "liked_tweet_id": "2079814480427442556",
    }
    body = event("like.create", like, includes={"users": [USER, BRAND_USER]})

    (post,) = page(x, account, body).posts

    assert (post.kind, post.in_reply_to) == (PostKind.LIKE, "2079814480427442556")
    assert post.author.handle == "jo"
    assert page(x, account, event("like.create", like)).posts == []


def test_what_only_xs_own_programs_can_read_is_named(x: XConnector, account: Account) -> None:
    one = page(x, account, event("chat.received", {"encoded_event": "CwABAAAA"}))

    assert [piece.code for piece in one.unreadable] == ["encrypted_chat"]


@pytest.mark.parametrize(
    "kind", ["dm.read", "dm.indicate_typing", "follow.follow", "profile.update.bio", "new.kind"]
)
def test_what_says_nothing_is_passed_over(x: XConnector, account: Account, kind: str) -> None:
    assert page(x, account, event(kind, {"id": "5"})) == Page(posts=[], unreadable=[], changes=[])


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"data": 5}',
        b'{"data": {"event_type": "post.create", "payload": 5}}',
        b'{"data": {"event_type": "dm.received", "payload": {"direct_message_events": [{}]}}}',
        b'{"for_user_id": "1111111111", "tweet_create_events": [{}]}',
    ],
)
def test_a_signed_body_that_makes_no_sense_is_quarantined(
    x: XConnector, account: Account, body: bytes
) -> None:
    one = page(x, account, body)

    assert len(one.unreadable) == 1
    assert not one.posts


@pytest.mark.parametrize(
    "body",
    [
        {"for_user_id": 5, "tweet_create_events": 5, "users": []},
        {"for_user_id": BRAND, "direct_message_events": [5], "users": {CUSTOMER: 5}},
        {"for_user_id": BRAND, "favorite_events": [{"user": 5}]},
        {"for_user_id": BRAND, "tweet_delete_events": [{"status": []}]},
        event("post.delete", {"id": {}}),
        event("like.create", {"id": 5}, includes=5),
        {"data": {"event_type": "dm.received", "filter": 5, "payload": []}},
    ],
)
def test_odd_shapes_break_nothing(x: XConnector, account: Account, body: dict[str, Any]) -> None:
    assert not page(x, account, body).posts


def test_times_of_the_end_of_time_break_nothing(x: XConnector, account: Account) -> None:
    for timestamp in ("0", "253402300799999", "9999999999999999999", "-1", "soon"):
        message = {**MESSAGE, "created_timestamp": timestamp}
        body = {"for_user_id": BRAND, "direct_message_events": [message]}
        assert len(page(x, account, body).posts) == 1


def _broken(request: DeliveryRequest) -> Iterator[DeliveryRequest]:
    good = request.headers["x-twitter-webhooks-signature"]
    yield replace(request, headers={})
    for header in ("", "sha256=", good[:-1], f"{good} ", good.upper(), "sha1=abc", "é", "sha256=é"):
        yield replace(request, headers={"x-twitter-webhooks-signature": header})
    yield replace(request, body=request.body + b" ")
    yield replace(request, body=json.dumps(json.loads(request.body), indent=1).encode())
    yield replace(request, body=b"")


def test_what_x_did_not_sign_is_refused(x: XConnector, account: Account) -> None:
    for forged in _broken(signed(event("post.create", POST))):
        with pytest.raises(BadSignature):
            x.receive(account, forged)


@pytest.mark.parametrize("secret", [None, "", 5, "another"])
def test_another_secret_or_none_holds_no_signature(
    x: XConnector, account: Account, secret: object
) -> None:
    account.credentials["consumer_secret"] = secret

    with pytest.raises(BadSignature):
        x.receive(account, signed(event("post.create", POST)))


def test_the_challenge_is_answered_as_x_wants_it(x: XConnector, account: Account) -> None:
    secret = CREDENTIALS["consumer_secret"].encode()
    digest = base64.b64encode(hmac.digest(secret, b"MTY4Li4u", hashlib.sha256)).decode()

    answer = x.greet(account, _challenge("MTY4Li4u"))

    assert json.loads(answer.body) == {"response_token": f"sha256={digest}"}
    assert answer.media_type == "application/json"


@pytest.mark.parametrize("token", ['{"data": {}}', "", "a b", "x" * 300, "{", "é", "<script>"])
def test_a_challenge_that_could_be_a_delivery_is_not_signed(
    x: XConnector, account: Account, token: str
) -> None:
    with pytest.raises(BadSignature):
        x.greet(account, _challenge(token))


def test_who_has_no_secret_proves_nothing(x: XConnector, account: Account) -> None:
    account.credentials.clear()

    with pytest.raises(BadSignature):
        x.greet(account, _challenge("abc"))


def test_a_delivery_names_the_setting_that_finds_its_account(x: XConnector) -> None:
    assert (x.address_setting, x.signing_setting) == ("user_id", "consumer_secret")
    assert {"user_id", "consumer_secret"} <= {setting.name for setting in x.settings}
    assert listened(account_of(FakeX())).account.network == x.network


def _challenge(token: str) -> DeliveryRequest:
    return DeliveryRequest("GET", "https://parley.example/d", {}, query={"crc_token": token})
