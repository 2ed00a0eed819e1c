import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from conversations.networks import BadSignature, DeliveryRequest
from tests.connectors.meta.world import VERIFY_TOKEN, World, world
from tests.fakes.graph_webhooks import signed, signed_bytes

NOTHING = {"object": "page", "entry": []}


@pytest_asyncio.fixture(name="page")
async def a_page() -> AsyncIterator[World]:
    async with world("messenger") as one:
        yield one


def asked(**query: str) -> DeliveryRequest:
    named = {name.replace("_", ".", 1): value for name, value in query.items()}
    return DeliveryRequest("GET", "https://parley.example/deliveries", {}, query=named)


async def test_a_signed_delivery_is_taken(page: World) -> None:
    page.connector.receive(page.account, signed(page.ledger.app_secret, NOTHING))


async def test_the_signature_is_over_the_bytes_as_they_came(page: World) -> None:
    """Meta escapes letters and slashes: whoever writes the JSON anew signs something else."""
    call = signed(page.ledger.app_secret, NOTHING | {"note": "größer als / …"})
    assert b"\\u00f6" in call.body

    page.connector.receive(page.account, call)

    written_anew = json.dumps(json.loads(call.body), ensure_ascii=False).encode()
    with pytest.raises(BadSignature):
        page.connector.receive(page.account, replace(call, body=written_anew))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "sha256=",
        "sha1=0123",
        "sha256=" + "0" * 64,
        "sha256=ÿþ",
        "sha256=\ud800",
        "☃",
        "sha256=" + "A" * 1_000_000,
    ],
)
async def test_another_signature_is_refused(page: World, header: str) -> None:
    call = replace(signed(page.ledger.app_secret, NOTHING), headers={"x-hub-signature-256": header})
    with pytest.raises(BadSignature):
        page.connector.receive(page.account, call)


async def test_a_missing_signature_and_the_old_one_are_refused(page: World) -> None:
    call = signed(page.ledger.app_secret, NOTHING)
    for headers in ({}, {"x-hub-signature": call.headers["x-hub-signature-256"]}):
        with pytest.raises(BadSignature):
            page.connector.receive(page.account, replace(call, headers=headers))


async def test_every_bit_counts(page: World) -> None:
    call = signed(page.ledger.app_secret, NOTHING)
    for place in range(len(call.body)):
        body = bytearray(call.body)
        body[place] ^= 1
        with pytest.raises(BadSignature):
            page.connector.receive(page.account, replace(call, body=bytes(body)))


async def test_capitals_and_another_secret_are_refused(page: World) -> None:
    call = signed(page.ledger.app_secret, NOTHING)
    shouted = call.headers["x-hub-signature-256"].upper().replace("SHA", "sha")
    with pytest.raises(BadSignature):
        page.connector.receive(
            page.account, replace(call, headers={"x-hub-signature-256": shouted})
        )
    with pytest.raises(BadSignature):
        page.connector.receive(page.account, signed("another-app", NOTHING))


@pytest.mark.parametrize("secret", [None, "", 7])
async def test_without_a_secret_nothing_is_signed(page: World, secret: object) -> None:
    account = replace(page.account, credentials=page.account.credentials | {"app_secret": secret})
    with pytest.raises(BadSignature):
        page.connector.receive(account, signed_bytes("", b"{}"))


async def test_the_challenge_is_echoed_as_plain_text(page: World) -> None:
    question = asked(
        hub_mode="subscribe", hub_verify_token=VERIFY_TOKEN, hub_challenge="1158201444"
    )

    answer = page.connector.greet(page.account, question)

    assert (answer.body, answer.media_type) == ("1158201444", "text/plain")


@pytest.mark.parametrize(
    "changed",
    [
        {"hub_mode": "unsubscribe"},
        {"hub_mode": ""},
        {"hub_verify_token": "guess"},
        {"hub_verify_token": "ä"},
        {"hub_verify_token": ""},
        {"hub_challenge": "<script>alert(1)</script>"},
        {"hub_challenge": ""},
        {"hub_challenge": "1\r\nset-cookie: a=b"},
        {"hub_challenge": "9" * 257},
    ],
)
async def test_other_questions_are_not_answered(page: World, changed: dict[str, str]) -> None:
    query = {
        "hub_mode": "subscribe",
        "hub_verify_token": VERIFY_TOKEN,
        "hub_challenge": "1158201444",
    }
    with pytest.raises(BadSignature) as refusal:
        page.connector.greet(page.account, asked(**(query | changed)))
    assert VERIFY_TOKEN not in str(refusal.value)


async def test_who_has_no_verify_token_answers_nobody(page: World) -> None:
    account = replace(page.account, credentials={})
    question = asked(hub_mode="subscribe", hub_verify_token="", hub_challenge="1")
    with pytest.raises(BadSignature):
        page.connector.greet(account, question)
