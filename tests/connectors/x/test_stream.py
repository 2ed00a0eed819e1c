"""The connector against the fake X: the filtered stream and its rules."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from connectors.x import stream as x_stream
from connectors.x.backoff import Backoff
from connectors.x.connector import XConnector
from connectors.x.rules import tag_of
from conversations.model import Post
from conversations.networks import ListenedChannel, NetworkTrouble, Page, Trouble
from tests.connectors.loopback import loopback_client
from tests.connectors.x.account import US, account_of, listened, running_fake
from tests.fakes.x import CUSTOMER, STRANGER, FakeX

WITHIN_S = 10.0
OWN = "(@acme) -is:retweet -from:acme"


@pytest.fixture
def fake() -> Iterator[FakeX]:
    with running_fake() as one:
        one.heartbeat_s = 0.05
        yield one


@asynccontextmanager
async def open_line(
    x: XConnector, channel: ListenedChannel
) -> AsyncIterator[AsyncGenerator[Page, None]]:
    """Listen, wait for the first sign of life, and hang up at the end."""
    pages = x.stream(channel)
    try:
        async with asyncio.timeout(WITHIN_S):
            assert await anext(pages) == Page()
        yield pages
    finally:
        await pages.aclose()


async def next_post(pages: AsyncGenerator[Page, None]) -> Post:
    async with asyncio.timeout(WITHIN_S):
        async for page in pages:
            if page.posts:
                return page.posts[0]
    raise AssertionError("the stream ended")


def rules(fake: FakeX) -> set[str]:
    return {rule["value"] for rule in fake.ledger.rules.values()}


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def until_rules(fake: FakeX, wanted: set[str]) -> None:
    await until(lambda: rules(fake) == wanted)


async def test_a_mention_comes_by_itself(x: XConnector, fake: FakeX) -> None:
    async with open_line(x, listened(account_of(fake))) as pages:
        stored = fake.ledger.add(CUSTOMER, "@acme help")
        post = await next_post(pages)

    assert post.external_id == str(stored.id)
    assert post.author.handle == "jo"


async def test_rules_are_those_of_the_channels_that_listen(x: XConnector, fake: FakeX) -> None:
    fake.ledger.rules["7"] = {"id": "7", "value": "somebody else's", "tag": "other"}
    fake.ledger.rules["8"] = {"id": "8", "value": "stale", "tag": tag_of("stale")}
    account, phone = account_of(fake), '("phone") -is:retweet -from:acme'

    async with open_line(x, listened(account)):
        assert rules(fake) == {OWN, "somebody else's"}
        other = listened(account, keywords=("phone",), id="ch-2")
        async with open_line(x, other):
            assert rules(fake) == {OWN, phone, "somebody else's"}
        await until_rules(fake, {OWN, "somebody else's"})
    await until_rules(fake, {"somebody else's"})
    assert fake.lines <= 1


async def test_each_channel_gets_what_its_rules_match_over_one_line(
    x: XConnector, fake: FakeX
) -> None:
    account = account_of(fake)
    first = listened(account, keywords=("phone",), id="ch-1")
    second = listened(account, keywords=("parcel", "phone"), id="ch-2")
    async with open_line(x, first) as phones, open_line(x, second) as both:
        fake.ledger.add(STRANGER, "my parcel")
        fake.ledger.add(STRANGER, "my phone")

        assert (await next_post(phones)).text == "my phone"
        assert [(await next_post(both)).text for _ in range(2)] == ["my parcel", "my phone"]

    assert sum(call == "GET /2/tweets/search/stream" for call in fake.calls) == 1


async def test_two_channels_with_the_same_words_share_a_rule(x: XConnector, fake: FakeX) -> None:
    account = account_of(fake)
    async with (
        open_line(x, listened(account, keywords=("phone",), id="ch-1")) as one,
        open_line(x, listened(account, keywords=("phone",), id="ch-2")) as other,
    ):
        fake.ledger.add(STRANGER, "my phone")

        assert (await next_post(one)).text == (await next_post(other)).text == "my phone"
        assert len(fake.ledger.rules) == 1


async def test_a_line_that_x_closes_is_trouble_and_is_opened_again(
    x: XConnector, fake: FakeX
) -> None:
    channel = listened(account_of(fake))
    async with open_line(x, channel) as pages:
        fake.lines = 0
        with pytest.raises(NetworkTrouble):
            await next_post(pages)

    async with open_line(x, channel) as pages:
        fake.ledger.add(CUSTOMER, "@acme again")
        assert (await next_post(pages)).text == "@acme again"


async def test_a_silent_line_is_dead(
    x: XConnector, fake: FakeX, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(x_stream, "SILENT_S", 0.3)
    fake.heartbeat_s = 60.0
    async with open_line(x, listened(account_of(fake))) as pages:
        with pytest.raises(NetworkTrouble, match="ReadTimeout"):
            await next_post(pages)


async def test_an_app_whose_line_is_taken_is_polled_meanwhile_and_leaves_no_rules(
    x: XConnector, fake: FakeX, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.lines = 1
    fake.ledger.rules["7"] = {"id": "7", "value": "elsewhere", "tag": tag_of("elsewhere")}
    pages = x.stream(listened(account_of(fake)))
    with pytest.raises(NetworkTrouble, match="429"):
        await anext(pages)

    assert rules(fake) == {"elsewhere"}
    async with open_line(x, listened(account_of(fake))):  # a sign of life, so that it is polled
        assert sum(call == "GET /2/tweets/search/stream" for call in fake.calls) == 1
    fake.lines = 0


async def test_a_bearer_token_is_needed(x: XConnector, fake: FakeX) -> None:
    without, wrong = account_of(fake), account_of(fake)
    del without.credentials["bearer_token"]
    wrong.credentials["bearer_token"] = "another"

    for account in (without, wrong):
        with pytest.raises(NetworkTrouble) as trouble:
            await anext(x.stream(listened(account)))
        assert trouble.value.trouble is Trouble.UNAUTHORISED
        assert "another" not in str(trouble.value)


async def test_a_channel_with_nothing_to_listen_for_is_told_so(x: XConnector, fake: FakeX) -> None:
    account = account_of(fake, handle="")

    with pytest.raises(NetworkTrouble):
        await anext(x.stream(listened(account)))


async def test_a_hung_up_line_is_closed_on_x(x: XConnector, fake: FakeX) -> None:
    async with open_line(x, listened(account_of(fake))):
        assert fake.lines == 1

    await until(lambda: fake.lines == 0)


async def test_a_broken_line_spoils_no_neighbour_and_an_end_is_named() -> None:
    async with loopback_client() as client:
        line = x_stream.Line(client, {})
        with pytest.raises(NetworkTrouble, match="operational-disconnect"):
            line._take(b'{"errors": [{"title": "operational-disconnect"}]}')
        line._take(b"no json")
        line._take(b'{"data": 5, "matching_rules": [{"tag": 5}, 7]}')


def test_a_channel_that_cannot_keep_up_is_told_that_its_line_broke(fake: FakeX) -> None:
    listener = x_stream.Listener(listened(account_of(fake)), [OWN], US)
    for _ in range(x_stream.MOST_QUEUED + 1):
        listener.give(Page())

    assert isinstance(listener.arriving.get_nowait(), NetworkTrouble)


def test_x_is_left_alone_as_it_asks() -> None:
    network, refused, limited = Backoff(), Backoff(), Backoff()
    waits: dict[str, list[float]] = {"network": [], "refused": [], "limited": []}
    for _ in range(80):
        network.network_failed(0.0)
        refused.refused(0.0)
        limited.refused_too_many(0.0)
        waits["network"].append(network.pause_s(0.0))
        waits["refused"].append(refused.pause_s(0.0))
        waits["limited"].append(limited.pause_s(0.0))

    assert waits["network"][:4] == [0.0, 0.25, 0.5, 0.75]
    assert (waits["refused"][:3], waits["refused"][-1]) == ([5.0, 10.0, 20.0], 320.0)
    assert (waits["limited"][:2], waits["network"][-1]) == ([60.0, 120.0], 16.0)
    network.succeeded()
    assert network.pause_s(0.0) == 0.0
