"""Listening by poll and by stream: nothing is skipped, and whoever listens can be stopped."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities import listening
from activities.listening import ListeningActivities
from conversations import health
from conversations.capabilities import Allowance, Capabilities, Delivery
from conversations.listening import ListenerReplaced, Listening, Via
from conversations.messages import ListenTo
from conversations.model import Author, Post
from conversations.networks import (
    Account,
    ListenedChannel,
    NetworkTrouble,
    Page,
    Trouble,
)

LISTEN_TO = ListenTo("ch-1", "fake")
CHANNEL = ListenedChannel(Account("ac-1", "fake", {}), 10, 100, None)


def post(number: int) -> Post:
    return Post(f"p{number}", Author("c"), "text", number)


@dataclass
class FakeIntake:
    """Keeps what was taken in, and the cursor as the database does."""

    listened: ListenedChannel | None = CHANNEL
    taken: list[str] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    ways: list[Via] = field(default_factory=list)
    epoch: int = 0
    asked: int = 0
    allowed: int = 1_000
    on_taken: Callable[[], None] = lambda: None

    async def take_over(self, channel_id: str) -> int:
        self.epoch += 1
        return self.epoch

    async def channel(self, channel_id: str) -> ListenedChannel | None:
        return self.listened

    async def take_allowance(self, account_id: str, allowance: Allowance) -> int:
        self.asked += 1
        return 0 if self.asked <= self.allowed else 50

    async def take_in(self, channel_id: str, page: Page, listening: Listening) -> None:
        await asyncio.sleep(0)
        if listening.epoch != self.epoch:
            raise ListenerReplaced(channel_id, listening.epoch)
        self.ways.append(listening.via)
        self.taken += [one.external_id for one in page.posts]
        if page.cursor is not None and self.listened is not None:
            self.cursors.append(page.cursor)
            self.listened = replace(self.listened, cursor=page.cursor)
        self.on_taken()

    async def report_trouble(
        self, channel_id: str, trouble: NetworkTrouble, epoch: int | None
    ) -> int:
        assert epoch == self.epoch
        self.troubles.append(str(trouble))
        return 1


@dataclass
class FakeNetwork:
    """Has numbered posts to poll for, and lines to stream."""

    how: Delivery = Delivery.POLL
    posts: int = 0
    fetched: list[str | None] = field(default_factory=list)
    lines: asyncio.Queue[Page | Exception] = field(default_factory=asyncio.Queue)
    opened: int = 0
    closed: int = 0
    trouble: list[NetworkTrouble] = field(default_factory=list)
    retry_after_s: float | None = None
    can: Capabilities = field(default_factory=Capabilities)

    def capabilities(self, account: Account) -> Capabilities:
        return self.can

    def delivery(self, account: Account) -> Delivery:
        return self.how

    async def fetch(self, channel: ListenedChannel) -> Page:
        cursor = channel.cursor
        self.fetched.append(cursor)
        if self.trouble:
            raise self.trouble.pop()
        if self.retry_after_s is not None:
            return Page(retry_after_s=self.retry_after_s)
        begin = int(cursor or 0)
        end = min(self.posts, begin + 2)
        page = [post(number) for number in range(begin, end)]
        return Page(page, cursor=str(end), goes_on=end < self.posts)

    async def stream(self, channel: ListenedChannel) -> AsyncGenerator[Page, None]:
        self.opened += 1
        try:
            yield Page()
            while True:
                line = await self.lines.get()
                if isinstance(line, Exception):
                    raise line
                yield line
        finally:
            self.closed += 1


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEARTBEAT_EVERY_S", "CHECK_EVERY_S", "RECONNECT_PAUSE_S"):
        monkeypatch.setattr(listening, name, 0.01)
    monkeypatch.setattr(health, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(random, "random", lambda: 1.0)


class Running:
    """The activity, at work beside the test."""

    def __init__(self, intake: FakeIntake, network: Any) -> None:
        self.beats: list[Any] = []
        self._environment = ActivityEnvironment()
        self._environment.on_heartbeat = lambda *details: self.beats.append(details)
        activities = ListeningActivities(intake, {"fake": network})
        self._running = asyncio.ensure_future(self._environment.run(activities.listen, LISTEN_TO))

    async def until(self, probe: Callable[[], Any]) -> None:
        async with asyncio.timeout(5):
            while not probe():
                assert not self._running.done(), self._running.result()
                await asyncio.sleep(0.005)

    async def end(self) -> bool:
        async with asyncio.timeout(5):
            return await self._running

    async def stop(self) -> bool:
        """Shut the worker down."""
        self._environment.worker_shutdown()
        return await self.end()


async def test_pages_are_polled_one_after_the_other_from_the_stored_cursor() -> None:
    intake, network = FakeIntake(), FakeNetwork(posts=5)
    listening_ = Running(intake, network)

    await listening_.until(lambda: len(network.fetched) > 3)

    assert await listening_.stop()
    assert intake.taken == ["p0", "p1", "p2", "p3", "p4"]
    assert network.fetched[:4] == [None, "2", "4", "5"]
    assert listening_.beats


async def test_a_channel_that_is_switched_off_is_not_listened_to_any_more() -> None:
    intake, network = FakeIntake(), FakeNetwork(posts=1)
    listening_ = Running(intake, network)
    await listening_.until(lambda: intake.taken)

    intake.listened = None

    assert not await listening_.end()


async def test_trouble_is_reported_and_the_same_page_asked_for_again() -> None:
    intake = FakeIntake()
    network = FakeNetwork(posts=1, trouble=[NetworkTrouble("the network answered 500")])
    listening_ = Running(intake, network)

    await listening_.until(lambda: intake.taken)

    await listening_.stop()
    assert intake.troubles == ["the network answered 500"]
    assert network.fetched[:2] == [None, None]


async def test_a_network_in_lasting_trouble_is_asked_ever_more_seldom() -> None:
    intake = FakeIntake()
    network = FakeNetwork(trouble=[NetworkTrouble("500")] * 1_000)
    listening_ = Running(intake, network)

    await asyncio.sleep(0.5)

    await listening_.stop()
    assert 3 <= len(network.fetched) <= 7


async def test_an_account_at_its_limit_is_left_alone() -> None:
    intake = FakeIntake(listened=replace(CHANNEL, wait_ms=60_000))
    network = FakeNetwork(posts=1)
    listening_ = Running(intake, network)

    await listening_.until(lambda: len(listening_.beats) > 2)

    await listening_.stop()
    assert not network.fetched


async def test_what_is_brought_by_webhook_is_polled_seldom() -> None:
    intake, network = FakeIntake(), FakeNetwork(Delivery.WEBHOOK, posts=3)
    listening_ = Running(intake, network)

    await listening_.until(lambda: len(intake.taken) == 3)
    await asyncio.sleep(0.1)

    await listening_.stop()
    assert network.fetched == [None, "2"]


async def test_a_stream_brings_posts_as_they_come_and_a_poll_what_came_before() -> None:
    intake, network = FakeIntake(), FakeNetwork(Delivery.STREAM, posts=3)
    listening_ = Running(intake, network)
    await listening_.until(lambda: len(intake.taken) == 3)

    network.lines.put_nowait(Page([post(7)]))
    await listening_.until(lambda: "p7" in intake.taken)

    assert await listening_.stop()
    assert intake.taken == ["p0", "p1", "p2", "p7"]
    assert intake.cursors == ["2", "3"]
    assert (network.opened, network.closed) == (1, 1)


async def test_a_silent_stream_beats_and_stops_with_its_worker() -> None:
    intake, network = FakeIntake(), FakeNetwork(Delivery.STREAM)
    listening_ = Running(intake, network)

    await listening_.until(lambda: len(listening_.beats) > 5)

    assert await listening_.stop()
    assert network.closed == 1


async def test_a_broken_stream_is_opened_again_and_what_was_missed_is_polled() -> None:
    intake, network = FakeIntake(), FakeNetwork(Delivery.STREAM)
    listening_ = Running(intake, network)
    await listening_.until(lambda: network.fetched)

    network.posts = 1
    network.lines.put_nowait(NetworkTrouble("the stream broke"))
    await listening_.until(lambda: intake.taken)

    await listening_.stop()
    assert network.opened == 2
    assert intake.troubles == ["the stream broke"]


async def test_a_stream_at_its_limit_waits_as_long_as_the_network_says() -> None:
    intake, network = FakeIntake(), FakeNetwork(Delivery.STREAM)
    listening_ = Running(intake, network)
    await listening_.until(lambda: network.fetched)

    network.lines.put_nowait(Page(retry_after_s=60))
    await listening_.until(lambda: network.closed)
    await asyncio.sleep(0.05)

    await listening_.stop()
    assert network.opened == 1


@pytest.mark.parametrize(
    "changed", [None, replace(CHANNEL, account=Account("ac-1", "fake", {"a": 1}))]
)
async def test_a_stream_ends_soon_after_its_channel_changed(
    changed: ListenedChannel | None,
) -> None:
    intake, network = FakeIntake(), FakeNetwork(Delivery.STREAM)
    listening_ = Running(intake, network)
    await listening_.until(lambda: network.fetched)

    intake.listened = changed

    if changed is None:
        assert not await listening_.end()
    else:
        await listening_.until(lambda: network.opened == 2)
        assert await listening_.stop()
    assert network.closed >= 1


async def test_a_page_is_taken_in_whole_before_its_worker_stops() -> None:
    intake, network = FakeIntake(), FakeNetwork(Delivery.STREAM)
    listening_ = Running(intake, network)
    await listening_.until(lambda: network.fetched)
    intake.on_taken = listening_._environment.worker_shutdown

    network.lines.put_nowait(Page([post(1), post(2)]))

    assert await listening_.end()
    assert intake.taken == ["p1", "p2"]


async def test_refused_credentials_are_tried_again_when_they_are_changed() -> None:
    intake = FakeIntake()
    revoked = [NetworkTrouble("the token was revoked", Trouble.UNAUTHORISED)]
    network = FakeNetwork(posts=1, trouble=revoked)
    listening_ = Running(intake, network)
    await listening_.until(lambda: intake.troubles)
    await asyncio.sleep(0.1)
    asked_before = len(network.fetched)

    intake.listened = replace(CHANNEL, account=Account("ac-1", "fake", {}, {"token": "new"}))
    await listening_.until(lambda: intake.taken)

    await listening_.stop()
    assert asked_before == 1


async def test_what_a_network_asks_to_wait_is_waited_for() -> None:
    intake, network = FakeIntake(), FakeNetwork(posts=1, retry_after_s=60)
    listening_ = Running(intake, network)
    await listening_.until(lambda: network.fetched)
    await asyncio.sleep(0.1)

    await listening_.stop()
    assert len(network.fetched) == 1


async def test_a_poll_without_allowance_waits_for_one() -> None:
    can = Capabilities(allowances=(Allowance("polls", 3, 60),), poll_allowance="polls")
    intake, network = FakeIntake(allowed=2), FakeNetwork(can=can)
    listening_ = Running(intake, network)

    await listening_.until(lambda: intake.asked >= 4)

    await listening_.stop()
    assert len(network.fetched) == 2


async def test_a_changed_interval_acts_at_once_also_in_a_long_pause() -> None:
    intake = FakeIntake(listened=replace(CHANNEL, poll_interval_ms=3_600_000))
    network = FakeNetwork(posts=1)
    listening_ = Running(intake, network)
    await listening_.until(lambda: intake.taken)

    assert intake.listened is not None
    intake.listened = replace(intake.listened, poll_interval_ms=10)
    await listening_.until(lambda: len(network.fetched) > 3)

    await listening_.stop()


async def test_a_channel_that_is_switched_off_in_a_long_pause_is_left_at_once() -> None:
    intake = FakeIntake(listened=replace(CHANNEL, poll_interval_ms=3_600_000))
    listening_ = Running(intake, FakeNetwork(posts=1))
    await listening_.until(lambda: intake.taken)

    intake.listened = None

    assert not await listening_.end()


async def test_of_two_listeners_at_once_the_later_one_goes_on_alone() -> None:
    intake, network = FakeIntake(), FakeNetwork(posts=6)
    first = Running(intake, network)
    await first.until(lambda: intake.taken)

    second = Running(intake, network)
    assert await first.end()
    network.posts = 8
    await second.until(lambda: len(intake.taken) == 8)

    await second.stop()
    assert intake.taken == [f"p{number}" for number in range(8)]
    assert intake.epoch == 2


async def test_a_page_says_how_it_came() -> None:
    intake, network = FakeIntake(), FakeNetwork(Delivery.STREAM, posts=1)
    listening_ = Running(intake, network)
    await listening_.until(lambda: intake.taken)
    network.lines.put_nowait(Page([post(7)]))
    await listening_.until(lambda: "p7" in intake.taken)

    await listening_.stop()
    assert intake.ways == [Via.RECONCILING, Via.LINE]
