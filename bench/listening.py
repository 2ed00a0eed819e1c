"""Listening: a backlog drained, many channels polled at once, one page from wire to commit.

The network is a fake in this process that is read as a real one is: JSON over the loopback costs
the network, not Parley, and is left out; what is measured is one worker's part and its database.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Connection, func, select, update
from temporalio.testing import ActivityEnvironment

from activities.listening import ListeningActivities
from bench.claims import SECRET, build, fresh_database, ring_nobody
from bench.sizes import ListeningSizes
from conversations.capabilities import Capabilities, Delivery
from conversations.listening import Listening
from conversations.messages import ListenTo
from conversations.model import Author, Post
from conversations.networks import Account, ListenedChannel, NetworkTrouble, Page
from storage import clock
from storage.asking import Following
from storage.channel_intake import ChannelIntake
from storage.conversation_tables import PostRow
from storage.database import Database, open_database
from storage.intake import PageIntake
from storage.schema import upgrade
from storage.secrets import Seal
from storage.setup_tables import AccountRow, ChannelRow

ACCOUNTS = AccountRow.__table__  # type: ignore[attr-defined]
CHANNELS = ChannelRow.__table__  # type: ignore[attr-defined]
POSTS = PostRow.__table__  # type: ignore[attr-defined]

NETWORK = "fake"
PAGE = 100
CUSTOMERS = 400
INTERVAL_S = 5.0
LOOK_EVERY_S = 0.02


@dataclass
class FakeNetwork:
    """Keeps posts as JSON by account, and gives them page by page; away while `is_away`."""

    is_away: bool = False
    said: dict[str, list[str]] = field(default_factory=dict)

    def says(self, account_id: str, count: int, at: int) -> None:
        posts = self.said.setdefault(account_id, [])
        begin = len(posts)
        posts += [
            json.dumps(
                {
                    "id": f"{account_id}-{n}",
                    "author": {"external_id": f"{account_id}-u{n % CUSTOMERS}", "handle": f"u{n}"},
                    "text": f"Where is my parcel number {n}? It was promised for yesterday.",
                    "at": at,
                }
            )
            for n in range(begin, begin + count)
        ]

    def capabilities(self, account: Account) -> Capabilities:  # noqa: ARG002
        return Capabilities()

    def delivery(self, account: Account) -> Delivery:  # noqa: ARG002
        return Delivery.POLL

    async def fetch(self, channel: ListenedChannel) -> Page:
        await asyncio.sleep(0)
        if self.is_away:
            raise NetworkTrouble("away")
        posts = self.said.get(channel.account.id, [])
        begin = int(channel.cursor or 0)
        end = min(len(posts), begin + channel.post_limit)
        page = [_understood(raw) for raw in posts[begin:end]]
        return Page(page, cursor=str(end), goes_on=end < len(posts))


def _understood(raw: str) -> Post:
    told = json.loads(raw)
    return Post(told["id"], Author(**told["author"]), told["text"], told["at"])


@dataclass
class Listeners:
    """One worker's listeners, each the real activity over the real storage."""

    database: Database
    network: FakeNetwork
    intake: ChannelIntake
    account_ids: Sequence[str]
    channel_ids: Sequence[str]

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        connectors: Any = {NETWORK: self.network}
        activities = ListeningActivities(self.intake, connectors)
        environments = [ActivityEnvironment() for _ in self.channel_ids]
        running = [
            asyncio.ensure_future(one.run(activities.listen, ListenTo(channel_id, NETWORK)))
            for one, channel_id in zip(environments, self.channel_ids, strict=True)
        ]
        try:
            yield
        finally:
            for one in environments:
                one.worker_shutdown()
            await asyncio.gather(*running)

    async def says(self, count: int) -> None:
        """Let the network have so many new posts on each account."""
        at = await self.database.read(clock.now)
        for account_id in self.account_ids:
            self.network.says(account_id, count, at)

    async def until_taken(self, posts: int) -> None:
        while await self.database.read(_taken) < posts:  # noqa: ASYNC110 - as others see it
            await asyncio.sleep(LOOK_EVERY_S)


def _taken(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(POSTS)).scalar_one())


@asynccontextmanager
async def listeners(
    database_url: str, channels: int, interval_s: float
) -> AsyncIterator[Listeners]:
    """Set up so many channels, each of an account of its own, and nobody on queue."""
    await asyncio.to_thread(upgrade, database_url)
    database = open_database(database_url)
    following = Following(database, ring_nobody)
    sources = [(await database.write(lambda k: build(k, 1)))[0] for _ in range(channels)]
    interval_ms = int(interval_s * 1000)

    def settle(connection: Connection) -> None:
        connection.execute(update(ACCOUNTS).values(network=NETWORK))
        connection.execute(update(CHANNELS).values(poll_interval_ms=interval_ms))

    await database.write(settle)
    pages = PageIntake(database, following, lambda _: SECRET)
    intake = ChannelIntake(database, pages, Seal("of no worth"))
    account_ids = [source.account_id for source in sources]
    channel_ids = [source.channel_id for source in sources]
    try:
        yield Listeners(database, FakeNetwork(), intake, account_ids, channel_ids)
    finally:
        await following.close()
        await database.close()


async def drained_per_s(database_url: str, backlog: int) -> float:
    """Return how fast what was said during an outage is taken in; all of it, in order."""
    async with listeners(database_url, 1, 0.1) as made:
        made.network.is_away = True
        async with made.at_work():
            await made.says(backlog)
            await asyncio.sleep(1)
            made.network.is_away = False
            await made.until_taken(1)
            begun, began_s = await made.database.read(_taken), time.perf_counter()
            await made.until_taken(backlog)
            took_s = time.perf_counter() - began_s
        if await made.database.read(_taken) != backlog:
            raise RuntimeError("the backlog was not taken in exactly once")
    return (backlog - begun) / took_s


async def cpu_percent(database_url: str, channels: int, rounds: int) -> float:
    """Return the share of a core that polling takes when every poll finds a page of 100."""
    async with listeners(database_url, channels, INTERVAL_S) as made, made.at_work():
        await made.says(PAGE)
        await made.until_taken(channels * PAGE)
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        for number in range(2, rounds + 2):
            await made.says(PAGE)
            await made.until_taken(channels * PAGE * number)
            await asyncio.sleep(max(0.0, began_s + (number - 1) * INTERVAL_S - time.perf_counter()))
        took_s = time.perf_counter() - began_s
        return (time.process_time() - began_cpu_s) / took_s * 100


async def page_p50_ms(database_url: str, pages: int) -> float:
    """Return the median from a page's bytes to its last commit, its cursor included."""
    samples: list[float] = []
    async with listeners(database_url, 1, INTERVAL_S) as made:
        epoch = await made.intake.take_over(made.channel_ids[0])
        for _ in range(pages):
            await made.says(PAGE)
            samples.append(await _one_page_ms(made, epoch))
    return median(samples)


async def _one_page_ms(made: Listeners, epoch: int) -> float:
    channel = await made.intake.channel(made.channel_ids[0])
    if channel is None:
        raise RuntimeError("the channel is gone")
    began_s = time.perf_counter()
    page = await made.network.fetch(channel)
    await made.intake.take_in(made.channel_ids[0], page, Listening(epoch))
    return (time.perf_counter() - began_s) * 1000


async def measure(server_url: str | None, sizes: ListeningSizes) -> dict[str, float]:
    """Measure on SQLite, and on PostgreSQL where a server was given."""
    found: dict[str, float] = {}
    for name, url in (("sqlite", None), ("postgresql", server_url)):
        if name == "postgresql" and url is None:
            continue
        async with _database(url) as fresh:
            found[f"listening.{name}_drained"] = await drained_per_s(fresh, sizes.backlog)
        async with _database(url) as fresh:
            share = await cpu_percent(fresh, sizes.channels, sizes.rounds)
            found[f"listening.{name}_cpu"] = share
        async with _database(url) as fresh:
            found[f"listening.{name}_page"] = await page_p50_ms(fresh, sizes.pages)
    return found


@asynccontextmanager
async def _database(server_url: str | None) -> AsyncIterator[str]:
    if server_url is not None:
        async with fresh_database(server_url) as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        yield f"sqlite:///{Path(folder) / 'listening.db'}"
