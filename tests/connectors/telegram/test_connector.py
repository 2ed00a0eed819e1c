import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors.telegram.wire import understood
from conversations.model import Post, PostChange, PostChangeKind, Unreadable, Visibility
from conversations.networks import (
    Account,
    BadSignature,
    DeliveryRequest,
    NetworkTrouble,
    Page,
    Trouble,
)
from conversations.replies import Certainty, Outcome, Reply
from tests.connectors.conftest import listened
from tests.connectors.delivering import now_ms, reply_to
from tests.connectors.peers import telegram as telegram_peer
from tests.connectors.peers.telegram import ANA, GROUP, TOKEN, TelegramPeer

PERSON = {"id": 42, "is_bot": False, "first_name": "Ana", "username": "ana", "language_code": "de"}
GROUP_CHAT = {"id": GROUP, "type": "supergroup", "title": "Help"}
MESSAGE: dict[str, Any] = {
    "message_id": 7,
    "from": PERSON,
    "chat": GROUP_CHAT,
    "date": 1_790_000_000,
    "text": "hello",
}
SECRET = "secret-of-the-webhook"


def read(**more: Any) -> Post | PostChange | Unreadable | None:
    kept = {k: v for k, v in {**MESSAGE, **more}.items() if v is not None}
    return understood({"update_id": 1, "message": kept}, "4711")


def post(**more: Any) -> Post:
    found = read(**more)
    assert isinstance(found, Post), found
    return found


def test_a_message_of_a_group_is_public_and_has_a_page() -> None:
    found = post(reply_to_message={"message_id": 5}, message_thread_id=3)

    assert found.external_id == f"{GROUP}:7"
    assert found.visibility is Visibility.PUBLIC
    assert (found.in_reply_to, found.thread_root) == (f"{GROUP}:5", f"{GROUP}:3")
    assert found.url == "https://t.me/c/1234567890/7"
    assert (found.author.handle, found.author.name, found.language) == ("ana", "Ana", "de")
    assert found.created_at == 1_790_000_000_000


def test_a_message_to_the_bot_is_private() -> None:
    found = post(chat={"id": 42, "type": "private"})

    assert (found.visibility, found.url) == (Visibility.PRIVATE, None)


def test_links_behind_words_are_shown_where_they_are() -> None:
    link = {"type": "text_link", "offset": 3, "length": 4, "url": "https://a.example"}

    assert post(text="😀 here and there", entities=[link]).text == (
        "😀 here (https://a.example) and there"
    )


def test_files_are_named_and_no_link_holds_the_token() -> None:
    file = {"file_id": "f1", "file_name": "a.pdf", "mime_type": "application/pdf"}

    found = post(text=None, caption="my invoice", document=file, photo=[{"file_id": "p"}])

    assert found.text == "my invoice"
    assert {(m.kind, m.alt_text) for m in found.media} == {("file", "a.pdf"), ("image", None)}
    assert all(m.url.startswith("telegram:") and "bot" not in m.url for m in found.media)


def test_what_is_neither_words_nor_file_is_told() -> None:
    poll = post(text=None, poll={"question": "When?"})
    place = post(text=None, location={"latitude": 48.1, "longitude": 11.5})

    assert poll.media[0].alt_text == "When?"
    assert place.location is not None
    assert place.location.lat == 48.1


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"from": None, "chat": {"id": "x"}}, "id_missing"),
        ({"message_id": True}, "id_missing"),
        ({"date": "now"}, "date_unreadable"),
        ({"date": 10**12}, "date_unreadable"),
        ({"text": 3}, "text_missing"),
        ({"text": "a\0"}, "text_unreadable"),
        ({"text": "\ud83d"}, "text_unreadable"),
        ({"text": "x" * 1_000_000}, "text_too_long"),
        ({"text": None}, "content_unknown"),
        ({"text": None, "hologram": {}}, "content_unknown"),
        ({"from": {"id": "42"}}, "author_missing"),
    ],
)
def test_what_cannot_be_understood_is_quarantined(more: dict[str, Any], code: str) -> None:
    found = read(**more)

    assert isinstance(found, Unreadable)
    assert found.code == code


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 1, "callback_query": {}},
        {"update_id": 1, "message": {**MESSAGE, "text": "", "new_chat_members": [PERSON]}},
        {"update_id": 1, "message": {**MESSAGE, "text": "", "pinned_message": {}}},
    ],
)
def test_what_nobody_said_is_passed_over(update: dict[str, Any]) -> None:
    assert understood(update, "4711") is None


@pytest.mark.parametrize("update", [None, [], "x", 3, {"message": 3}, {"message": {"chat": []}}])
def test_what_is_no_update_is_quarantined(update: object) -> None:
    assert isinstance(understood(update, "4711"), Unreadable)


def test_an_edit_is_a_change() -> None:
    edited = {**MESSAGE, "text": "better", "edit_date": 1_790_000_060}

    found = understood({"update_id": 1, "edited_message": edited}, "4711")

    at = 1_790_000_060_000
    assert found == PostChange(f"{GROUP}:7", PostChangeKind.EDITED, at, "better")


def test_the_bots_own_words_are_its_own() -> None:
    assert post(**{"from": {"id": 4711, "is_bot": True, "first_name": "Care"}}).is_own


@pytest_asyncio.fixture
async def peer(tmp_path: Path) -> AsyncIterator[TelegramPeer]:
    async with telegram_peer.peer(tmp_path) as one:
        assert isinstance(one, TelegramPeer)
        yield one


async def fetched(peer: TelegramPeer, cursor: str | None = None, **settings: str) -> Page:
    account = replace(peer.account, settings={**peer.account.settings, **settings})
    return await peer.connector.fetch(
        replace(listened(account, cursor), poll_interval_ms=500, id="ch-1")
    )


async def asked(peer: TelegramPeer, chat_id: int = GROUP) -> Reply:
    message = peer.fake.says(ANA, chat_id, "hello")
    found = understood({"message": message}, "4711")
    assert isinstance(found, Post)
    return reply_to(found, peer, "good day")


async def test_updates_are_forgotten_there_only_after_the_next_question(
    peer: TelegramPeer,
) -> None:
    await peer.customer_says("hello")

    first = await fetched(peer)
    again = await fetched(peer)

    assert [p.external_id for p in again.posts] == [p.external_id for p in first.posts]
    assert (await fetched(peer, first.cursor)).posts == []
    assert not peer.fake.updates


async def test_a_reply_stands_below_the_post(peer: TelegramPeer) -> None:
    reply = await asked(peer)

    outcome = await peer.connector.publish(peer.account, reply)

    assert outcome.certainty is Certainty.SENT
    number = int(str(outcome.external_id).partition(":")[2])
    answered = peer.fake.messages[GROUP, number]["reply_to_message"]["message_id"]
    assert f"{GROUP}:{answered}" == reply.in_reply_to


async def test_a_private_answer_to_a_public_post_goes_to_the_person(peer: TelegramPeer) -> None:
    reply = replace(await asked(peer), visibility=Visibility.PRIVATE)

    outcome = await peer.connector.publish(peer.account, reply)

    assert str(outcome.external_id).startswith(f"{ANA}:")


async def test_somebody_who_blocked_the_bot_cannot_be_answered(peer: TelegramPeer) -> None:
    reply = await asked(peer, ANA)
    peer.fake.blocked.add(ANA)

    outcome = await peer.connector.publish(peer.account, reply)

    assert outcome.certainty is Certainty.REJECTED
    assert "blocked by the user" in str(outcome.reason)


async def test_a_group_that_became_a_larger_one_is_answered_there(peer: TelegramPeer) -> None:
    reply = await asked(peer)
    peer.fake.migrated[GROUP] = -1009999999999

    outcome = await peer.connector.publish(peer.account, reply)

    assert str(outcome.external_id).startswith("-1009999999999:")


async def test_telegrams_own_pause_is_kept(peer: TelegramPeer) -> None:
    reply = await asked(peer)
    peer.fake.floods_s.extend([17, 18])

    outcome = await peer.connector.publish(peer.account, reply)
    page = await fetched(peer, "5")

    assert (outcome.certainty, outcome.retry_after_s) == (Certainty.NOT_ACCEPTED, 17.0)
    assert (page.retry_after_s, page.cursor) == (18.0, "5")


async def test_what_is_not_there_any_more_is_deleted_and_cannot_be_edited(
    peer: TelegramPeer,
) -> None:
    gone = replace(await asked(peer), external_id=f"{GROUP}:999")

    deleted = await peer.connector.delete(peer.account, gone)
    edited = await peer.connector.edit(peer.account, gone, "x")

    assert (deleted.certainty, edited.certainty) == (Certainty.SENT, Certainty.REJECTED)


@pytest.mark.parametrize("token", [None, "", "nonsense", "1:abc/../x", "9999:another-token"])
async def test_a_token_that_is_none_is_named_and_never_told(
    peer: TelegramPeer, token: str | None
) -> None:
    account = replace(peer.account, credentials={"token": token} if token is not None else {})

    with pytest.raises(NetworkTrouble) as told:
        await peer.connector.fetch(listened(account))
    outcome: Outcome = await peer.connector.publish(account, await asked(peer))

    assert told.value.trouble is Trouble.UNAUTHORISED
    assert outcome.certainty is Certainty.NOT_ACCEPTED
    if token:
        assert token not in f"{told.value} {outcome.reason}"


async def test_no_exception_holds_the_token(peer: TelegramPeer) -> None:
    gone = replace(peer.account, settings={"url": "http://127.0.0.1:1"})

    with pytest.raises(NetworkTrouble) as told:
        await peer.connector.fetch(listened(gone))
    outcome = await peer.connector.publish(gone, await asked(peer))

    assert TOKEN not in f"{told.value} {outcome.reason}"
    assert outcome.certainty is Certainty.NOT_ACCEPTED


async def test_with_a_webhook_nothing_is_polled_but_the_token_is_tried(peer: TelegramPeer) -> None:
    peer.fake.webhook_url = "https://parley.example/x"
    await peer.customer_says("hello")

    assert (await fetched(peer, delivery="webhook")).posts == ()
    with pytest.raises(NetworkTrouble, match="webhook is active"):
        await fetched(peer)


def delivery(body: bytes, **headers: str) -> DeliveryRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return DeliveryRequest("POST", "https://parley.example/x", named, body)


async def test_a_delivery_with_the_secret_is_read(peer: TelegramPeer) -> None:
    account = Account("ac-1", "telegram", {}, {"token": TOKEN, "webhook_secret": SECRET})
    body = json.dumps({"update_id": 1, "message": MESSAGE}).encode()

    page = peer.connector.receive(
        account, delivery(body, x_telegram_bot_api_secret_token=SECRET)
    ).pages[None]
    odd = peer.connector.receive(
        account, delivery(b"\xff{", x_telegram_bot_api_secret_token=SECRET)
    ).pages[None]

    assert [one.text for one in page.posts] == ["hello"]
    assert [one.code for one in odd.unreadable] == ["not_json"]
    assert now_ms() > page.posts[0].created_at - 10**12


@pytest.mark.parametrize("given", [{}, {"x_telegram_bot_api_secret_token": "other"}])
@pytest.mark.parametrize("secret", [SECRET, "", None])
async def test_a_delivery_without_the_secret_is_refused(
    peer: TelegramPeer, given: dict[str, str], secret: str | None
) -> None:
    account = Account("ac-1", "telegram", {}, {"token": TOKEN, "webhook_secret": secret})

    with pytest.raises(BadSignature):
        peer.connector.receive(account, delivery(b"{}", **given))


@pytest.mark.parametrize("given", ["ö" * 20, SECRET + "ö", "\ud83d"])
async def test_odd_letters_in_the_secret_are_refused(peer: TelegramPeer, given: str) -> None:
    account = Account("ac-1", "telegram", {}, {"token": TOKEN, "webhook_secret": SECRET})

    with pytest.raises(BadSignature):
        peer.connector.receive(account, delivery(b"{}", x_telegram_bot_api_secret_token=given))
