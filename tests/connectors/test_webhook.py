"""The generic webhook: what each answer and each broken line says about acceptance."""

import json
from typing import Any

import httpx
import pytest
import respx
from standardwebhooks.webhooks import Webhook

from connectors.standard_webhooks import headers, verify
from connectors.webhook import WebhookConnector
from conversations.model import ReplyState, Visibility
from conversations.networks import Account, BadSignature
from conversations.replies import Certainty, ReadBack, Reply
from tests.connectors.loopback import loopback_client

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://brand.example/replies"
LOOK_UP = "https://brand.example/lookup"
ACCOUNT = Account("ac", "webhook", {"reply_url": URL, "lookup_url": LOOK_UP}, {"secret": SECRET})
REPLY = Reply(
    id="re-1",
    conversation_id="cv-1",
    account_id="ac",
    channel_id="ch-1",
    network="webhook",
    agent_id="ag-1",
    text="Grüße 👋",
    visibility=Visibility.PUBLIC,
    to_external_id="c-1",
    to_handle="@customer",
    in_reply_to=None,
    state=ReplyState.SENDING,
    covers=1,
    created_at=0,
    tried_since=0,
)


@pytest.fixture
def connector() -> WebhookConnector:
    return WebhookConnector(loopback_client())


@respx.mock
async def test_the_reference_library_accepts_our_signature(connector: WebhookConnector) -> None:
    route = respx.post(URL).respond(200, json={"external_id": "x-1", "url": "https://x/1"})

    outcome = await connector.publish(ACCOUNT, REPLY)

    sent = route.calls.last.request
    judged = Webhook(SECRET).verify(sent.content, dict(sent.headers))
    assert judged == {
        "reply_id": "re-1",
        "conversation_id": "cv-1",
        "channel_id": "ch-1",
        "to": {"external_id": "c-1", "handle": "@customer"},
        "in_reply_to": None,
        "visibility": "public",
        "text": "Grüße 👋",
    }
    assert (outcome.certainty, outcome.external_id) == (Certainty.SENT, "x-1")


@pytest.mark.parametrize(
    ("status", "body", "certainty"),
    [
        (200, {}, Certainty.SENT),
        (204, {}, Certainty.SENT),
        (302, {}, Certainty.MAYBE),
        (400, {}, Certainty.REJECTED),
        (404, {}, Certainty.REJECTED),
        (408, {}, Certainty.MAYBE),
        (409, {"external_id": "x-1"}, Certainty.SENT),
        (409, {}, Certainty.MAYBE),
        (422, {"detail": "too long"}, Certainty.REJECTED),
        (425, {}, Certainty.NOT_ACCEPTED),
        (429, {}, Certainty.NOT_ACCEPTED),
        (500, {}, Certainty.MAYBE),
        (503, {}, Certainty.MAYBE),
    ],
)
@respx.mock
async def test_each_status_means_what_the_contract_says(
    connector: WebhookConnector, status: int, body: dict[str, Any], certainty: Certainty
) -> None:
    respx.post(URL).respond(status, json=body)

    assert (await connector.publish(ACCOUNT, REPLY)).certainty is certainty


@pytest.mark.parametrize(
    ("error", "certainty"),
    [
        (httpx.ConnectError, Certainty.NOT_ACCEPTED),
        (httpx.ConnectTimeout, Certainty.NOT_ACCEPTED),
        (httpx.ReadTimeout, Certainty.MAYBE),
        (httpx.WriteError, Certainty.MAYBE),
        (httpx.RemoteProtocolError, Certainty.MAYBE),
    ],
)
@respx.mock
async def test_a_broken_line_is_certain_only_when_nothing_left(
    connector: WebhookConnector, error: type[httpx.HTTPError], certainty: Certainty
) -> None:
    respx.post(URL).mock(side_effect=error)

    outcome = await connector.publish(ACCOUNT, REPLY)

    assert outcome.certainty is certainty
    assert outcome.may_still_arrive is (certainty is Certainty.MAYBE)


@respx.mock
async def test_garbage_after_acceptance_is_still_acceptance(connector: WebhookConnector) -> None:
    respx.post(URL).respond(200, content=b"\xff<html>[1,2")

    outcome = await connector.publish(ACCOUNT, REPLY)

    assert (outcome.certainty, outcome.external_id) == (Certainty.SENT, None)


@pytest.mark.parametrize(
    ("status", "body", "certainty"),
    [
        (200, {"external_id": "x-1"}, Certainty.SENT),
        (200, {}, Certainty.MAYBE),
        (404, {}, Certainty.NOT_ACCEPTED),
        (500, {}, Certainty.MAYBE),
    ],
)
@respx.mock
async def test_a_look_up_finds_misses_or_does_not_know(
    connector: WebhookConnector, status: int, body: dict[str, Any], certainty: Certainty
) -> None:
    route = respx.get(LOOK_UP, params={"reply_id": "re-1"}).respond(status, json=body)

    outcome = await connector.look_up(ACCOUNT, REPLY)

    assert route.called
    assert outcome.certainty is certainty


async def test_an_account_without_an_address_is_told_so(connector: WebhookConnector) -> None:
    outcome = await connector.publish(Account("ac", "webhook", {}, {}), REPLY)

    assert outcome.certainty is Certainty.NOT_ACCEPTED
    assert "reply_url" in (outcome.reason or "")


def test_without_a_look_up_the_receiver_has_to_deduplicate(connector: WebhookConnector) -> None:
    without = Account("ac", "webhook", {"reply_url": URL}, {})

    assert connector.read_back(ACCOUNT, REPLY, 0) is ReadBack.LOOK_UP
    assert connector.read_back(without, REPLY, 0) is ReadBack.RECEIVER_DEDUPLICATES


BODY = json.dumps({"posts": []}).encode()
NOW_S = 1_750_000_000


def test_a_delivery_signed_by_the_reference_library_is_accepted() -> None:
    signed = headers(SECRET, "msg-1", NOW_S, BODY)

    assert verify(SECRET, signed, BODY, NOW_S + 299) == "msg-1"


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
        {"webhook-timestamp": str(NOW_S - 301)},
        {"webhook-timestamp": "soon"},
        {"webhook-id": ""},
        {"webhook-id": "msg-2"},
    ],
)
def test_a_delivery_with_anything_changed_is_refused(change: dict[str, str]) -> None:
    signed = headers(SECRET, "msg-1", NOW_S, BODY) | change

    with pytest.raises(BadSignature):
        verify(SECRET, signed, BODY, NOW_S)


def test_a_bit_flipped_in_the_body_is_seen() -> None:
    signed = headers(SECRET, "msg-1", NOW_S, BODY)

    with pytest.raises(BadSignature):
        verify(SECRET, signed, BODY.replace(b"p", b"q"), NOW_S)
