"""What the simulated network brings by itself: signed webhooks, and a line that stays open."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from connectors import standard_webhooks
from connectors.simulated import SimulatedConnector
from conversations.capabilities import Delivery
from conversations.networks import Account, BadSignature, NetworkTrouble, Page
from tests.connectors.conftest import SECRET, delivered, listened
from tests.simulated_network.network import Network, Receiver, eventually

BODY = json.dumps(
    {
        "account": "acme",
        "posts": [
            {
                "id": "1",
                "author": {"id": "2", "handle": "customer_1", "kind": "person"},
                "text": "@acme hello",
                "visibility": "public",
                "created_at": "2026-01-02T03:04:05.678Z",
            }
        ],
    }
).encode()


def signed(body: bytes, *, secret: str = SECRET, age_s: int = 0) -> dict[str, str]:
    return standard_webhooks.headers(secret, "wh_1", int(time.time()) - age_s, body)


def test_a_signed_delivery_is_a_page_without_cursor(
    connector: SimulatedConnector, account: Account
) -> None:
    page = delivered(connector, account, signed(BODY), BODY)

    assert [p.text for p in page.posts] == ["@acme hello"]
    assert page.cursor is None


UNSIGNED: dict[str, Callable[[], dict[str, str]]] = {
    "nothing": dict,
    "another secret": lambda: signed(BODY, secret="whsec_Zm9yZ2VkLWZvcmdlZC1mb3JnZWQ="),
    "too old": lambda: signed(BODY, age_s=900),
    "of the future": lambda: signed(BODY, age_s=-900),
    "another body": lambda: signed(BODY[:-1]),
    "another id": lambda: signed(BODY) | {"webhook-id": "wh_2"},
    "no time": lambda: signed(BODY) | {"webhook-timestamp": "soon"},
    "a digit that is none": lambda: signed(BODY) | {"webhook-timestamp": "²"},
    "an endless time": lambda: signed(BODY) | {"webhook-timestamp": "9" * 5_000},
    "no signature": lambda: signed(BODY) | {"webhook-signature": "v1,"},
    "a signature that is no text": lambda: signed(BODY) | {"webhook-signature": "v1,ü"},
}
"""Made when the test runs: what is signed while tests are collected grows old before it is read."""


@pytest.mark.parametrize("what", UNSIGNED)
def test_a_delivery_that_is_not_signed_just_now_is_refused(
    connector: SimulatedConnector, account: Account, what: str
) -> None:
    with pytest.raises(BadSignature):
        delivered(connector, account, UNSIGNED[what](), BODY)


@pytest.mark.parametrize("credentials", [{}, {"webhook_secret": ""}, {"webhook_secret": None}])
def test_without_a_secret_nothing_is_signed(
    connector: SimulatedConnector, account: Account, credentials: dict[str, Any]
) -> None:
    keyless = replace(account, credentials=credentials)

    with pytest.raises(BadSignature):
        delivered(connector, keyless, signed(BODY, secret=""), BODY)


@pytest.mark.parametrize("body", [b"\xff", b"[]", b"{}", b'{"posts": 7}', b""])
def test_what_is_signed_but_no_page_goes_to_quarantine(
    connector: SimulatedConnector, account: Account, body: bytes
) -> None:
    page = delivered(connector, account, signed(body), body)

    assert not page.posts
    assert [piece.code for piece in page.unreadable] == ["not_a_page"]


def test_a_signed_delivery_with_a_poisoned_post_keeps_the_others(
    connector: SimulatedConnector, account: Account
) -> None:
    deep = b"[" * 50_000 + b"]" * 50_000
    body = BODY.replace(b'"posts": [', b'"posts": [' + deep + b", ")

    page = delivered(connector, account, signed(body), body)

    assert [p.text for p in page.posts] == ["@acme hello"]
    assert [piece.code for piece in page.unreadable] == ["not_json"]


@pytest.mark.parametrize("kind", ["plain", "garbage", "bad_signature", "duplicate", "reorder"])
def test_the_networks_own_deliveries_are_understood_or_refused(
    connector: SimulatedConnector,
    account: Account,
    network: Network,
    receiver: Receiver,
    kind: str,
) -> None:
    if kind != "plain":
        network.fault("webhook", kind)
    network.account(webhook={"url": receiver.url, "secret": SECRET, "page_size": 2})
    for number in range(4):
        network.says("customer_1", f"@acme {number}")

    eventually(lambda: not network.summary()["inboxes"]["acme"]["webhook_pending"])

    texts, forged = set(), 0
    for delivery in receiver.deliveries:
        try:
            page = delivered(connector, account, delivery.headers, delivery.body)
        except BadSignature:
            forged += 1
            continue
        texts |= {p.text for p in page.posts}
    assert texts == {f"@acme {number}" for number in range(4)}
    assert forged == (kind == "bad_signature")


@pytest.mark.parametrize("chosen", ["poll", "stream", "webhook"])
def test_the_account_says_how_its_posts_come(
    connector: SimulatedConnector, account: Account, chosen: str
) -> None:
    chosen_account = replace(account, settings={**account.settings, "delivery": chosen})

    assert connector.delivery(chosen_account) is Delivery(chosen)
    assert connector.delivery(account) is Delivery.POLL
    assert connector.delivery(replace(account, settings={"delivery": 7})) is Delivery.POLL


class Listening:
    """Collects what a stream yields until it was told enough."""

    def __init__(self, connector: SimulatedConnector, account: Account) -> None:
        self.pages: list[Page] = []
        self.alive = asyncio.Event()
        self._running = asyncio.ensure_future(self._listen(connector, account))

    async def _listen(self, connector: SimulatedConnector, account: Account) -> None:
        async with aclosing(connector.stream(listened(account))) as pages:
            async for page in pages:
                self.pages.append(page)
                self.alive.set()

    @property
    def texts(self) -> list[str]:
        return [p.text for page in self.pages for p in page.posts]

    async def until_alive(self) -> None:
        async with asyncio.timeout(5):
            await self.alive.wait()

    async def until(self, count: int) -> list[str]:
        async with asyncio.timeout(5):
            while len(self.texts) < count:
                assert not self._running.done(), self._running.exception()
                await asyncio.sleep(0.01)
        return self.texts

    async def trouble(self) -> NetworkTrouble:
        async with asyncio.timeout(5):
            with pytest.raises(NetworkTrouble) as trouble:
                await self._running
        return trouble.value

    async def close(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)


async def test_a_stream_is_alive_at_once_and_brings_public_and_private_posts(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.says("customer_1", "@acme before")
    listening = Listening(connector, account)
    await listening.until_alive()
    assert not listening.texts

    network.says("customer_1", "@acme one\u2028line\x85and more")
    network.says("customer_2", "psst", visibility="private", to="acme")

    assert await listening.until(2) == ["@acme one\u2028line\x85and more", "psst"]
    assert all(page.cursor is None for page in listening.pages)
    await listening.close()


@pytest.mark.parametrize("kind", ["garbage", "duplicate", "reorder"])
async def test_a_spoilt_stream_loses_nothing(
    connector: SimulatedConnector, account: Account, network: Network, kind: str
) -> None:
    listening = Listening(connector, account)
    await listening.until_alive()
    network.fault("stream", kind, times=2)

    written = [{"text": f"@acme {number}"} for number in range(3)]
    network.made("POST", "/control/people/customer_1/posts", {"posts": written})

    await listening.until(6 if kind == "duplicate" else 3)
    assert set(listening.texts) == {"@acme 0", "@acme 1", "@acme 2"}
    assert sum(len(page.unreadable) for page in listening.pages) == (kind == "garbage")
    await listening.close()


async def test_a_broken_line_is_trouble_and_half_a_post_is_none(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    listening = Listening(connector, account)
    await listening.until_alive()
    network.fault("stream", "reset")

    network.says("customer_1", "@acme hello")

    await listening.trouble()
    assert not listening.texts
    assert not any(page.unreadable for page in listening.pages)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_stream_that_is_refused_is_trouble(
    connector: SimulatedConnector, account: Account, network: Network, status: int
) -> None:
    network.fault("stream_connect", "status", status=status)

    assert str(status) in str(await Listening(connector, account).trouble())


async def test_a_stream_at_its_limit_says_when_to_come_again(
    connector: SimulatedConnector, account: Account, network: Network
) -> None:
    network.fault("stream_connect", "status", status=429, retry_after_s=6)
    listening = Listening(connector, account)

    await listening.until_alive()

    assert [page.retry_after_s for page in listening.pages] == [6.0]
    await listening.close()


async def test_a_stream_to_nowhere_is_trouble(
    connector: SimulatedConnector, account: Account
) -> None:
    for url in ("http://127.0.0.1:9", "no address"):
        await Listening(connector, replace(account, settings={"url": url})).trouble()
    await Listening(connector, replace(account, settings={})).trouble()
