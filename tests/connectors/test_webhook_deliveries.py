"""Posts by signed webhook, judged by the reference library's signatures, one by one."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from connectors import standard_webhooks
from connectors.calls import new_client
from connectors.guard import STRICT
from connectors.webhook import WebhookConnector
from connectors.webhook_wire import page_from
from conversations.model import PostChangeKind, Visibility
from conversations.networks import Account, BadSignature, DeliveryRequest, Page
from tests.connectors.delivering import now_ms

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ACCOUNT = Account("ac-1", "webhook", {"reply_url": "https://x.example/"}, {"secret": SECRET})
POST = {"external_id": "p-1", "author": {"external_id": "c-1"}, "text": "hello"}


def post(**fields: Any) -> dict[str, Any]:
    return {**POST, **fields}


def page(*posts: Any, **beside: Any) -> Page:
    return page_from(json.dumps({"posts": posts, **beside}).encode())


def delivered(body: str, headers: dict[str, str], account: Account = ACCOUNT) -> Page:
    request = DeliveryRequest("POST", "https://parley.example/", headers, body.encode())
    return WebhookConnector(new_client(STRICT)).receive(account, request).pages[None]


def test_what_the_reference_library_signed_is_taken() -> None:
    body, now = json.dumps({"posts": [POST]}), datetime.now(UTC)
    signature = Webhook(SECRET).sign("msg_1", now, body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }

    (taken,) = delivered(body, headers).posts

    assert (taken.external_id, taken.text) == ("p-1", "hello")
    for spoilt in (headers | {"webhook-id": "msg_2"}, {}):
        with pytest.raises(BadSignature):
            delivered(body, spoilt)
    with pytest.raises(BadSignature):
        delivered(body, headers, Account("ac-1", "webhook", {}, {}))


def test_what_is_signed_with_an_empty_secret_is_anybodys() -> None:
    account = Account("ac-1", "webhook", {}, {"secret": "whsec_"})
    body = json.dumps({"posts": [POST]})
    forged = standard_webhooks.headers("whsec_", "msg-1", now_ms() // 1000, body.encode())

    with pytest.raises(BadSignature):
        delivered(body, forged, account)


def test_a_post_has_all_that_the_generic_door_takes() -> None:
    full = post(
        author={
            "external_id": "c-1",
            "handle": "@customer",
            "name": "C",
            "followers": 7,
            "verified": True,
            "created_at": "2020-01-01T00:00:00Z",
        },
        visibility="private",
        created_at="2026-01-02T03:04:05.678Z",
        in_reply_to="p-0",
        thread_root="p-0",
        url="https://x.example/1",
        media=[{"kind": "image", "url": "https://x.example/1.png", "alt_text": "a parcel"}, {}],
        language="en",
        location={"country": "AT", "lat": 48.2, "lon": 16.4},
        source_application="app",
    )

    (taken,) = page(full).posts

    assert taken.visibility is Visibility.PRIVATE
    assert taken.created_at == 1_767_323_045_678
    assert (taken.author.handle, taken.author.followers) == ("@customer", 7)
    assert taken.author.created_at == 1_577_836_800_000
    assert [medium.alt_text for medium in taken.media] == ["a parcel"]
    assert taken.location is not None
    assert (taken.in_reply_to, taken.thread_root) == ("p-0", "p-0")


def test_without_a_time_it_is_now_and_public() -> None:
    (taken,) = page(POST).posts

    assert abs(taken.created_at - now_ms()) < 10_000
    assert taken.visibility is Visibility.PUBLIC


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (7, "external_id_missing"),
        (post(external_id=""), "external_id_missing"),
        (post(external_id="x" * 256), "external_id_missing"),
        (post(author={}), "author_missing"),
        (post(author="c-1"), "author_missing"),
        (post(text=""), "empty_post"),
        (post(text="x" * 100_001), "text_too_long"),
        (post(text="\0"), "text_unreadable"),
        (post(text="\ud800"), "text_unreadable"),
        (post(visibility="secret"), "unknown_visibility"),
        (post(created_at="soon"), "created_at_unreadable"),
        (post(created_at=7), "created_at_unreadable"),
    ],
)
def test_a_post_that_makes_no_sense_spares_its_neighbours(wrong: Any, code: str) -> None:
    read = page(post(external_id="p-0"), wrong, post(external_id="p-2"))

    assert [one.external_id for one in read.posts] == ["p-0", "p-2"]
    assert [piece.code for piece in read.unreadable] == [code]


def test_our_own_reply_is_known_by_its_id() -> None:
    (echo,) = page(post(reply_id="re_1")).posts

    assert (echo.is_own, echo.own_reply_id) == (True, "re_1")


def test_edits_and_deletions_come_beside_the_posts() -> None:
    at = "2026-01-02T03:04:05Z"
    read = page(
        changes=[
            {"external_id": "p-1", "kind": "edited", "at": at, "text": "better"},
            {"external_id": "p-2", "kind": "deleted"},
            {"external_id": "p-3", "kind": "liked"},
            {"kind": "deleted"},
        ]
    )

    told = [(one.external_id, one.kind, one.text) for one in read.changes]
    assert told == [
        ("p-1", PostChangeKind.EDITED, "better"),
        ("p-2", PostChangeKind.DELETED, None),
    ]
    codes = [piece.code for piece in read.unreadable]
    assert codes == ["unknown_change", "external_id_missing"]


def test_edits_and_deletions_come_without_posts_too() -> None:
    read = page_from(b'{"changes": [{"external_id": "p-1", "kind": "deleted"}]}')

    assert ([one.external_id for one in read.changes], list(read.unreadable)) == (["p-1"], [])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xff\xfe", "not_a_page"),
        (b'{"changes": 7}', "not_a_page"),
        (b'{"posts": 7, "changes": []}', "not_a_page"),
        (json.dumps({"posts": [], "changes": [POST] * 501}).encode(), "too_many_changes"),
        (b"[]", "not_a_page"),
        (b"{}", "not_a_page"),
        (b'{"posts": 7}', "not_a_page"),
        (json.dumps({"posts": [POST] * 501}).encode(), "too_many_posts"),
    ],
)
def test_what_is_no_page_is_quarantined_whole(body: bytes, code: str) -> None:
    assert [piece.code for piece in page_from(body).unreadable] == [code]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from([*POST, "created_at", "media", "location", "visibility", "changes"])


@given(st.lists(st.dictionaries(NAMES, JSON, max_size=6) | JSON, max_size=4), JSON)
def test_no_json_is_an_error_and_none_is_lost(entries: list[Any], changes: Any) -> None:
    read = page(*entries, changes=changes)

    wrong_changes = len(changes) - len(read.changes) if isinstance(changes, list) else 0
    assert len(read.posts) + len(read.unreadable) - wrong_changes == len(entries)
