"""The connector against the fake X: limits hold up nothing else, and lose nothing."""

import time

import pytest

from connectors.x import reading as x_reading
from connectors.x.connector import XConnector
from conversations.networks import NetworkTrouble, Trouble
from tests.connectors.x.account import account_of, listened, read_all, texts
from tests.fakes.x import CUSTOMER, FakeX

HOUR_MS = 3_600_000


async def test_a_spent_list_holds_the_others_up_never(x: XConnector, fake: FakeX) -> None:
    fake.limits.of["GET search"] = (0, 900)
    fake.ledger.add(CUSTOMER, "@acme hello")
    channel = listened(account_of(fake), keywords=("acme",))

    page = await x.fetch(channel)

    assert (texts(page), page.retry_after_s) == (["@acme hello"], None)
    await x.fetch(listened(channel.account, page.cursor, keywords=("acme",)))
    assert sum("search" in call for call in fake.calls) == 1


async def test_when_every_list_is_spent_x_says_how_long(x: XConnector, fake: FakeX) -> None:
    fake.limits.of |= {"GET mentions": (0, 900), "GET messages": (0, 900)}

    page = await x.fetch(listened(account_of(fake)))

    assert not page.posts
    assert page.retry_after_s is not None
    assert 0 < page.retry_after_s <= 902


async def test_a_walk_that_x_stopped_goes_on_where_it_was(
    x: XConnector, fake: FakeX, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = int(time.time() * 1000) - HOUR_MS
    for number in range(250):
        fake.ledger.add(CUSTOMER, f"@acme {number}", at_ms=begin + number)
    account = account_of(fake, direct_messages=False)
    fake.limits.of["GET mentions"] = (2, 900)
    stopped = await x.fetch(listened(account))
    fake.limits.of["GET mentions"] = (300, 900)
    for progress in x._progress.values():
        progress.lanes["m"].wait_until_s = 0.0

    page = await x.fetch(listened(account, stopped.cursor))

    assert not stopped.posts
    assert stopped.retry_after_s is not None
    assert texts(page) == [f"@acme {number}" for number in range(100)]
    assert sum("mentions" in call for call in fake.calls) == 4  # two, the refused one, the last


async def test_a_backlog_is_bounded_and_nothing_of_it_lost(
    x: XConnector, fake: FakeX, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(x_reading, "MOST_WAITING", 120)
    begin = int(time.time() * 1000) - HOUR_MS
    for number in range(500):
        fake.ledger.add(CUSTOMER, f"@acme {number}", at_ms=begin + number)

    found = await read_all(x, listened(account_of(fake, direct_messages=False)))

    assert [post.text for post in found] == [f"@acme {number}" for number in range(500)]


async def test_what_the_list_of_mentions_has_dropped_is_searched_for(
    x: XConnector, fake: FakeX
) -> None:
    account, begin = account_of(fake, direct_messages=False), int(time.time() * 1000) - HOUR_MS
    fake.ledger.add(CUSTOMER, "@acme before", at_ms=begin - HOUR_MS)
    first = await x.fetch(listened(account))
    ids = [fake.ledger.add(CUSTOMER, f"@acme {n}", at_ms=begin + n * 10).id for n in range(1_050)]

    found = await read_all(x, listened(account, first.cursor, post_limit=300))

    assert [post.external_id for post in found] == [str(one) for one in ids]


async def test_a_refused_list_of_messages_stops_no_mention(x: XConnector, fake: FakeX) -> None:
    fake.ledger.add(CUSTOMER, "@acme hello")
    account = account_of(fake, message_reads=900_000)
    fake.app.people[:] = []
    with pytest.raises(NetworkTrouble) as refused:
        await x.fetch(listened(account))
    assert refused.value.trouble is Trouble.UNAUTHORISED
